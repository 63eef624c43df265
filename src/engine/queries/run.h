// Runs a prepared query over a snapshot: a one-off answer, exact at the snapshot's seq, with NOW() as its journal time. Pure;
// on any thread, beside the running engine. Costs: a look at each row of the first source, a hash probe for a join, a sort for ORDER BY.
//
// Rows come in the order of ORDER BY, ties and all else in the order of the source's rows (groups: of their keys), so an answer is
// the same every time. kResourceExhausted when a bound of base/limits.h is reached: says which, and what to do.
#pragma once

#include "base/status.h"
#include "command/query.h"
#include "engine/queries/plan.h"

namespace halocline::queries {

Result<QueryRows> run(const Plan& plan, const State& state);
// With another instant as NOW(), not before the state's: of an answer as of a time at which nothing happened.
Result<QueryRows> run(const Plan& plan, const State& state, Nanos now);

}  // namespace halocline::queries
