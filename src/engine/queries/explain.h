// What EXPLAIN says: the steps of a plan in their order; how a change finds the query when it is watched, what is then kept and what
// is shared with others; what there is to read.
#pragma once

#include <string>
#include <vector>

#include "engine/queries/plan.h"

namespace halocline::queries {

// The parts of a query as a person would write them; empty where there are none.
struct PlanTexts {
  std::string join, where, group_by, having;
  bool distinct = false;
};

std::vector<std::string> explain(const Plan& plan, const PlanTexts& texts);

// How many rows of a source are read to answer it now, and how many of them, by a sample of them, meet the conditions on it alone.
std::string cost_of_reading(const Plan& plan, std::size_t side, const State& state);

}  // namespace halocline::queries
