// Figures that the engine does not keep up to date but that are worked out for those who look: the split of a position's P&L after
// an amend or cancel, the concentration of a node. Pure functions of the state. docs/semantics.md, "Positions" and "Measures".
#pragma once

#include <cstdint>
#include <vector>

#include "engine/risk/average_cost.h"
#include "engine/state/state.h"

namespace halocline {

// Folds the trades of positions whose split the engine let go of: costs their number. Finds the book positions of each instrument once,
// so it is good for one state only.
class Splits {
 public:
  explicit Splits(const State& state) : state_(state) {}

  AverageCost of(const PositionRecord& position);

 private:
  const std::vector<std::uint32_t>& book_positions_of(std::uint32_t instrument);
  void gather(std::uint32_t node, const PositionRecord& book_position, std::vector<std::uint32_t>& trades) const;

  const State& state_;
  std::vector<std::vector<std::uint32_t>> by_instrument_;
};

// As Exposure::concentration, without its memory of the largest position: walks the node's positions.
Int128 concentration_of(const State& state, std::uint32_t node);

}  // namespace halocline
