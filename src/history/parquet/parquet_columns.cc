#include "history/parquet/parquet_columns.h"

#include <exception>
#include <memory>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

namespace halocline::iceberg {
namespace {

Status broken(const std::string& why) { return Status(Code::kDataLoss, "broken Parquet file: " + why); }

Result<std::shared_ptr<arrow::ChunkedArray>> read_column(std::string_view bytes, std::int32_t field_id) {
  try {
    auto source = std::make_shared<arrow::io::BufferReader>(
        std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<std::int64_t>(bytes.size())));
    auto reader = parquet::arrow::OpenFile(source, arrow::default_memory_pool());
    if (!reader.ok()) return broken(reader.status().ToString());
    const parquet::SchemaDescriptor& schema = *(*reader)->parquet_reader()->metadata()->schema();
    for (int column = 0; column < schema.num_columns(); ++column) {
      if (schema.Column(column)->schema_node()->field_id() != field_id) continue;
      auto table = (*reader)->ReadTable({column});
      if (!table.ok()) return broken(table.status().ToString());
      std::shared_ptr<arrow::ChunkedArray> read = (*table)->column(0);
      if (read->null_count() != 0) return broken("nulls in field " + std::to_string(field_id));
      return read;
    }
    return broken("there is no field " + std::to_string(field_id));
  } catch (const std::exception& error) {
    return broken(error.what());
  }
}

template <class Array, class Value>
Result<std::vector<Value>> values_of(std::string_view bytes, std::int32_t field_id, arrow::Type::type type) {
  Result<std::shared_ptr<arrow::ChunkedArray>> column = read_column(bytes, field_id);
  if (!column.ok()) return column.status();
  if (column.value()->type()->id() != type) return broken("field " + std::to_string(field_id) + " is of another type");
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(column.value()->length()));
  for (const auto& chunk : column.value()->chunks()) {
    const auto& array = static_cast<const Array&>(*chunk);
    for (std::int64_t i = 0; i < array.length(); ++i) values.emplace_back(array.GetView(i));
  }
  return values;
}

}  // namespace

Result<std::vector<std::int64_t>> read_numbers(std::string_view bytes, std::int32_t field_id) {
  return values_of<arrow::Int64Array, std::int64_t>(bytes, field_id, arrow::Type::INT64);
}

Result<std::vector<std::string>> read_texts(std::string_view bytes, std::int32_t field_id) {
  return values_of<arrow::StringArray, std::string>(bytes, field_id, arrow::Type::STRING);
}

}  // namespace halocline::iceberg
