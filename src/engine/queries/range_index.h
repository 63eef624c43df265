// Queries by the interval in which a column must lie.
#pragma once

#include <cstdint>
#include <span>
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
  // The same for each of these rows; `next(place)` is called when all that one lies in are there. What the rows read is put into `values`.
  template <class Next>
  void find_all(const Table& table, const Reader& reader, std::span<const std::uint32_t> rows, std::vector<Value>& values,
                std::vector<Query>& found, Next next) const {
    values.resize(columns_.size() * rows.size());
    Value* of_column = values.data();
    for (const OfColumn& one : columns_) {
      table.columns[one.column].load_all(reader, rows, of_column);
      of_column += rows.size();
    }
    if (columns_.size() == 1) return columns_[0].queries.find_all(values, found, next);
    for (std::size_t place = 0; place < rows.size(); ++place) {
      const Value* value = &values[place];
      for (const OfColumn& one : columns_) {
        if (!value->null) one.queries.find(value->number, found);
        value += rows.size();
      }
      next(place);
    }
  }

 private:
  struct OfColumn {
    std::uint32_t column = 0;
    Intervals queries;
  };

  std::vector<OfColumn> columns_;
};

}  // namespace halocline::queries
