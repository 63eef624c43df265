#include "engine/state/trade_book.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hash.h"

namespace halocline {
namespace {

// The changes of positions by one command: at most five out and five in, merged where they meet.
class Legs {
 public:
  void add(const State& state, const Exposure& exposure, const TradeEffect& effect, int sign) {
    const Holders nodes = holders_of(state, effect.book, effect.trader, effect.counterparty);
    // Five look-ups that miss the cache at the same time, not one after the other.
    exposure.prefetch_positions(nodes, effect.instrument);
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

}  // namespace

std::uint64_t TradeBook::content_of(const Trade& trade) {
  std::uint64_t h = hash_ids(static_cast<std::uint64_t>(trade.action), 0);
  if (trade.action == Action::kCancel) return h;
  for (const std::string_view text : {trade.book, trade.trader, trade.counterparty, trade.instrument}) h = hash_bytes(text, h);
  h = hash_mix(h ^ static_cast<std::uint64_t>(trade.quantity), 0xe7037ed1a0b428dbull ^ static_cast<std::uint64_t>(trade.price));
  h = hash_mix(h ^ static_cast<std::uint64_t>(trade.fees), 0x8ebc6af09c88c6e3ull ^ static_cast<std::uint64_t>(trade.trade_time));
  return hash_mix(h ^ static_cast<std::uint64_t>(trade.side), 0x589965cc75374cc3ull);
}

Applied TradeBook::apply(Seq seq, Nanos time, const Trade& trade, const TradeHint& hint, std::uint32_t& record) {
  record = kNoId;
  if (!valid_name(trade.source, limits::kMaxSource) || !valid_name(trade.trade_id, limits::kMaxTradeId)) {
    return {Outcome::kInvalidName};
  }
  if (trade.version == 0) return {Outcome::kInvalidVersion};
  if (trade.action < Action::kNew || trade.action > Action::kCancel) return {Outcome::kInvalidAction};

  record = state_.find_trade(trade.source, trade.trade_id, hint.key_hash);
  const std::uint64_t content = content_of(trade);
  if (record != kNoId) {
    const TradeRecord& known = state_.trades[record];
    if (trade.version < known.version) return {Outcome::kStale};
    if (trade.version == known.version) {
      const bool same = content == known.content || means_the_same(trade, hint, known);
      return same ? Applied{Outcome::kDuplicate, known.version_seq} : Applied{Outcome::kConflict};
    }
  }
  if (trade.action == Action::kCancel) return {accept_cancel(seq, time, trade, content, hint, record)};
  return {accept_live(seq, time, trade, content, hint, record)};
}

TradeHint TradeBook::look_up(const Trade& trade) {
  TradeHint hint;
  hint.key_hash = State::trade_hash(trade.source, trade.trade_id);
  state_.trade_index.prefetch(hint.key_hash);
  if (trade.action == Action::kCancel) return hint;
  find_names(trade, hint);
  if (names_missing(hint)) return hint;
  hint.nodes = holders(hint.book, hint.trader, hint.counterparty);
  exposure_.prefetch_positions(hint.nodes, hint.instrument);
  return hint;
}

void TradeBook::find_names(const Trade& trade, TradeHint& hint) {
  hint.names_version = state_.catalog.names_version();
  hint.book = names_.find(NodeKind::kBook, trade.book);
  hint.trader = names_.find(NodeKind::kTrader, trade.trader);
  hint.counterparty = names_.find(NodeKind::kCounterparty, trade.counterparty);
  const std::uint32_t node = names_.find(NodeKind::kInstrument, trade.instrument);
  hint.instrument = node == kNoId ? kNoId : state_.catalog.nodes[node].of;
}

void TradeBook::fetch(TradeHint& hint) const {
  if (names_missing(hint)) return;
  exposure_.prefetch_nodes(hint.nodes, hint.instrument);
  hint.positions = exposure_.find_positions(hint.nodes, hint.instrument);
  for (const std::uint32_t position : hint.positions) {
    if (position != kNoId) state_.positions.prefetch(position);
  }
}

void TradeBook::fetch_sums(const TradeHint& hint) const {
  if (!names_missing(hint)) exposure_.prefetch_buckets(hint.positions, hint.instrument);
}

// Whether a version sent again names the same things by other names than it was first sent with.
bool TradeBook::means_the_same(const Trade& trade, const TradeHint& hint, const TradeRecord& known) {
  if (trade.action == Action::kCancel || known.status != TradeStatus::kLive || trade.action != known.action) return false;
  Resolved names{};
  return resolve(trade, hint, names) == Outcome::kAccepted && names.book == known.book && names.trader == known.trader &&
         names.counterparty == known.counterparty && names.instrument == known.instrument && trade.side == known.side &&
         trade.quantity == known.quantity && trade.price == known.price && trade.fees == known.fees &&
         trade.trade_time == known.trade_time;
}

Outcome TradeBook::resolve(const Trade& trade, const TradeHint& looked_up, Resolved& out) {
  const Catalog& catalog = state_.catalog;
  TradeHint found = looked_up;
  if (found.names_version != catalog.names_version()) find_names(trade, found);
  if ((out.book = found.book) == kNoId) return Outcome::kUnknownBook;
  if ((out.trader = found.trader) == kNoId) return Outcome::kUnknownTrader;
  if ((out.counterparty = found.counterparty) == kNoId) return Outcome::kUnknownCounterparty;
  if ((out.instrument = found.instrument) == kNoId) return Outcome::kUnknownInstrument;
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

Outcome TradeBook::accept_live(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const TradeHint& hint,
                               std::uint32_t& record) {
  Resolved names{};
  const Outcome resolved = resolve(trade, hint, names);
  if (resolved != Outcome::kAccepted) return resolved;

  const int sign = trade.side == Side::kBuy ? 1 : -1;
  const TradeEffect effect{names.book, names.trader, names.counterparty, names.instrument, sign * static_cast<Int128>(trade.quantity),
                           sign * names.notional, -sign * names.notional - trade.fees};
  return record == kNoId ? accept_new(seq, time, trade, content, hint, names, effect, record)
                         : accept_amend(seq, time, trade, content, names, effect, record);
}

// A trade of an unknown key: nearly every one.
Outcome TradeBook::accept_new(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const TradeHint& hint,
                              const Resolved& names, const TradeEffect& effect, std::uint32_t& record) {
  const Holders nodes = holders(names.book, names.trader, names.counterparty);
  Holders positions = hint.positions;
  const bool same_instrument = names.instrument == hint.instrument;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool known = positions[i] != kNoId && nodes[i] == hint.nodes[i] && same_instrument;
    if (!known) positions[i] = exposure_.find_position(nodes[i], names.instrument);
    if (!exposure_.within_bound(positions[i], effect.quantity)) return Outcome::kOutOfRange;
  }
  if (!can_create(trade)) return Outcome::kTooMany;
  record = create(seq, trade, hint.key_hash);
  store(state_.trades.write(record), seq, trade, content, names);
  ++state_.live_trades;
  mark_first(names.instrument, time, trade.price);

  exposure_.add_trade(nodes, positions, effect, Tally(time, in_firm_currency(names)));
  enter(record, state_.positions.write(positions[2]));
  return Outcome::kAccepted;
}

// A later version of a known trade, or one that follows its cancellation.
Outcome TradeBook::accept_amend(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const Resolved& names,
                                const TradeEffect& effect, std::uint32_t record) {
  const TradeRecord before = state_.trades[record];
  const bool was_live = before.status == TradeStatus::kLive;
  Legs legs;
  if (was_live) legs.add(state_, exposure_, effect_of(state_, before), -1);
  legs.add(state_, exposure_, effect, 1);
  for (const Leg& leg : legs.all()) {
    if (!exposure_.within_bound(leg.position, leg.quantity)) return Outcome::kOutOfRange;
  }
  note(record);
  store(state_.trades.write(record), seq, trade, content, names);
  if (!was_live) ++state_.live_trades;
  mark_first(names.instrument, time, trade.price);
  for (const Leg& leg : legs.all()) {
    PositionRecord& position = state_.positions.write(exposure_.change(leg));
    position.forget_split();
    const bool stays = was_live && before.book == names.book && before.instrument == names.instrument;
    if (!stays && leg.node == names.book && leg.instrument == names.instrument) enter(record, position);
  }
  count_at_nodes(names.book, names.trader, names.counterparty, names.instrument, Tally(time, in_firm_currency(names)));
  return Outcome::kAccepted;
}

void TradeBook::store(TradeRecord& stored, Seq seq, const Trade& trade, std::uint64_t content, const Resolved& names) {
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
}

// An instrument without mark takes its first trade's price.
void TradeBook::mark_first(std::uint32_t id, Nanos time, std::int64_t price) {
  if (state_.catalog.instruments[id].mark_source != MarkSource::kNone) return;
  InstrumentRecord& instrument = state_.catalog.instruments.write(id);
  instrument.mark_source = MarkSource::kTrade;
  changes_.note(Changes::Of::kPriced, id);
  instrument.mark = price;
  instrument.mark_time = time;
}

Money TradeBook::in_firm_currency(const Resolved& names) const {
  const std::uint32_t currency = state_.catalog.instruments[names.instrument].currency;
  return mul_scale(names.notional, state_.catalog.currencies[currency].rate);
}

Outcome TradeBook::accept_cancel(Seq seq, Nanos time, const Trade& trade, std::uint64_t content, const TradeHint& hint,
                                 std::uint32_t& record) {
  if (record == kNoId) {
    if (!can_create(trade)) return Outcome::kTooMany;
    record = create(seq, trade, hint.key_hash);
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
      if (!exposure_.within_bound(leg.position, leg.quantity)) return Outcome::kOutOfRange;
    }
    for (const Leg& leg : legs.all()) state_.positions.write(exposure_.change(leg)).forget_split();
    --state_.live_trades;
    count_at_nodes(live.book, live.trader, live.counterparty, live.instrument, Tally(time, 0));
  }
  note(record);
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

std::uint32_t TradeBook::source_id(std::string_view source) {
  const auto is_it = [&](std::uint32_t id) { return state_.trade_text[state_.sources[id]] == source; };
  if (last_source_ != kNoId && is_it(last_source_)) return last_source_;
  const std::uint64_t hash = hash_bytes(source);
  last_source_ = state_.source_index.find(hash, is_it);
  if (last_source_ != kNoId) return last_source_;
  last_source_ = static_cast<std::uint32_t>(state_.sources.size());
  state_.sources.push_back(state_.trade_text.add(source));
  state_.source_index.insert(hash, last_source_);
  return last_source_;
}

std::uint32_t TradeBook::create(Seq seq, const Trade& trade, std::uint64_t key_hash) {
  const auto created = static_cast<std::uint32_t>(state_.trades.size());
  state_.trades.grow_to(created + 1);
  if (changes_.wanted) changes_.note_new_trade(created);
  TradeRecord& record = state_.trades.write(created);
  record.status = TradeStatus::kCancelled;
  record.source = static_cast<std::uint16_t>(source_id(trade.source));
  set_id(record, trade.trade_id);
  record.book = record.trader = record.counterparty = record.instrument = kNoId;
  record.seq = seq;
  state_.trade_index.insert(key_hash, created);
  return created;
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
  note(trade);
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
      if (!exposure_.within_bound(leg.position, leg.quantity)) return Outcome::kOutOfRange;
    }
    for (const Leg& leg : legs.all()) state_.positions.write(exposure_.change(leg)).forget_split();
    --state_.live_trades;
  }
  if (newer && gone.status == TradeStatus::kLive) {
    // The content moves to another place in the order of trades: sums stay, splits do not.
    for (const std::uint32_t node : holders(gone.book, gone.trader, gone.counterparty)) {
      state_.positions.write(exposure_.find_position(node, gone.instrument)).forget_split();
    }
  }
  note(into);
  note(from);
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
    if (gone.status == TradeStatus::kLive) enter(into, state_.positions.write(exposure_.find_position(gone.book, gone.instrument)));
  }
  forget_key(from);
  TradeRecord& merged = state_.trades.write(from);
  merged.status = TradeStatus::kMerged;
  merged.book = merged.trader = merged.counterparty = merged.instrument = kNoId;
  merged.side = Side{};
  merged.quantity = merged.price = merged.fees = merged.trade_time = 0;
  return Outcome::kAccepted;
}

