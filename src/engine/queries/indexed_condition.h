// What the conditions of a query say in a form that an index can use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/queries/expression.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

// What conditions say, when an index can use them.
struct IndexedCondition {
  enum class Kind : std::uint8_t { kPoints, kRange };
  Kind kind{};
  std::vector<std::uint32_t> columns;  // ascending; one for kRange
  std::vector<std::string> points;     // the columns' values packed one behind the other: one of these
  std::optional<std::uint32_t> range;  // kPoints: the column that must lie between low and high too
  Int128 low = 0, high = 0;            // both included
  std::string text = {};               // for EXPLAIN
  std::size_t conjuncts = 1;           // how many of the conditions it says in full
};

// Those among these that let through the fewest, as far as can be said without the rows: all equalities with the short lists and a range
// beside them; a closed range; an open one. Nothing when none can be indexed.
std::optional<IndexedCondition> choose_condition(const std::vector<Expression>& conjuncts, const Table& table);

}  // namespace halocline::queries
