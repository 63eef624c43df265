#include "engine/risk/exposure.h"

#include <algorithm>
#include <limits>

#include "base/prefetch.h"
#include "engine/risk/average_cost.h"

namespace halocline {
namespace {

constexpr Nanos kSecond = 1'000'000'000;

// How far ahead of the position that a price moves the next ones are fetched, and the sums above them.
constexpr std::size_t kPositionsAhead = 16, kSumsAhead = 8;

// A node with a bucket whose P&L is beyond 64 bits, so that scaled_pnl may have left its 128, is always looked at exactly.
constexpr Int128 kAlways = std::numeric_limits<Int128>::min();
constexpr bool fits_64(Int128 x) { return static_cast<std::int64_t>(x) == x; }
// A node's P&L is rounded once a currency: by this much at most, at scale 1e-16.
constexpr Int128 kMostRounding = static_cast<Int128>(limits::kMaxCurrencies) * limits::kScale;

// Without branches: signs come as they like, and the processor would guess.
Int128 absolute(Int128 x) { return (x ^ (x >> 127)) - (x >> 127); }
Int128 positive(Int128 x) { return x & ~(x >> 127); }

// Of what is summed up in 128 bits, whatever has left them on the way.
Int128 wrapping_product(Int128 x, std::int64_t y) { return static_cast<Int128>(static_cast<UInt128>(x) * static_cast<UInt128>(y)); }
Int128 wrapping_sum(Int128 x, Int128 y) { return static_cast<Int128>(static_cast<UInt128>(x) + static_cast<UInt128>(y)); }

std::int64_t second_of(Nanos time) { return time >= 0 ? time / kSecond : (time - kSecond + 1) / kSecond; }

std::size_t slot_of(std::int64_t second) {
  constexpr std::int64_t kSlots = limits::kTradeRateSeconds;
  return static_cast<std::size_t>(((second % kSlots) + kSlots) % kSlots);
}

bool aggregates_firm(NodeKind kind) {
  return kind == NodeKind::kInstrument || kind == NodeKind::kUnderlying || kind == NodeKind::kSector ||
         kind == NodeKind::kCurrency;
}

}  // namespace

void Exposure::node_added(std::uint32_t node) {
  touched_in_.resize(node + 1);
  moved_.resize(node + 1);
  set_peak_at(state_.catalog.nodes.write(node));
}
void Exposure::instrument_added(std::uint32_t instrument) {
  positions_of_instrument_.resize(instrument + 1);
  above_firm_.resize(instrument + 1);
}
void Exposure::currency_added(std::uint32_t currency) { buckets_of_currency_.resize(currency + 1); }

void Exposure::resume() {
  const Catalog& catalog = state_.catalog;
  touched_in_.resize(catalog.nodes.size());
  moved_.resize(catalog.nodes.size());
  positions_of_instrument_.resize(catalog.instruments.size());
  above_firm_.resize(catalog.instruments.size());
  buckets_of_currency_.resize(catalog.currencies.size());
  for (std::uint32_t id = 0; id < state_.positions.size(); ++id) {
    const PositionRecord& position = state_.positions[id];
    position_at_.insert(position.node, position.instrument, id);
    positions_of_instrument_[position.instrument].push_back(id);
  }
  for (std::uint32_t id = 0; id < state_.buckets.size(); ++id) buckets_of_currency_[state_.buckets[id].currency].push_back(id);
  for (std::uint32_t id = 0; id < catalog.nodes.size(); ++id) {
    if (catalog.nodes[id].rate_sum != 0) rated_.push_back(id);
  }
}

Tally::Tally(Nanos time, Money largest) : slot(slot_of(second_of(time))), size(largest) {}

inline Exposure::Shift Exposure::shift_of(Money before, Money after, Money cash, bool stale, std::int64_t rate) {
  const Money net = after - before, pnl = net + cash;
  const Money long_exposure = positive(after) - positive(before);
  return {net, long_exposure, pnl, stale ? absolute(after) - absolute(before) : 0, wrapping_product(pnl, rate)};
}

void Exposure::prefetch_node(std::uint32_t node) const {
  const NodeRecord& record = state_.catalog.nodes[node];
  prefetch_line(&record);
  prefetch_line(&record.rate_slots);
}

void Exposure::prefetch_nodes(const Holders& nodes, std::uint32_t instrument) const {
  for (std::size_t i = 2; i < nodes.size(); ++i) prefetch_node(nodes[i]);
  prefetch_node(state_.catalog.instruments[instrument].node);
}

void Exposure::prefetch_buckets(const Holders& positions, std::uint32_t instrument) const {
  for (std::size_t i = 2; i < positions.size(); ++i) {
    if (positions[i] != kNoId) state_.buckets.prefetch(state_.positions[positions[i]].bucket);
  }
  const AboveFirm& above = above_firm_[instrument];
  if (above.known) state_.buckets.prefetch(above.buckets[0]);
}

std::uint32_t Exposure::change(const Leg& leg) {
  std::uint32_t position = leg.position;
  if (position == kNoId) position = make_position(leg.node, leg.instrument);
  changes_.note(Changes::Of::kPositions, position);
  PositionRecord& record = state_.positions.write(position);
  const InstrumentRecord& instrument = state_.catalog.instruments[leg.instrument];
  const Money before = record.value;
  record.quantity += leg.quantity;
  record.cash += leg.cash;
  record.count = static_cast<std::uint32_t>(static_cast<std::int64_t>(record.count) + leg.count);
  record.value = value_of(record.quantity, instrument.mark, instrument.multiplier);
  const std::int64_t rate = state_.catalog.currencies[instrument.currency].rate;
  position_moved(position, record, shift_of(before, record.value, leg.cash, instrument.stale, rate), rate);
  return position;
}

void Exposure::revalue(std::uint32_t id, bool was_stale) {
  const InstrumentRecord& instrument = state_.catalog.instruments[id];
  const std::int64_t rate = state_.catalog.currencies[instrument.currency].rate;
  const std::span<const std::uint32_t> positions = positions_of_instrument_[id];
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (i + kPositionsAhead < positions.size()) state_.positions.prefetch(positions[i + kPositionsAhead]);
    if (i + kSumsAhead < positions.size()) {
      const PositionRecord& next = state_.positions[positions[i + kSumsAhead]];
      state_.buckets.prefetch(next.bucket);
      prefetch_line(&state_.catalog.nodes[next.node]);
    }
    const std::uint32_t position = positions[i];
    changes_.note(Changes::Of::kRevalued, position);
    if (state_.positions[position].quantity == 0) continue;  // its value is zero at any price
    PositionRecord& record = state_.positions.write(position);
    const Money before = record.value;
    record.value = value_of(record.quantity, instrument.mark, instrument.multiplier);
    Shift shift = shift_of(before, record.value, 0, false, rate);
    shift.stale = (instrument.stale ? absolute(record.value) : 0) - (was_stale ? absolute(before) : 0);
    position_moved(position, record, shift, rate);
  }
}

