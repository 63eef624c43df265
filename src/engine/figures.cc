#include "engine/figures.h"

#include <algorithm>

#include "engine/state/trade_effect.h"

namespace halocline {

AverageCost Splits::of(const PositionRecord& position) {
  if (position.split_known) return {position.quantity, position.cost};
  std::vector<std::uint32_t> trades;
  for (const std::uint32_t id : book_positions_of(position.instrument)) gather(position.node, state_.positions[id], trades);
  std::sort(trades.begin(), trades.end());  // ids are in the order of their first seq
  trades.erase(std::unique(trades.begin(), trades.end()), trades.end());
  AverageCost split;
  for (const std::uint32_t id : trades) {
    const TradeEffect effect = effect_of(state_, state_.trades[id]);
    split.fold(effect.quantity, effect.notional);
  }
  return split;
}

const std::vector<std::uint32_t>& Splits::book_positions_of(std::uint32_t instrument) {
  if (by_instrument_.empty()) {
    by_instrument_.resize(state_.catalog.instruments.size());
    for (std::uint32_t id = 0; id < state_.positions.size(); ++id) {
      const PositionRecord& position = state_.positions[id];
      const bool of_book = state_.catalog.nodes[position.node].kind == NodeKind::kBook;
      if (of_book && position.first_entry != kNoId) by_instrument_[position.instrument].push_back(id);
    }
  }
  return by_instrument_[instrument];
}

void Splits::gather(std::uint32_t node, const PositionRecord& book_position, std::vector<std::uint32_t>& trades) const {
  const NodeKind kind = state_.catalog.nodes[node].kind;
  const std::uint32_t book = book_position.node;
  if (kind == NodeKind::kBook && book != node) return;
  if (kind == NodeKind::kDesk && state_.catalog.nodes[book].parent != node) return;
  for (std::uint32_t entry = book_position.first_entry; entry != kNoId; entry = state_.entries[entry].next) {
    const std::uint32_t id = state_.entries[entry].trade;
    const TradeRecord& trade = state_.trades[id];
    if (!state_.holds(book_position, trade)) continue;
    if (kind == NodeKind::kTrader && trade.trader != node) continue;
    if (kind == NodeKind::kCounterparty && trade.counterparty != node) continue;
    trades.push_back(id);
  }
}

Int128 concentration_of(const State& state, std::uint32_t id) {
  const Catalog& catalog = state.catalog;
  const NodeRecord& node = catalog.nodes[id];
  const Money gross = state.gross(id);
  if (gross == 0) return 0;
  Money largest = 0;
  const bool holds_positions = node.kind >= NodeKind::kFirm && node.kind <= NodeKind::kCounterparty;
  const std::uint32_t holder = holds_positions ? id : 0;
  for (std::uint32_t p = catalog.nodes[holder].first_position; p != kNoId; p = state.positions[p].next_of_node) {
    const PositionRecord& position = state.positions[p];
    const InstrumentRecord& instrument = catalog.instruments[position.instrument];
    if (node.kind == NodeKind::kInstrument && instrument.node != id) continue;
    if (node.kind == NodeKind::kUnderlying && instrument.underlying_node != id) continue;
    if (node.kind == NodeKind::kSector && instrument.sector_node != id) continue;
    if (node.kind == NodeKind::kCurrency && catalog.currencies[instrument.currency].node != id) continue;
    const Money size = position.value < 0 ? -position.value : position.value;
    largest = std::max(largest, mul_scale(size, catalog.currencies[instrument.currency].rate));
  }
  return mul_div(largest, halocline::limits::kScale, gross);
}

}  // namespace halocline
