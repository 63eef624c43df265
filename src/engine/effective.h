// The books EFFECTIVE AT a time: what was done until then, as it is known later, with late trades and corrections. The rules are
// docs/semantics.md, "Effective at"; why they are so, docs/decisions/0013-effective-at.md.
//
//   Result<Snapshot> books = effective_books(*then, *known, time);   // read like any snapshot (engine/views.h, queries/run.h)
//
// Pure; any thread.
#pragma once

#include "base/status.h"
#include "engine/engine.h"

namespace halocline {

// `known`: the books whose trades count; their seq is the answer's. `then`: earlier ones of the same engine, or the same ones: those after
// the last command whose time is not after `time`, empty ones when there is none. They give prices, rates, and what belongs to what.
// The answer shares what it has of both; it is for reading, no engine goes on from it.
// Costs a look at each trade, and what there is of positions and of trades that count in only one of the two. kOutOfRange: a position
// would be beyond its bound, as some of the trades that kept it within are later than `time`.
Result<Snapshot> effective_books(const State& then, const State& known, Nanos time);

}  // namespace halocline