void Exposure::reconvert(std::uint32_t currency, std::int64_t before) {
  const std::int64_t change = state_.catalog.currencies[currency].rate - before;
  for (const std::uint32_t id : buckets_of_currency_[currency]) {
    const BucketRecord& bucket = state_.buckets[id];
    NodeRecord& node = state_.catalog.nodes.write(bucket.node);
    node.scaled_pnl = wrapping_sum(node.scaled_pnl, wrapping_product(bucket.pnl, change));
    ++moved_[bucket.node].otherwise;
    touch(bucket.node);
  }
}

void Exposure::move_instrument(std::uint32_t id, std::uint32_t from_node, std::uint32_t to_node) {
  above_firm_[id] = {};
  const std::uint32_t position = find_position(0, id);
  if (position == kNoId) return;
  const PositionRecord& record = state_.positions[position];
  const InstrumentRecord& instrument = state_.catalog.instruments[id];
  const std::int64_t rate = state_.catalog.currencies[instrument.currency].rate;
  if (from_node != kNoId) {
    const Shift out = shift_of(record.value, 0, -record.cash, instrument.stale, rate);
    move_node(bucket_of(from_node, instrument.currency), out, position, 0, rate);
  }
  if (to_node != kNoId) {
    const Shift in = shift_of(0, record.value, record.cash, instrument.stale, rate);
    move_node(bucket_of(to_node, instrument.currency), in, position, record.value, rate);
  }
}

