#include "engine/state/trade_book.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hash.h"
#include "engine/risk/average_cost.h"
#include "engine/state/trade_effect.h"

namespace halocline {
namespace {

// The changes of positions by one command: at most five out and five in, merged where they meet.
class Legs {
 public:
  void add(const State& state, const Exposure& exposure, const TradeEffect& effect, int sign) {
    const std::uint32_t nodes[] = {0, state.catalog.nodes[effect.book].parent, effect.book, effect.trader, effect.counterparty};
    // Five look-ups that miss the cache at the same time, not one after the other.
    for (const std::uint32_t node : nodes) exposure.prefetch_position(node, effect.instrument);
    const std::size_t before = size_;
    for (const std::uint32_t node : nodes) {
      Leg& leg = at(before, node, effect.instrument);
      if (&leg == &legs_[size_ - 1] && leg.count == 0) {
        leg.position = exposure.find_position(node, effect.instrument);
        if (leg.position != kNoId) state.positions.prefetch(leg.position);
      }
      leg.quantity += sign * effect.quantity;
      leg.cash += sign * effect.cash;
      leg.count += sign;
    }
  }

  std::span<const Leg> all() const { return {legs_.data(), size_}; }

 private:
  // The leg among the first `known` for this position, else a new one.
  Leg& at(std::size_t known, std::uint32_t node, std::uint32_t instrument) {
    for (std::size_t i = 0; i < known; ++i) {
      if (legs_[i].node == node && legs_[i].instrument == instrument) return legs_[i];
    }
    legs_[size_].node = node;
    legs_[size_].instrument = instrument;
    return legs_[size_++];
  }

