// Expressions as a person would write them: what EXPLAIN shows.
#pragma once

#include <span>
#include <string>

#include "engine/queries/expression.h"

namespace halocline::queries {

struct ExpressionNames {
  std::span<const Table* const> sources;
  std::span<const std::string> aliases = {};  // of the sources, where columns are told apart by them
  std::span<const std::string> slots = {};    // what each slot of a group was written as
};

std::string expression_text(const Expression& expression, const ExpressionNames& names);

}  // namespace halocline::queries