void Exposure::add_trade(const Holders& nodes, Holders& positions, const TradeEffect& effect, const Tally& tally) {
  const InstrumentRecord& instrument = state_.catalog.instruments[effect.instrument];
  const std::int64_t mark = instrument.mark, multiplier = instrument.multiplier;
  const bool stale = instrument.stale;
  const std::int64_t rate = state_.catalog.currencies[instrument.currency].rate;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (positions[i] == kNoId) positions[i] = make_position(nodes[i], effect.instrument);
  }
  if (changes_.wants_rows()) [[unlikely]] note_trade(nodes, positions, effect.instrument);
  // The position's own bucket, and of FIRM the instrument's as well.
  const std::array<std::uint32_t, 4>& above = buckets_above(effect.instrument);
  std::array<std::uint32_t, 5> buckets{kNoId, above[0], above[1], above[2], above[3]};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PositionRecord& record = state_.positions.write(positions[i]);
    // The newest trade of all is the last to fold.
    if (record.split_known) record.cost = AverageCost::folded(record.quantity, record.cost, effect.quantity, effect.notional);
    const Money before = record.value;
    record.quantity += effect.quantity;
    record.cash += effect.cash;
    ++record.count;
    const Money value = record.value = value_of(record.quantity, mark, multiplier);
    const Shift shift = shift_of(before, value, effect.cash, stale, rate);
    const Money size = absolute(value);
    buckets[0] = record.bucket;
    for (std::size_t b = 0; b < (i == 0 ? buckets.size() : 1); ++b) {
      if (buckets[b] != kNoId) add_to_node(buckets[b], shift, positions[i], size, rate, tally);
    }
  }
}

// Its nodes and positions of the kinds that are wanted count as changed.
void Exposure::note_trade(const Holders& nodes, const Holders& positions, std::uint32_t instrument) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeKind kind = state_.catalog.nodes[nodes[i]].kind;
    if (changes_.wants_position(kind)) changes_.note(Changes::Of::kPositions, positions[i]);
    if (changes_.wants_node(kind)) touch(nodes[i]);
  }
  for (const std::uint32_t bucket : buckets_above(instrument)) {
    if (bucket != kNoId) note_node(state_.buckets[bucket].node);
  }
}

// Inlined in add_trade(), nine times a trade: what it is given then stays in registers.
[[gnu::always_inline]] inline void Exposure::add_to_node(std::uint32_t id, const Shift& shift, std::uint32_t position, Money size,
                                                         std::int64_t rate, const Tally& tally) {
  BucketRecord& bucket = state_.buckets.write(id);
  NodeRecord& node = move(bucket, shift, position, size);
  count(bucket.node, node, tally);
  look_at_moved(bucket.node, node, shift, rate);
}

inline void Exposure::look_at_moved(std::uint32_t id, const NodeRecord& node, const Shift& shift, std::int64_t rate) {
  if (may_be_peak(node)) touch(id);
  if (node.watched) touch(id);
  else if (!changes_.wants_node(node.kind)) return;
  // No exposure moves further: it changes by at most |net|, or by |stale| where that changed too, and long and short are each rounded once.
  const Money distance = mul_scale(std::max(absolute(shift.net), absolute(shift.stale)), rate) + 4;
  if (fits_64(distance)) moved_[id].distance += distance;
  else ++moved_[id].otherwise;
}

void Exposure::position_moved(std::uint32_t position, const PositionRecord& record, const Shift& shift, std::int64_t rate) {
  move_node(record.bucket, shift, position, record.value, rate);
  if (record.node != 0) return;
  for (const std::uint32_t bucket : buckets_above(record.instrument)) {
    if (bucket != kNoId) move_node(bucket, shift, position, record.value, rate);
  }
}

void Exposure::move_node(std::uint32_t id, const Shift& shift, std::uint32_t position, Money value, std::int64_t rate) {
  BucketRecord& bucket = state_.buckets.write(id);
  const NodeRecord& node = move(bucket, shift, position, absolute(value));
  look_at_moved(bucket.node, node, shift, rate);
  note_node(bucket.node);
}

