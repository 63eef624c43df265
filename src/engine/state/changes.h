// What a command changed, row by row, for those who keep something up to date from it (engine/queries/live_queries.h). The parts of the
// engine note it while `wanted`; nobody notes anything when nobody wants it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/state/state.h"

namespace halocline {

struct Changes {
  struct ChangedTrade {
    std::uint32_t trade;
    std::uint32_t before;  // where in trades_before; kNoId: there was no such trade
  };

  int wanted = 0;  // by how many
  // Called before a trade that is known changes: for those who have yet to look at how it came (LiveQueries::gather_new_trades).
  std::function<void()> before_trade_changes;

  // Ids in the state, in no order, some more than once.
  std::vector<std::uint32_t> positions, nodes, limits, alerts, instruments, currencies, queries;
  std::vector<std::uint32_t> new_nodes;  // are in `nodes` too
  std::vector<std::uint32_t> revalued;  // positions by a mark alone: what they hold is the same
  std::vector<std::uint32_t> priced;    // instruments whose mark or its staleness changed
  // In the order in which they changed: of a trade that changed more than once the first says how it was before the command.
  std::vector<ChangedTrade> trades;
  std::vector<TradeRecord> trades_before;
  bool reshaped = false;  // a name or what belongs to what: any row may read differently
  std::shared_ptr<const State> before;  // the books before the command, when it may reshape them

  void note_new_trade(std::uint32_t trade) { trades.push_back({trade, kNoId}); }
  // Before it changes.
  void note_trade(std::uint32_t trade, const TradeRecord& was) {
    if (before_trade_changes) before_trade_changes();
    if (wanted == 0) return;  // the last who wanted it ended there
    trades.push_back({trade, static_cast<std::uint32_t>(trades_before.size())});
    trades_before.push_back(was);
  }

  bool empty() const {
    return trades.empty() && positions.empty() && nodes.empty() && limits.empty() && alerts.empty() && instruments.empty() &&
           currencies.empty() && queries.empty() && revalued.empty() && priced.empty() && !reshaped;
  }
  void clear() {
    for (auto* rows : {&positions, &nodes, &new_nodes, &limits, &alerts, &instruments, &currencies, &queries, &revalued, &priced}) {
      rows->clear();
    }
    trades.clear();
    trades_before.clear();
    reshaped = false;
    before.reset();
  }
};

}  // namespace halocline
