// Iceberg's Avro rows: schemas with field ids written, rows read by field id whatever their order. Iceberg spec, appendix A, "Avro".
// For manifest.cc and manifest_list.cc. Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/avro/container.h"
#include "history/iceberg/data_file.h"
#include "history/iceberg/json.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

// A field of a record: its type as Avro JSON.
Json avro_field(std::int32_t id, const char* name, Json type);
Json avro_optional_field(std::int32_t id, const char* name, Json type);
Json avro_record(const std::string& name, Json fields);
Json avro_list(std::int32_t element_id, Json type);
// A map from numbers is a list of records.
Json avro_number_map(std::int32_t key_id, std::int32_t value_id, const char* value_type);
// A primitive type.
Json avro_type(const Type& type);
// A name Avro takes: letters, digits and underscores.
std::string avro_name(const std::string& name);

template <class T>
avro::Value optional_value(const std::optional<T>& value) {
  return value.has_value() ? avro::Value(*value) : avro::Value();
}
avro::Value counts_value(const ColumnCounts& counts);   // null when empty
avro::Value bounds_value(const ColumnBounds& bounds);
avro::Value numbers_value(const std::vector<std::int64_t>& numbers);

// Members of one row by field id. What is missing or null is nothing; the first that is of a wrong type is remembered.
class RowReader {
 public:
  RowReader(const avro::Schema& schema, const avro::Value& row, Status& first);

  const avro::Value* find(std::int32_t id) const;      // nullptr when missing or null
  const avro::Schema* schema_of(std::int32_t id) const;
  std::int64_t number(std::int32_t id);                // required
  std::string text(std::int32_t id);
  std::optional<std::int64_t> maybe_number(std::int32_t id);
  std::optional<std::string> maybe_text(std::int32_t id);
  std::optional<bool> maybe_flag(std::int32_t id);
  std::vector<std::int64_t> numbers(std::int32_t id);
  ColumnCounts counts(std::int32_t id);
  ColumnBounds bounds(std::int32_t id);
  void fail(std::int32_t id);

 private:
  template <class Take>
  void entries(std::int32_t id, Take take);

  const avro::Schema& schema_;
  const std::vector<avro::Value>& values_;
  Status& first_;
};

}  // namespace halocline::iceberg