const std::array<std::uint32_t, 4>& Exposure::buckets_above(std::uint32_t id) {
  AboveFirm& above = above_firm_[id];
  if (above.known) return above.buckets;
  const InstrumentRecord& instrument = state_.catalog.instruments[id];
  const std::uint32_t nodes[] = {instrument.node, instrument.underlying_node, instrument.sector_node,
                                 state_.catalog.currencies[instrument.currency].node};
  for (std::size_t i = 0; i < above.buckets.size(); ++i) {
    above.buckets[i] = nodes[i] == kNoId ? kNoId : bucket_of(nodes[i], instrument.currency);
  }
  above.known = true;
  return above.buckets;
}

[[gnu::always_inline]] inline NodeRecord& Exposure::move(BucketRecord& bucket, const Shift& shift, std::uint32_t position, Money size) {
  bucket.net += shift.net;
  bucket.long_exposure += shift.long_exposure;
  bucket.pnl += shift.pnl;
  if (shift.stale != 0) [[unlikely]] bucket.stale += shift.stale;
  if (bucket.largest == position) {
    if (size >= bucket.largest_value) {
      bucket.largest_value = size;
    } else {
      bucket.largest = kNoId;  // it may have lost the first place
    }
  } else if (bucket.largest != kNoId && size > bucket.largest_value) {
    bucket.largest = position;
    bucket.largest_value = size;
  }
  NodeRecord& node = state_.catalog.nodes.write(bucket.node);
  node.scaled_pnl = wrapping_sum(node.scaled_pnl, shift.scaled_pnl);
  if (!fits_64(bucket.pnl)) [[unlikely]] node.peak_at = kAlways;
  return node;
}

void Exposure::set_peak_at(NodeRecord& node) const {
  const Money peak = node.peak_pnl + node.day_base;  // of the total
  bool fit = fits_64(peak);
  for (std::uint32_t id = node.first_bucket; fit && id != kNoId; id = state_.buckets[id].next_of_node) {
    fit = fits_64(state_.buckets[id].pnl);
  }
  node.peak_at = fit ? peak * limits::kScale - kMostRounding : kAlways;
}

void Exposure::look_at_peak(std::uint32_t id) {
  const NodeRecord& seen = state_.catalog.nodes[id];
  if (!may_be_peak(seen)) return;
  const Money day_pnl = state_.total_pnl(id) - seen.day_base;
  if (day_pnl <= seen.peak_pnl) return;
  NodeRecord& node = state_.catalog.nodes.write(id);
  node.peak_pnl = day_pnl;
  set_peak_at(node);
}

void Exposure::begin_day(std::uint32_t id) {
  NodeRecord& node = state_.catalog.nodes.write(id);
  node.day_base = state_.total_pnl(id);
  node.peak_pnl = 0;
  node.largest_trade = 0;
  set_peak_at(node);
  touch(id);
}

void Exposure::move_day_base(std::uint32_t of, std::uint32_t from, std::uint32_t to) {
  const Money day_base = state_.catalog.nodes[of].day_base;
  const auto add = [&](std::uint32_t id, Money base) {
    if (id == kNoId) return;
    NodeRecord& node = state_.catalog.nodes.write(id);
    node.day_base += base;
    set_peak_at(node);
    touch(id);
  };
  add(from, -day_base);
  add(to, day_base);
}

std::uint32_t Exposure::bucket_of(std::uint32_t node, std::uint32_t currency) {
  for (std::uint32_t id = state_.catalog.nodes[node].first_bucket; id != kNoId; id = state_.buckets[id].next_of_node) {
    if (state_.buckets[id].currency == currency) return id;
  }
  const auto id = static_cast<std::uint32_t>(state_.buckets.size());
  BucketRecord bucket{};
  bucket.node = node;
  bucket.currency = currency;
  bucket.largest = kNoId;
  NodeRecord& owner = state_.catalog.nodes.write(node);
  bucket.next_of_node = owner.first_bucket;
  owner.first_bucket = id;
  state_.buckets.push_back(bucket);
  buckets_of_currency_[currency].push_back(id);
  return id;
}

