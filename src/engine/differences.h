// What differs between two snapshots of the books. Costs what changed: memory the two share is not looked at.
#pragma once

#include "command/changes.h"
#include "engine/engine.h"

namespace halocline::views {

// Both visit what is not the same in `before`, an earlier snapshot of the same engine, or all there is without one. Names are those of
// `now`; a name that changed changes nothing.

// In the order of their numbers.
void changed_trades(const State& now, const State* before, const TradeVisitor& visit);
// Those that have a live trade, or had one before. A row may come that is as it was.
void changed_positions(const State& now, const State* before, const PositionVisitor& visit);

}  // namespace halocline::views
