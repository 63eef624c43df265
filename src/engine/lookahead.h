// Applies a run of commands in order while the memory that the trades among them will need is fetched ahead: first the index and
// the names, some places later the positions and nodes, then the sums above them, so that several misses are under way at any time.
// No allocation. Changes nothing in what is applied. The thread that owns the engine.
//
//   apply_ahead(engine, count,
//               [&](std::size_t i) { return trade i of the run, or nullptr for another command; called once for each i, in order },
//               [&](std::size_t i, const TradeHint& hint) { engine.apply(seq + i, time, trade, hint, events); });
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/engine.h"

namespace halocline {

inline constexpr std::size_t kLookAhead = 4;  // how far at most trade_at() is ahead of what is applied
inline constexpr std::size_t kFetchAhead = 3;
inline constexpr std::size_t kSumsAhead = 2;

template <class TradeAt, class Apply>
void apply_ahead(Engine& engine, std::size_t count, TradeAt trade_at, Apply apply) {
  std::array<TradeHint, kLookAhead> hints;
  std::size_t looked = 0, fetched = 0, summed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (; looked < count && looked < i + kLookAhead; ++looked) {
      const Trade* trade = trade_at(looked);
      TradeHint& hint = hints[looked % kLookAhead];
      hint = trade != nullptr ? engine.look_up(*trade) : TradeHint{};
    }
    for (; fetched < count && fetched < i + kFetchAhead; ++fetched) engine.fetch(hints[fetched % kLookAhead]);
    for (; summed < count && summed < i + kSumsAhead; ++summed) engine.fetch_sums(hints[summed % kLookAhead]);
    apply(i, hints[i % kLookAhead]);
  }
}

}  // namespace halocline