  std::array<Leg, 10> legs_{};
  std::size_t size_ = 0;
};

// A position that changed otherwise than by its newest trade: its split has to be folded anew by who reads it.
void forget_split(PositionRecord& position) {
  position.cost = position.realised = 0;
  position.split_known = position.count == 0;  // of no trades it is zero
}

}  // namespace

std::uint64_t TradeBook::content_of(const Trade& trade) {
  std::uint64_t h = hash_ids(static_cast<std::uint64_t>(trade.action), 0);
  if (trade.action == Action::kCancel) return h;
  for (const std::string_view text : {trade.book, trade.trader, trade.counterparty, trade.instrument}) h = hash_bytes(text, h);
  h = hash_mix(h ^ static_cast<std::uint64_t>(trade.quantity), 0xe7037ed1a0b428dbull ^ static_cast<std::uint64_t>(trade.price));
  h = hash_mix(h ^ static_cast<std::uint64_t>(trade.fees), 0x8ebc6af09c88c6e3ull ^ static_cast<std::uint64_t>(trade.trade_time));
  return hash_mix(h ^ static_cast<std::uint64_t>(trade.side), 0x589965cc75374cc3ull);
}

Applied TradeBook::apply(Seq seq, Nanos time, const Trade& trade, std::uint32_t& record) {
  record = kNoId;
  if (!valid_name(trade.source, limits::kMaxSource) || !valid_name(trade.trade_id, limits::kMaxTradeId)) {
    return {Outcome::kInvalidName};
  }
  if (trade.version == 0) return {Outcome::kInvalidVersion};
  if (trade.action < Action::kNew || trade.action > Action::kCancel) return {Outcome::kInvalidAction};

  record = state_.find_trade(trade.source, trade.trade_id);
  const std::uint64_t content = content_of(trade);
  if (record != kNoId) {
    const TradeRecord& known = state_.trades[record];
    if (trade.version < known.version) return {Outcome::kStale};
    if (trade.version == known.version) {
      const bool same = content == known.content || means_the_same(trade, known);
      return same ? Applied{Outcome::kDuplicate, known.version_seq} : Applied{Outcome::kConflict};
    }
  }
  if (trade.action == Action::kCancel) return {accept_cancel(seq, time, trade, content, record)};
  return {accept_live(seq, time, trade, content, record)};
}

void TradeBook::prefetch(const Trade& trade) const {
  state_.trade_index.prefetch(State::trade_hash(trade.source, trade.trade_id));
}

// Whether a version sent again names the same things by other names than it was first sent with.
bool TradeBook::means_the_same(const Trade& trade, const TradeRecord& known) {
  if (trade.action == Action::kCancel || known.status != TradeStatus::kLive || trade.action != known.action) return false;
  Resolved names{};
  return resolve(trade, names) == Outcome::kAccepted && names.book == known.book && names.trader == known.trader &&
         names.counterparty == known.counterparty && names.instrument == known.instrument && trade.side == known.side &&
         trade.quantity == known.quantity && trade.price == known.price && trade.fees == known.fees &&
         trade.trade_time == known.trade_time;
}

Outcome TradeBook::resolve(const Trade& trade, Resolved& out) {
  const Catalog& catalog = state_.catalog;
  if ((out.book = names_.find(NodeKind::kBook, trade.book)) == kNoId) return Outcome::kUnknownBook;
  if ((out.trader = names_.find(NodeKind::kTrader, trade.trader)) == kNoId) return Outcome::kUnknownTrader;
  out.counterparty = names_.find(NodeKind::kCounterparty, trade.counterparty);
  if (out.counterparty == kNoId) return Outcome::kUnknownCounterparty;
  const std::uint32_t instrument_node = names_.find(NodeKind::kInstrument, trade.instrument);
  if (instrument_node == kNoId) return Outcome::kUnknownInstrument;
  out.instrument = catalog.nodes[instrument_node].of;
  if (trade.side != Side::kBuy && trade.side != Side::kSell) return Outcome::kInvalidSide;
  if (trade.quantity <= 0) return Outcome::kInvalidQuantity;
  const InstrumentRecord& instrument = catalog.instruments[out.instrument];
  if (trade.price <= 0 && instrument.kind != InstrumentKind::kFuture) return Outcome::kInvalidPrice;
  if (trade.quantity > limits::kMaxQuantity || !price_in_range(trade.price, instrument.multiplier) ||
      trade.fees > limits::kMaxFees || trade.fees < -limits::kMaxFees) {
    return Outcome::kOutOfRange;
  }
  out.notional = value_of(trade.quantity, trade.price, instrument.multiplier);
  if (out.notional > limits::kMaxNotional || out.notional < -limits::kMaxNotional) return Outcome::kOutOfRange;
  return Outcome::kAccepted;
}

Outcome TradeBook::accept_live(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, std::uint32_t& record) {
  Resolved names{};
  const Outcome resolved = resolve(trade, names);
  if (resolved != Outcome::kAccepted) return resolved;

  const int sign = trade.side == Side::kBuy ? 1 : -1;
  const TradeEffect effect{names.book, names.trader, names.counterparty, names.instrument, sign * static_cast<Int128>(trade.quantity),
                           sign * names.notional, -sign * names.notional - trade.fees};
  Legs legs;
  const bool known = record != kNoId;
  const bool was_live = known && state_.trades[record].status == TradeStatus::kLive;
  if (was_live) legs.add(state_, exposure_, effect_of(state_, state_.trades[record]), -1);
  legs.add(state_, exposure_, effect, 1);
  for (const Leg& leg : legs.all()) {
    if (!exposure_.within_bound(leg)) return Outcome::kOutOfRange;
  }
  if (!known && !can_create(trade)) return Outcome::kTooMany;

  if (was_live) unlink(record);
  if (!known) record = create(seq, trade);
  TradeRecord& stored = state_.trades.write(record);
  stored.status = TradeStatus::kLive;
  stored.action = trade.action;
  stored.version = trade.version;
  stored.version_seq = seq;
  stored.content = content;
  stored.book = names.book;
  stored.trader = names.trader;
  stored.counterparty = names.counterparty;
  stored.instrument = names.instrument;
  stored.side = trade.side;
  stored.quantity = trade.quantity;
  stored.price = trade.price;
  stored.fees = trade.fees;
  stored.trade_time = trade.trade_time;
  if (!was_live) ++state_.live_trades;

  if (state_.catalog.instruments[names.instrument].mark_source == MarkSource::kNone) {
    InstrumentRecord& instrument = state_.catalog.instruments.write(names.instrument);
    instrument.mark_source = MarkSource::kTrade;
    instrument.mark = trade.price;
    instrument.mark_time = time;
  }
  for (const Leg& leg : legs.all()) {
    const std::uint32_t id = exposure_.change(leg);
    PositionRecord& position = state_.positions.write(id);
    if (known || !position.split_known) {
      forget_split(position);
    } else {
      // The newest trade of all is the last to fold.
      AverageCost split{position.quantity - leg.quantity, position.cost, position.realised};
      split.fold(effect.quantity, effect.notional, trade.fees);
      position.cost = split.cost;
      position.realised = split.realised;
    }
    if (leg.node == names.book && leg.instrument == names.instrument) link(record, id);
  }
  const std::int64_t rate = state_.catalog.currencies[state_.catalog.instruments[names.instrument].currency].rate;
  count_at_nodes(names.book, names.trader, names.counterparty, names.instrument, time, mul_scale(names.notional, rate));
  return Outcome::kAccepted;
}

Outcome TradeBook::accept_cancel(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, std::uint32_t& record) {
  if (record == kNoId) {
    if (!can_create(trade)) return Outcome::kTooMany;
    record = create(seq, trade);
    TradeRecord& tombstone = state_.trades.write(record);
    tombstone.version = trade.version;
    tombstone.version_seq = seq;
    tombstone.content = content;
    return Outcome::kTombstone;
  }
  if (state_.trades[record].status == TradeStatus::kLive) {
    const TradeRecord live = state_.trades[record];
    Legs legs;
    legs.add(state_, exposure_, effect_of(state_, live), -1);
    for (const Leg& leg : legs.all()) {
      if (!exposure_.within_bound(leg)) return Outcome::kOutOfRange;
    }
    unlink(record);
    for (const Leg& leg : legs.all()) forget_split(state_.positions.write(exposure_.change(leg)));
    --state_.live_trades;
    count_at_nodes(live.book, live.trader, live.counterparty, live.instrument, time, 0);
  }
  TradeRecord& stored = state_.trades.write(record);
  stored.status = TradeStatus::kCancelled;
  stored.version = trade.version;
  stored.version_seq = seq;
  stored.content = content;
  return Outcome::kAccepted;
}

bool TradeBook::can_create(const Trade& trade) const {
  return state_.trades.size() < limits::kMaxTrades && state_.trade_text.has_room(trade.trade_id.size() + trade.source.size()) &&
         (state_.sources.size() < limits::kMaxSources ||
          state_.source_index.find(hash_bytes(trade.source), [&](std::uint32_t id) {
            return state_.trade_text[state_.sources[id]] == trade.source;
          }) != kNoId);
}

std::uint32_t TradeBook::create(Seq seq, const Trade& trade) {
  const std::uint64_t source_hash = hash_bytes(trade.source);
  std::uint32_t source = state_.source_index.find(source_hash, [&](std::uint32_t id) {
    return state_.trade_text[state_.sources[id]] == trade.source;
  });
  if (source == kNoId) {
    source = static_cast<std::uint32_t>(state_.sources.size());
    state_.sources.push_back(state_.trade_text.add(trade.source));
    state_.source_index.insert(source_hash, source);
  }
  TradeRecord record{};
  record.status = TradeStatus::kCancelled;
  record.source = static_cast<std::uint16_t>(source);
  set_id(record, trade.trade_id);
  record.book = record.trader = record.counterparty = record.instrument = kNoId;
  record.next = record.previous = kNoId;
  record.seq = seq;
  const auto id = static_cast<std::uint32_t>(state_.trades.size());
  state_.trades.push_back(record);
  state_.trade_index.insert(State::trade_hash(trade.source, trade.trade_id), id);
  return id;
}

void TradeBook::set_id(TradeRecord& record, std::string_view id) {
  record.id_length = static_cast<std::uint8_t>(id.size());
  if (id.size() <= sizeof record.id) {
    std::memcpy(record.id, id.data(), id.size());
  } else {
    const Text text = state_.trade_text.add(id);
    std::memcpy(record.id, &text.offset, sizeof text.offset);
  }
}

void TradeBook::forget_key(std::uint32_t trade) {
  const TradeRecord& record = state_.trades[trade];
  state_.trade_index.erase(State::trade_hash(state_.source_of(record), state_.trade_id_of(record)), trade);
}

Outcome TradeBook::rename(std::uint32_t trade, std::string_view id, std::uint32_t versions) {
  if (!state_.trade_text.has_room(id.size())) return Outcome::kTooMany;
  forget_key(trade);
  TradeRecord& record = state_.trades.write(trade);
  set_id(record, id);
  record.version += versions;
  state_.trade_index.insert(State::trade_hash(state_.source_of(record), id), trade);
  return Outcome::kAccepted;
}

Outcome TradeBook::merge(std::uint32_t into, std::uint32_t from, std::uint32_t version) {
  const TradeRecord kept = state_.trades[into], gone = state_.trades[from];
  const bool newer = version > kept.version;
  const TradeRecord& loser = newer ? kept : gone;
  if (loser.status == TradeStatus::kLive) {
    Legs legs;
    legs.add(state_, exposure_, effect_of(state_, loser), -1);
    for (const Leg& leg : legs.all()) {
      if (!exposure_.within_bound(leg)) return Outcome::kOutOfRange;
    }
    unlink(newer ? into : from);
    for (const Leg& leg : legs.all()) forget_split(state_.positions.write(exposure_.change(leg)));
    --state_.live_trades;
  }
  if (newer && gone.status == TradeStatus::kLive) {
    // The content moves to another place in the order of trades: sums stay, splits do not.
    unlink(from);
    const std::uint32_t nodes[] = {0, state_.catalog.nodes[gone.book].parent, gone.book, gone.trader, gone.counterparty};
    for (const std::uint32_t node : nodes) forget_split(state_.positions.write(exposure_.find_position(node, gone.instrument)));
  }
  TradeRecord& record = state_.trades.write(into);
  if (newer) {
    if (gone.status == TradeStatus::kLive) {
      record.action = gone.action;
      record.book = gone.book, record.trader = gone.trader, record.counterparty = gone.counterparty, record.instrument = gone.instrument;
      record.side = gone.side, record.quantity = gone.quantity, record.price = gone.price, record.fees = gone.fees;
      record.trade_time = gone.trade_time;
    }
    record.status = gone.status;
    record.version = version, record.version_seq = gone.version_seq, record.content = gone.content;
    if (gone.status == TradeStatus::kLive) link(into, exposure_.find_position(gone.book, gone.instrument));
  }
  forget_key(from);
  TradeRecord& merged = state_.trades.write(from);
  merged.status = TradeStatus::kMerged;
  merged.book = merged.trader = merged.counterparty = merged.instrument = kNoId;
  merged.side = Side{};
  merged.quantity = merged.price = merged.fees = merged.trade_time = 0;
  return Outcome::kAccepted;
}

void TradeBook::link(std::uint32_t id, std::uint32_t book_position) {
  PositionRecord& position = state_.positions.write(book_position);
  TradeRecord& trade = state_.trades.write(id);
  trade.previous = kNoId;
  trade.next = position.first_trade;
  position.first_trade = id;
  if (trade.next != kNoId) state_.trades.write(trade.next).previous = id;
}

void TradeBook::unlink(std::uint32_t id) {
  const TradeRecord trade = state_.trades[id];
  if (trade.next != kNoId) state_.trades.write(trade.next).previous = trade.previous;
  if (trade.previous != kNoId) {
    state_.trades.write(trade.previous).next = trade.next;
  } else {
    state_.positions.write(exposure_.find_position(trade.book, trade.instrument)).first_trade = trade.next;
  }
}

void TradeBook::count_at_nodes(std::uint32_t book, std::uint32_t trader, std::uint32_t counterparty, std::uint32_t instrument_id,
                               Nanos time, Money largest) {
  const InstrumentRecord& instrument = state_.catalog.instruments[instrument_id];
  const std::uint32_t nodes[] = {0, state_.catalog.nodes[book].parent, book, trader, counterparty, instrument.node,
                                 instrument.underlying_node, instrument.sector_node,
                                 state_.catalog.currencies[instrument.currency].node};
  exposure_.count_trade(nodes, time, largest);
}

bool TradeBook::move_book(std::uint32_t book, std::uint32_t from_desk, std::uint32_t to_desk) {
  std::vector<Leg> legs;
  for (std::uint32_t p = state_.catalog.nodes[book].first_position; p != kNoId; p = state_.positions[p].next_of_node) {
    const PositionRecord& held = state_.positions[p];
    if (held.count == 0) continue;
    const auto count = static_cast<std::int32_t>(held.count);
    legs.push_back({from_desk, held.instrument, exposure_.find_position(from_desk, held.instrument), -held.quantity, -held.cash, -count});
    legs.push_back({to_desk, held.instrument, exposure_.find_position(to_desk, held.instrument), held.quantity, held.cash, count});
  }
  for (const Leg& leg : legs) {
    if (!exposure_.within_bound(leg)) return false;
  }
  for (const Leg& leg : legs) forget_split(state_.positions.write(exposure_.change(leg)));
  const Money day_base = state_.catalog.nodes[book].day_base;
  state_.catalog.nodes.write(from_desk).day_base -= day_base;
  state_.catalog.nodes.write(to_desk).day_base += day_base;
  exposure_.touch(from_desk);
  exposure_.touch(to_desk);
  return true;
}

}  // namespace halocline
