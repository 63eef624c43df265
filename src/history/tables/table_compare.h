// Whether a table's rows are those of another one that was written from the same journal: how an audit finds what was altered in files that
// nobody but the server should write. In which files rows lie, in which order, and what was compacted makes no difference.
//
//   Result<TableComparison> compared = compare_rows(definition, {warehouse, *table.metadata}, {scratch, *expected.metadata});
//
// Memory is about 50 bytes a row of both. Any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/iceberg/table_metadata.h"
#include "history/tables/table_definition.h"
#include "history/warehouse.h"

namespace halocline {

struct TableContents {
  Warehouse& warehouse;
  const iceberg::TableMetadata& metadata;
};

struct RowDifference {
  std::string place;  // "seq 12", "number 3"; of a file that cannot be read, its location
  std::string text;
};

struct TableComparison {
  std::uint64_t rows = 0, files = 0;  // of the table that is audited
  std::uint64_t differences = 0;
  std::vector<RowDifference> first;   // of them, at most kMostDifferencesTold
};
inline constexpr std::size_t kMostDifferencesTold = 10;

// `expected` may have been committed at more places: of a table that has rows for each commit (positions, nodes), a row that says what an
// earlier one said already may be in one and not in the other. Files that are broken are differences; fails when `expected` cannot be read.
// Rows of commands before `from` are not compared where a table keeps such (others have what is current); `expected` need not have them,
// but what positions and nodes were then.
Result<TableComparison> compare_rows(const TableDefinition& definition, const TableContents& audited, const TableContents& expected,
                                     Seq from = 1);

// The seqs at which a table that has rows for each commit was committed. kDataLoss: a broken file.
Result<std::set<Seq>> commit_seqs(const TableDefinition& definition, const TableContents& table);

}  // namespace halocline
