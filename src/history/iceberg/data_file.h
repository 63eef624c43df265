// A file of a table, as manifests know it: data, position deletes or a deletion vector, with its partition and statistics.
// Iceberg spec, "Data File Fields". Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/avro/value.h"

namespace halocline::iceberg {

enum class FileContent : std::int32_t { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

using ColumnCounts = std::map<std::int32_t, std::int64_t>;  // by field id
using ColumnBounds = std::map<std::int32_t, std::string>;   // … single_value.h

struct DataFile {
  FileContent content = FileContent::kData;
  std::string path;                   // location
  std::string format = "PARQUET";
  std::vector<avro::Value> partition;  // one value a field of the spec
  std::int64_t record_count = 0;      // of a deletion vector: how many positions
  std::int64_t file_size = 0;         // bytes
  ColumnCounts column_sizes, value_counts, null_value_counts, nan_value_counts;
  ColumnBounds lower_bounds, upper_bounds;
  std::optional<std::string> key_metadata;
  std::vector<std::int64_t> split_offsets;
  std::vector<std::int64_t> equality_ids;
  std::optional<std::int64_t> sort_order_id;
  std::optional<std::int64_t> first_row_id;          // from version 3
  std::optional<std::string> referenced_data_file;   // of deletes that are all of one file
  std::optional<std::int64_t> content_offset, content_size;  // of a deletion vector, in its Puffin file
};

}  // namespace halocline::iceberg