// Adds the trade to the list of its book's position.
void TradeBook::enter(std::uint32_t trade, PositionRecord& position) {
  if (position.entries > 64 && position.entries / 2 > position.count) clean(position);
  state_.add_entry(position, trade);
}

// Takes the entries of trades that are not there any more, and doubles, out of a list of which they are the larger part.
void TradeBook::clean(PositionRecord& position) {
  std::vector<std::uint32_t> trades;
  std::uint32_t last = kNoId;
  for (std::uint32_t entry = position.first_entry; entry != kNoId; entry = state_.entries[entry].next) {
    const std::uint32_t trade = state_.entries[entry].trade;
    if (state_.holds(position, state_.trades[trade])) trades.push_back(trade);
    last = entry;
  }
  std::sort(trades.begin(), trades.end());
  trades.erase(std::unique(trades.begin(), trades.end()), trades.end());
  state_.entries.write(last).next = state_.free_entry;
  state_.free_entry = position.first_entry;
  position.first_entry = kNoId;
  position.entries = 0;
  for (const std::uint32_t trade : trades) state_.add_entry(position, trade);
}

void TradeBook::count_at_nodes(std::uint32_t book, std::uint32_t trader, std::uint32_t counterparty, std::uint32_t instrument_id,
                               const Tally& tally) {
  const InstrumentRecord& instrument = state_.catalog.instruments[instrument_id];
  const std::uint32_t nodes[] = {0, state_.catalog.nodes[book].parent, book, trader, counterparty, instrument.node,
                                 instrument.underlying_node, instrument.sector_node,
                                 state_.catalog.currencies[instrument.currency].node};
  exposure_.count_trade(nodes, tally);
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
    if (!exposure_.within_bound(leg.position, leg.quantity)) return false;
  }
  for (const Leg& leg : legs) state_.positions.write(exposure_.change(leg)).forget_split();
  exposure_.move_day_base(book, from_desk, to_desk);
  return true;
}

}  // namespace halocline
