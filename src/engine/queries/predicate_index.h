// Finds the queries that a row may concern without looking at the others: each query is kept under one of the conditions that all
// its rows meet, an equality or IN by hash, a range by a tree of intervals. What it costs is proportional to the queries found.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/queries/expression.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

// What a condition on one column says, when an index can use it.
struct IndexedCondition {
  enum class Kind : std::uint8_t { kPoints, kRange };
  Kind kind{};
  std::uint32_t column = 0;
  std::vector<std::string> points;  // packed values: one of them
  Int128 low = 0, high = 0;         // kRange, both included
  std::string text;                 // for EXPLAIN
};

// The condition among these that lets through the fewest, as far as can be said without the rows: an equality, a short list, a closed
// range, an open one. Nothing when none can be indexed.
std::optional<IndexedCondition> choose_condition(const std::vector<Expression>& conjuncts, const Table& table);

class PredicateIndex {
 public:
  using Query = std::uint64_t;

  explicit PredicateIndex(const Table& table);
  ~PredicateIndex();

  void add(Query query, const IndexedCondition& condition);
  void remove(Query query, const IndexedCondition& condition);
  bool empty() const { return size_ == 0; }
  // Appends the queries whose condition the row meets.
  void find(const Reader& reader, std::uint32_t row, std::vector<Query>& found) const;

 private:
  class Intervals;
  struct OfColumn {
    std::uint32_t column = 0;
    std::unordered_map<std::string, std::vector<Query>> points;
    std::unique_ptr<Intervals> ranges;
  };
  OfColumn& of(std::uint32_t column);

  const Table& table_;
  std::vector<OfColumn> columns_;  // those that any condition reads
  std::size_t size_ = 0;
};

}  // namespace halocline::queries
