#include "engine/effective.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/civil_time.h"
#include "base/pair_map.h"
#include "engine/risk/exposure.h"
#include "engine/state/changes.h"
#include "engine/state/state.h"
#include "engine/state/trade_effect.h"

namespace halocline {
namespace {

// A node of which nothing was known: no positions, no past.
NodeRecord without_past(const NodeRecord& known) {
  NodeRecord node{};
  node.kind = known.kind;
  node.parent = known.parent;
  node.of = known.of;
  node.name = known.name;
  node.first_bucket = node.first_position = kNoId;
  return node;
}

InstrumentRecord without_mark(const InstrumentRecord& known) {
  InstrumentRecord instrument = known;
  instrument.mark_source = MarkSource::kNone;
  instrument.stale = false;
  instrument.mark = instrument.mark_time = instrument.price_time = 0;
  return instrument;
}

// Names and what never changes once it is used are those known; all else is as it was then, of what there was then.
Catalog reference_of(const Catalog& then, const Catalog& known) {
  Catalog catalog = known;
  catalog.end_of_day = then.end_of_day;
  catalog.nodes = then.nodes;
  for (std::uint32_t id = 0; id < then.nodes.size(); ++id) {
    const Text now = known.nodes[id].name;
    if (now.offset != then.nodes[id].name.offset) catalog.nodes.write(id).name = now;
  }
  for (auto id = then.nodes.size(); id < known.nodes.size(); ++id) catalog.nodes.push_back(without_past(known.nodes[id]));
  catalog.currencies = then.currencies;
  for (auto id = then.currencies.size(); id < known.currencies.size(); ++id) catalog.currencies.push_back(known.currencies[id]);
  catalog.instruments = then.instruments;
  for (std::uint32_t id = 0; id < then.instruments.size(); ++id) {
    const InstrumentRecord& now = known.instruments[id];
    InstrumentRecord& instrument = catalog.instruments.write(id);
    instrument.symbol = now.symbol;
    instrument.kind = now.kind, instrument.currency = now.currency, instrument.multiplier = now.multiplier;
  }
  for (auto id = then.instruments.size(); id < known.instruments.size(); ++id) {
    catalog.instruments.push_back(without_mark(known.instruments[id]));
  }
  return catalog;
}

bool same_effect(const TradeRecord& a, const TradeRecord& b) {
  return a.book == b.book && a.trader == b.trader && a.counterparty == b.counterparty && a.instrument == b.instrument && a.side == b.side &&
         a.quantity == b.quantity && a.price == b.price && a.fees == b.fees;
}

class EffectiveBooks {
 public:
  EffectiveBooks(const State& then, const State& known, Nanos time) : then_(then), known_(known), state_(then) {
    state_.seq = known.seq;
    state_.time = known.time;
    state_.catalog = reference_of(then.catalog, known.catalog);
    state_.trades = known.trades;
    state_.trade_index = known.trade_index;
    state_.sources = known.sources;
    state_.source_index = known.source_index;
    state_.trade_text = known.trade_text;
    state_.links = known.links;
    state_.link_index = known.link_index;
    state_.effective = Effective{time, then.seq};
    exposure_.resume();
  }

  Result<Snapshot> make() {
    compare_trades();
    for (const Leg& leg : legs_) {
      if (!exposure_.within_bound(leg.position, leg.quantity)) return beyond_bound(leg);
    }
    for (const Leg& leg : legs_) state_.positions.write(exposure_.change(leg)).forget_split();
    for (const std::uint32_t id : entering_) {
      const TradeRecord& trade = state_.trades[id];
      state_.add_entry(state_.positions.write(exposure_.find_position(trade.book, trade.instrument)), id);
    }
    for (const std::uint32_t node : exposure_.touched()) exposure_.look_at_peak(node);
    return std::make_shared<const State>(std::move(state_));
  }

 private:
  // Those that count in one of the two only, or otherwise. Chunks that the two share hold the same trades, of which those later than the
  // time go.
  void compare_trades() {
    static constexpr std::size_t kChunk = CowArray<TradeRecord>::kPerChunk;
    for (std::size_t c = 0; c < known_.trades.chunks(); ++c) {
      const std::span<const TradeRecord> now = known_.trades.chunk(c);
      const std::span<const TradeRecord> was = c < then_.trades.chunks() ? then_.trades.chunk(c) : std::span<const TradeRecord>();
      for (std::size_t i = 0; i < now.size(); ++i) {
        const bool counted = i < was.size() && was[i].status == TradeStatus::kLive, counts = state_.effective->holds(now[i]);
        if (counted && counts && (&was[i] == &now[i] || same_effect(was[i], now[i]))) continue;
        if (counted) add(was[i], -1);
        if (!counts) continue;
        if (!counted || was[i].book != now[i].book || was[i].instrument != now[i].instrument) {
          entering_.push_back(static_cast<std::uint32_t>(c * kChunk + i));
        }
        mark_first(now[i]);
        add(now[i], 1);
      }
    }
  }

  // As TradeBook does: an instrument without mark takes its first trade's price.
  void mark_first(const TradeRecord& trade) {
    if (state_.catalog.instruments[trade.instrument].mark_source != MarkSource::kNone) return;
    InstrumentRecord& instrument = state_.catalog.instruments.write(trade.instrument);
    instrument.mark_source = MarkSource::kTrade;
    instrument.mark = trade.price;
    instrument.mark_time = trade.trade_time;
  }

  void add(const TradeRecord& trade, int sign) {
    state_.live_trades += static_cast<std::uint64_t>(sign);
    const TradeEffect effect = effect_of(state_, trade);
    for (const std::uint32_t node : holders_of(state_, effect.book, effect.trader, effect.counterparty)) {
      std::uint32_t at = leg_of_.find(node, effect.instrument);
      if (at == PairMap::kNone) {
        at = static_cast<std::uint32_t>(legs_.size());
        leg_of_.insert(node, effect.instrument, at);
        legs_.push_back({node, effect.instrument, exposure_.find_position(node, effect.instrument)});
      }
      Leg& leg = legs_[at];
      leg.quantity += sign * effect.quantity;
      leg.cash += sign * effect.cash;
      leg.count += sign;
    }
  }

  Status beyond_bound(const Leg& leg) const {
    return Status(Code::kOutOfRange, "effective at " + instant_text(state_.effective->time) + " " +
                                         std::string(state_.catalog.name_of(leg.node)) + " would hold more of " +
                                         std::string(state_.catalog.text[state_.catalog.instruments[leg.instrument].symbol]) +
                                         " than a position may: trades that kept it within its bound are of later times");
  }

  const State& then_;
  const State& known_;
  State state_;
  Changes changes_;
  Exposure exposure_{state_, changes_};
  PairMap leg_of_;
  std::vector<Leg> legs_;
  std::vector<std::uint32_t> entering_;  // trades that were in no list of their book's position
};

}  // namespace

Result<Snapshot> effective_books(const State& then, const State& known, Nanos time) { return EffectiveBooks(then, known, time).make(); }

}  // namespace halocline
