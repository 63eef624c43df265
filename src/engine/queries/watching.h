// What the binder finds out about a query that may be watched: which others it is the same as, and when time alone changes its rows.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/queries/plan.h"

namespace halocline::queries {

// Bytes that are the same for equal parts in the same order only: each part has its size before it and each list its length, so no text
// in a part can pass for another part.
class Identity {
 public:
  void add(std::string_view part);
  void add(std::size_t count) { add(std::to_string(count)); }
  void add(const std::vector<Expression>& list);
  std::string take() { return std::move(bytes_); }

 private:
  void add(const Expression& expression);

  std::string bytes_;
};

bool reads_now(const Expression& expression);

// Adds the comparisons with NOW() in the expression; false when NOW() stands anywhere else, or two sources are read.
bool find_time_bounds(const Expression& expression, std::span<const Table* const> sources, std::vector<Plan::TimeBound>& bounds);

}  // namespace halocline::queries
