// Queries by the interval in which a column must lie.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/queries/intervals.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

class RangeIndex {
 public:
  using Query = std::uint64_t;

  // Both ends included.
  void add(std::uint32_t column, Int128 low, Int128 high, Query query);
  void remove(std::uint32_t column, Int128 low, Query query);
  bool empty() const { return columns_.empty(); }
  // Has what find() reads of few brought nearer, one step after the other; each needs what the step before has fetched.
  static constexpr int kFetchSteps = 3;
  void fetch(int step) const;
  // Appends the queries in whose interval the row lies. Where there are none, `room` (unless nullptr) is brought down to how far the row's
  // exposures may move before there may be one, 0 when that is not known.
  void find(const Table& table, const Reader& reader, std::uint32_t row, std::vector<Query>& found, Int128* room) const;

 private:
  struct OfColumn {
    std::uint32_t column = 0;
    Intervals queries;
  };

  std::vector<OfColumn> columns_;
};

}  // namespace halocline::queries
