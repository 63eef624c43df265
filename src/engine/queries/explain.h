// What EXPLAIN says: the steps of a plan in their order, and what it would cost to watch the query.
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

}  // namespace halocline::queries