std::uint32_t Exposure::make_position(std::uint32_t node, std::uint32_t instrument) {
  const auto id = static_cast<std::uint32_t>(state_.positions.size());
  PositionRecord position{};
  position.node = node;
  position.instrument = instrument;
  position.bucket = bucket_of(node, state_.catalog.instruments[instrument].currency);
  position.first_entry = kNoId;
  position.split_known = true;
  NodeRecord& owner = state_.catalog.nodes.write(node);
  position.next_of_node = owner.first_position;
  owner.first_position = id;
  state_.positions.push_back(position);
  position_at_.insert(node, instrument, id);
  positions_of_instrument_[instrument].push_back(id);
  return id;
}

Int128 Exposure::concentration(std::uint32_t node) {
  const Money gross = state_.gross(node);
  if (gross == 0) return 0;
  Money largest = 0;
  for (std::uint32_t id = state_.catalog.nodes[node].first_bucket; id != kNoId; id = state_.buckets[id].next_of_node) {
    if (state_.buckets[id].largest == kNoId) find_largest(id);
    const BucketRecord& bucket = state_.buckets[id];
    largest = std::max(largest, mul_scale(bucket.largest_value, state_.catalog.currencies[bucket.currency].rate));
  }
  return mul_div(largest, limits::kScale, gross);
}

// Looks through the positions a bucket sums up. Needed only after the largest one has shrunk.
void Exposure::find_largest(std::uint32_t id) {
  BucketRecord& bucket = state_.buckets.write(id);
  const NodeRecord& node = state_.catalog.nodes[bucket.node];
  bucket.largest_value = 0;
  const std::uint32_t holder = aggregates_firm(node.kind) ? 0 : bucket.node;
  for (std::uint32_t p = state_.catalog.nodes[holder].first_position; p != kNoId; p = state_.positions[p].next_of_node) {
    const PositionRecord& position = state_.positions[p];
    const InstrumentRecord& instrument = state_.catalog.instruments[position.instrument];
    if (instrument.currency != bucket.currency) continue;
    if (node.kind == NodeKind::kInstrument && instrument.node != bucket.node) continue;
    if (node.kind == NodeKind::kUnderlying && instrument.underlying_node != bucket.node) continue;
    if (node.kind == NodeKind::kSector && instrument.sector_node != bucket.node) continue;
    if (bucket.largest != kNoId && absolute(position.value) <= bucket.largest_value) continue;
    bucket.largest = p;
    bucket.largest_value = absolute(position.value);
  }
}

void Exposure::count_trade(std::span<const std::uint32_t> nodes, const Tally& tally) {
  for (const std::uint32_t id : nodes) {
    if (id == kNoId) continue;
    count(id, state_.catalog.nodes.write(id), tally);
    touch(id);
  }
}

inline void Exposure::count(std::uint32_t id, NodeRecord& node, const Tally& tally) {
  if (node.rate_sum == 0) rated_.push_back(id);
  ++node.rate_slots[tally.slot];
  ++node.rate_sum;
  if (tally.size > node.largest_trade) node.largest_trade = tally.size;
}

void Exposure::pass_time(Nanos from, Nanos to) {
  const std::int64_t first = second_of(from) + 1, last = second_of(to);
  if (rated_.empty() || first > last) return;
  const std::int64_t seconds = std::min<std::int64_t>(last - first + 1, limits::kTradeRateSeconds);
  for (const std::uint32_t id : rated_) {
    const NodeRecord& seen = state_.catalog.nodes[id];
    std::uint32_t leaving = 0;
    for (std::int64_t s = 0; s < seconds; ++s) leaving += seen.rate_slots[slot_of(first + s)];
    if (leaving == 0) continue;
    NodeRecord& node = state_.catalog.nodes.write(id);
    for (std::int64_t s = 0; s < seconds; ++s) node.rate_slots[slot_of(first + s)] = 0;
    node.rate_sum -= leaving;
    touch(id);
  }
  std::erase_if(rated_, [this](std::uint32_t id) { return state_.catalog.nodes[id].rate_sum == 0; });
}

Nanos Exposure::rate_deadline(Nanos now) const {
  if (rated_.empty()) return std::numeric_limits<Nanos>::max();
  return (second_of(now) + 1) * kSecond;
}

void Exposure::clear_touched() {
  ++round_;
  touched_.clear();
}

}  // namespace halocline
