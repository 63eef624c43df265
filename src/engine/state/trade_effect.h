// What a live trade does to the positions of its nodes.
#pragma once

#include <array>
#include <cstdint>

#include "base/limits.h"
#include "engine/state/state.h"

namespace halocline {

// A trade's FIRM, DESK, BOOK, TRADER and COUNTERPARTY, or its positions there.
using Holders = std::array<std::uint32_t, 5>;

struct TradeEffect {
  std::uint32_t book;
  std::uint32_t trader;
  std::uint32_t counterparty;
  std::uint32_t instrument;
  Int128 quantity;  // signed
  Money notional;   // signed
  Money cash;       // -notional - fees
};

inline TradeEffect effect_of(const State& state, const TradeRecord& trade) {
  const int sign = trade.side == Side::kBuy ? 1 : -1;
  const Money notional =
      sign * value_of(trade.quantity, trade.price, state.catalog.instruments[trade.instrument].multiplier);
  return {trade.book, trade.trader, trade.counterparty, trade.instrument, sign * static_cast<Int128>(trade.quantity), notional,
          -notional - trade.fees};
}

inline Holders holders_of(const State& state, std::uint32_t book, std::uint32_t trader, std::uint32_t counterparty) {
  return {0, state.catalog.nodes[book].parent, book, trader, counterparty};
}

// Bounds of a price, alone and times the contract's multiplier.
inline bool price_in_range(std::int64_t price, std::int64_t multiplier) {
  if (price > limits::kMaxPrice || price < -limits::kMaxPrice) return false;
  const Int128 product = static_cast<Int128>(price) * multiplier;
  return product <= limits::kMaxPriceTimesMultiplier && -product <= limits::kMaxPriceTimesMultiplier;
}

}  // namespace halocline
