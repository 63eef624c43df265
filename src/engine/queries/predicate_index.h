// Finds the queries that a row may concern without looking at the others: each query is kept under what all its rows meet, its equalities
// and INs together by hash and among those a range by its interval, or a range alone. What it costs is proportional to the queries found,
// and to the sets of columns that queries have equalities on.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/queries/equality_index.h"
#include "engine/queries/indexed_condition.h"
#include "engine/queries/range_index.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

class PredicateIndex {
 public:
  using Query = std::uint64_t;

  static constexpr std::size_t kMostTogether = EqualityIndex::kMostTogether;

  // What was found for several rows: for the one at a place the queries from where those of the row before it end.
  struct Found {
    std::span<const Query> of(std::size_t place) const {
      const std::size_t from = place == 0 ? 0 : ends[place - 1];
      return std::span(queries).subspan(from, ends[place] - from);
    }

    std::vector<Query> queries;
    std::vector<std::size_t> ends;
  };

  // Whether each row is looked at once, or rows of the same names again and again.
  enum class Rows { kOnce, kAgain };
  explicit PredicateIndex(const Table& table, Rows rows = Rows::kAgain) : table_(table), remembers_(rows == Rows::kAgain) {}

  void add(Query query, const IndexedCondition& condition);
  void remove(Query query, const IndexedCondition& condition);
  bool empty() const { return size_ == 0; }
  // Whether that can tell more of the rows than that each of them may meet one.
  bool screens() const { return ranges_.empty(); }
  // Which of the rows, by their places in ascending order, may meet a condition: all that do, and few others where equalities are of names.
  // A look at a row costs 1 to 3 ns a set of columns, for the rows are gone through together, a column at a time.
  void screen(const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& likely);
  // Appends the queries whose condition the row meets. Where there are none, gives how far its exposures may move before there may be one;
  // 0 when that is not known. Nodes are found as here while no name changes and their exposures move less.
  Int128 find(const Reader& reader, std::uint32_t row, std::vector<Query>& found);
  // The same for each of kMostTogether rows at most; what their looks read is fetched at the same time.
  void find(const Reader& reader, std::span<const std::uint32_t> rows, Found& found);

 private:
  // What the row, which is at that place of so many, was found to meet of equalities_.
  void append_points(std::size_t place, std::size_t rows, const Reader& reader, std::uint32_t row, std::vector<Query>& found,
                     Int128* room) const;

  const Table& table_;
  const bool remembers_;
  std::vector<std::unique_ptr<EqualityIndex>> equalities_;  // one a set of columns
  RangeIndex ranges_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> lists_;  // of the rows looked at, by set of columns and row
  std::vector<Value> values_;         // that they are looked up with in ranges_
  std::vector<std::uint32_t> places_;
  std::vector<bool> marked_;
};

}  // namespace halocline::queries
