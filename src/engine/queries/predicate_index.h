// Finds the queries that a row may concern without looking at the others: each query is kept under what all its rows meet, its equalities
// and INs together by hash and among those a range by its interval, or a range alone. What it costs is proportional to the queries found,
// and to the sets of columns that queries have equalities on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/queries/expression.h"
#include "engine/queries/intervals.h"
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

class PredicateIndex {
 public:
  using Query = std::uint64_t;

  explicit PredicateIndex(const Table& table);
  ~PredicateIndex();

  void add(Query query, const IndexedCondition& condition);
  void remove(Query query, const IndexedCondition& condition);
  bool empty() const { return size_ == 0; }
  // Which of the rows, by their places in ascending order, may meet a condition: all that do, and few others where equalities are of names.
  // A look at a row costs 1 to 3 ns a set of columns, for the rows are gone through together, a column at a time.
  void screen(const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& likely);
  // Appends the queries whose condition the row meets.
  void find(const Reader& reader, std::uint32_t row, std::vector<Query>& found);

 private:
  class Points;
  struct Ranges {
    std::uint32_t column = 0;
    Intervals queries;
  };

  static Intervals& ranges_of(std::vector<Ranges>& ranges, std::uint32_t column);
  static void remove_range(std::vector<Ranges>& ranges, std::uint32_t column, Int128 low, Query query);
  static void find_in(const std::vector<Ranges>& ranges, const Table& table, const Reader& reader, std::uint32_t row,
                      std::vector<Query>& found);

  const Table& table_;
  std::vector<std::unique_ptr<Points>> points_;  // one a set of columns
  std::vector<Ranges> ranges_;                   // one a column
  std::size_t size_ = 0;
  std::string scratch_;
  std::vector<std::uint32_t> places_;
  std::vector<bool> marked_;
};

}  // namespace halocline::queries
