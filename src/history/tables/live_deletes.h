// Which rows of a table's data files are deleted, read from its live position delete files and deletion vectors. Iceberg spec, "Position
// Delete Files", "Deletion Vectors". Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/iceberg/live_files.h"
#include "history/warehouse.h"

namespace halocline {

// The most of a data or delete file that is read.
inline constexpr std::size_t kMostFileBytes = std::size_t{4} << 30;

struct LiveDeletes {
  // By the location of the data file: positions, ascending, each once. Also of data files that are no longer live.
  std::map<std::string, std::vector<std::int64_t>> positions;
  std::set<std::string> with_vector;                      // the data files that have a deletion vector: it alone counts
  std::map<std::string, std::set<std::string>> of_files;  // position delete file -> the data files it deletes rows of
};

// `files` are a table's live ones. kUnsupported: rows are deleted in another way. kDataLoss: a broken file, or two deletion vectors of one
// data file.
Result<LiveDeletes> read_live_deletes(Warehouse& warehouse, std::span<const iceberg::LiveFile> files);

}  // namespace halocline
