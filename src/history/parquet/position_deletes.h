// Position delete files: rows of data files that are no longer there, by file and position. Iceberg spec, "Position Delete Files".
// Values; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "history/parquet/parquet_rows.h"

namespace halocline::iceberg {

struct DeletedRow {
  std::string file;           // location of the data file, as its manifest entry has it
  std::int64_t position = 0;  // of the row in it, from 0

  friend auto operator<=>(const DeletedRow&, const DeletedRow&) = default;
};

// A delete file of the rows, sorted here; at least one. Path and partition are the caller's.
Result<ParquetFile> position_delete_file(std::vector<DeletedRow> rows);
// kDataLoss: it is no such file.
Result<std::vector<DeletedRow>> read_position_deletes(std::string_view bytes);

}  // namespace halocline::iceberg
