// What a command changed, row by row, for those who keep something up to date from it (engine/queries/live_queries.h). The parts of the
// engine note it while `wanted`; nobody notes anything when nobody wants it.
#pragma once

#include <cstdint>
#include <vector>

namespace halocline {

struct Changes {
  int wanted = 0;  // by how many

  // Ids in the state, in no order, some more than once.
  std::vector<std::uint32_t> trades, positions, nodes, limits, alerts, instruments, currencies, queries;
  std::vector<std::uint32_t> revalued;  // positions by a mark alone: what they hold is the same
  std::vector<std::uint32_t> priced;    // instruments whose mark or its staleness changed
  bool reshaped = false;                // a name or what belongs to what: any row may read differently

  bool empty() const {
    return trades.empty() && positions.empty() && nodes.empty() && limits.empty() && alerts.empty() && instruments.empty() &&
           currencies.empty() && queries.empty() && revalued.empty() && priced.empty() && !reshaped;
  }
  void clear() {
    for (auto* rows : {&trades, &positions, &nodes, &limits, &alerts, &instruments, &currencies, &queries, &revalued, &priced}) {
      rows->clear();
    }
    reshaped = false;
  }
};

}  // namespace halocline
