// Which trades differ between two snapshots of the books. Costs what changed: memory the two share is not looked at.
#pragma once

#include "command/trade_change.h"
#include "engine/engine.h"

namespace halocline::views {

// Visits the trades of `now` that are not the same in `before`, an earlier snapshot of the same engine, in the order of their
// number; all of them without one. Names are those of `now`; a name that changed changes no trade.
void changed_trades(const State& now, const State* before, const TradeVisitor& visit);

}  // namespace halocline::views
