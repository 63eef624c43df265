// The step from a query's syntax to its plan. Others go through plan.h.
#pragma once

#include <string_view>

#include "engine/queries/plan.h"
#include "engine/queries/syntax.h"

namespace halocline::queries {

// Of the statement's SELECT; kInvalidArgument with line, column and caret.
Result<Plan> bind_select(std::string_view sql, const Statement& statement, const QueryParameters& parameters);

}  // namespace halocline::queries
