// Single columns of a Parquet file, read by field id: what an index of a table's rows is rebuilt from. Iceberg spec, "Column
// Projection".
//
//   Result<std::vector<std::int64_t>> numbers = read_numbers(bytes, 1);
//
// Pure functions; any thread. A file that does not parse is kDataLoss, a column that is not there or of another type too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace halocline::iceberg {

// Of a long column without nulls.
Result<std::vector<std::int64_t>> read_numbers(std::string_view bytes, std::int32_t field_id);
// Of a string column without nulls.
Result<std::vector<std::string>> read_texts(std::string_view bytes, std::int32_t field_id);

}  // namespace halocline::iceberg
