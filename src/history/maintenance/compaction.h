// Small files of a table made into larger ones, and rows that are deleted left out: what a reader of the table saves. Files are chosen by
// partition and rows stay in the table's order. Iceberg spec, "Row-level Deletes", "Row Lineage".
//
//   Result<std::optional<Rewrite>> made = compact(warehouse, definition, *table.metadata, options);
//   … its commit: tables/table_set.h, replace(). When that fails: discard(warehouse, rewrite)
//
// It only reads the table and adds files that nobody knows of, so it runs beside the commits, on any thread. Memory: the files it reads,
// at most twice full_bytes or one file, one file it writes, and some thousand rows of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/iceberg/live_files.h"
#include "history/iceberg/table_metadata.h"
#include "history/tables/rewrite.h"
#include "history/tables/table_definition.h"
#include "history/warehouse.h"

namespace halocline {

struct CompactionOptions {
  std::int64_t full_bytes = kFullDataFileBytes;  // files of three quarters of it are full
  std::int64_t equal_bytes = 1 << 20;            // files below it are as good as equal
  std::size_t least_files = 8;                   // fewer are not worth it
  std::size_t most_files = 16;                   // of small ones a partition has not more, whatever their sizes
  double most_deleted = 0.2;                     // of the rows of a file above equal_bytes
};

// The data files of one partition to be made anew together; empty: none. One of which too much is deleted; else of the small ones those
// at the lower end, up to one that is larger than all before it together: so a row is made anew about as often as the logarithm of the
// table's size says. `deleted` counts the deleted rows by file. Pure.
std::vector<iceberg::LiveFile> choose_files(std::vector<iceberg::LiveFile> partition, const std::map<std::string, std::int64_t>& deleted,
                                            const CompactionOptions& options);

// One piece of work, of the partition that needs it most; none when there is nothing to do, or the table has what we do not rewrite:
// deletes other than by position, columns of types of others. Fails as the warehouse does, and with kDataLoss for broken files.
Result<std::optional<Rewrite>> compact(Warehouse& warehouse, const TableDefinition& definition, const iceberg::TableMetadata& table,
                                       const CompactionOptions& options);

// Removes the files of one that is not committed.
void discard(Warehouse& warehouse, const Rewrite& rewrite);

}  // namespace halocline
