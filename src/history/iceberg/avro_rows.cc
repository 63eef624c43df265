#include "history/iceberg/avro_rows.h"

#include <cctype>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/decimal.h"

namespace halocline::iceberg {
namespace {

const std::vector<avro::Value> kNoValues;

Json optional_of(Json type) { return Json::array({"null", std::move(type)}); }

bool fits_id(std::int64_t number) {
  return number >= std::numeric_limits<std::int32_t>::min() && number <= std::numeric_limits<std::int32_t>::max();
}

// How many bytes hold any number of so many digits (Iceberg spec, appendix A, "Avro": the least).
int bytes_for(int precision) {
  Int128 most = 1;
  for (int digit = 0; digit < precision; ++digit) most *= 10;
  int bytes = 1;
  while (bytes < 16 && (Int128{1} << (8 * bytes - 1)) < most) ++bytes;
  return bytes;
}

}  // namespace

Json avro_field(std::int32_t id, const char* name, Json type) {
  return {{"name", name}, {"type", std::move(type)}, {"field-id", id}};
}

Json avro_optional_field(std::int32_t id, const char* name, Json type) {
  return {{"name", name}, {"type", optional_of(std::move(type))}, {"default", nullptr}, {"field-id", id}};
}

Json avro_record(const std::string& name, Json fields) { return {{"type", "record"}, {"name", name}, {"fields", std::move(fields)}}; }

Json avro_list(std::int32_t element_id, Json type) { return {{"type", "array"}, {"items", std::move(type)}, {"element-id", element_id}}; }

Json avro_number_map(std::int32_t key_id, std::int32_t value_id, const char* value_type) {
  const std::string name = "k" + std::to_string(key_id) + "_v" + std::to_string(value_id);
  return {{"type", "array"},
          {"logicalType", "map"},
          {"items", avro_record(name, Json::array({avro_field(key_id, "key", "int"), avro_field(value_id, "value", value_type)}))}};
}

Json avro_type(const Type& type) {
  const auto timestamp = [](const char* unit, bool utc) {
    return Json{{"type", "long"}, {"logicalType", unit}, {"adjust-to-utc", utc}};
  };
  switch (type.kind) {
    case TypeKind::kBoolean: return "boolean";
    case TypeKind::kInt: return "int";
    case TypeKind::kLong: return "long";
    case TypeKind::kFloat: return "float";
    case TypeKind::kDouble: return "double";
    case TypeKind::kDate: return {{"type", "int"}, {"logicalType", "date"}};
    case TypeKind::kTime: return {{"type", "long"}, {"logicalType", "time-micros"}};
    case TypeKind::kTimestamp: return timestamp("timestamp-micros", false);
    case TypeKind::kTimestamptz: return timestamp("timestamp-micros", true);
    case TypeKind::kTimestampNs: return timestamp("timestamp-nanos", false);
    case TypeKind::kTimestamptzNs: return timestamp("timestamp-nanos", true);
    case TypeKind::kString: return "string";
    case TypeKind::kBinary: return "bytes";
    case TypeKind::kUuid: return {{"type", "fixed"}, {"name", "uuid_fixed"}, {"size", 16}, {"logicalType", "uuid"}};
    case TypeKind::kFixed: {
      return {{"type", "fixed"}, {"name", "fixed_" + std::to_string(type.length)}, {"size", type.length}};
    }
    case TypeKind::kDecimal: {
      const std::string name = "decimal_" + std::to_string(type.precision) + "_" + std::to_string(type.scale);
      return {{"type", "fixed"},        {"name", name},         {"size", bytes_for(type.precision)}, {"logicalType", "decimal"},
              {"precision", type.precision}, {"scale", type.scale}};
    }
    default: CHECK(false, "%s is no type of a partition", type_text(type).c_str()); return nullptr;
  }
}

std::string avro_name(const std::string& name) {
  std::string plain;
  for (const char c : name) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (digit && plain.empty()) plain.push_back('_');
    plain.push_back(digit || std::isalpha(static_cast<unsigned char>(c)) != 0 ? c : '_');
  }
  return plain;
}

avro::Value counts_value(const ColumnCounts& counts) {
  if (counts.empty()) return {};
  std::vector<avro::Value> entries;
  for (const auto& [id, count] : counts) entries.emplace_back(std::vector<avro::Value>{id, count});
  return entries;
}

avro::Value bounds_value(const ColumnBounds& bounds) {
  if (bounds.empty()) return {};
  std::vector<avro::Value> entries;
  for (const auto& [id, bound] : bounds) entries.emplace_back(std::vector<avro::Value>{id, bound});
  return entries;
}

avro::Value numbers_value(const std::vector<std::int64_t>& numbers) {
  if (numbers.empty()) return {};
  return std::vector<avro::Value>(numbers.begin(), numbers.end());
}

RowReader::RowReader(const avro::Schema& schema, const avro::Value& row, Status& first)
    : schema_(schema), values_(row.list() == nullptr ? kNoValues : *row.list()), first_(first) {
  if (schema.kind != avro::Kind::kRecord || values_.size() != schema.fields.size()) fail(-1);
}

void RowReader::fail(std::int32_t id) {
  if (first_.ok()) first_ = Status(Code::kDataLoss, "broken manifest: field " + std::to_string(id) + " is missing or of a wrong type");
}

const avro::Value* RowReader::find(std::int32_t id) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (schema_.fields[i].id == id) return values_[i].null() ? nullptr : &values_[i];
  }
  return nullptr;
}

const avro::Schema* RowReader::schema_of(std::int32_t id) const {
  for (const avro::Field& field : schema_.fields) {
    if (field.id == id) return field.schema.get();
  }
  return nullptr;
}

std::optional<std::int64_t> RowReader::maybe_number(std::int32_t id) {
  const avro::Value* value = find(id);
  if (value == nullptr) return std::nullopt;
  if (value->number() == nullptr) {
    fail(id);
    return std::nullopt;
  }
  return *value->number();
}

std::optional<std::string> RowReader::maybe_text(std::int32_t id) {
  const avro::Value* value = find(id);
  if (value == nullptr) return std::nullopt;
  if (value->text() == nullptr) {
    fail(id);
    return std::nullopt;
  }
  return *value->text();
}

std::optional<bool> RowReader::maybe_flag(std::int32_t id) {
  const avro::Value* value = find(id);
  if (value == nullptr) return std::nullopt;
  if (value->flag() == nullptr) {
    fail(id);
    return std::nullopt;
  }
  return *value->flag();
}

std::int64_t RowReader::number(std::int32_t id) {
  const std::optional<std::int64_t> value = maybe_number(id);
  if (!value.has_value()) fail(id);
  return value.value_or(0);
}

std::string RowReader::text(std::int32_t id) {
  std::optional<std::string> value = maybe_text(id);
  if (!value.has_value()) fail(id);
  return std::move(value).value_or("");
}

std::vector<std::int64_t> RowReader::numbers(std::int32_t id) {
  std::vector<std::int64_t> numbers;
  const avro::Value* value = find(id);
  if (value == nullptr) return numbers;
  if (value->list() == nullptr) fail(id);
  for (const avro::Value& item : value->list() == nullptr ? kNoValues : *value->list()) {
    if (item.number() != nullptr) numbers.push_back(*item.number());
    else fail(id);
  }
  return numbers;
}

template <class Take>
void RowReader::entries(std::int32_t id, Take take) {
  const avro::Value* value = find(id);
  if (value == nullptr) return;
  if (value->list() == nullptr) return fail(id);
  for (const avro::Value& item : *value->list()) {
    const std::vector<avro::Value>* pair = item.list();
    if (pair == nullptr || pair->size() != 2 || (*pair)[0].number() == nullptr || !fits_id(*(*pair)[0].number())) return fail(id);
    if (!take(static_cast<std::int32_t>(*(*pair)[0].number()), (*pair)[1])) return fail(id);
  }
}

ColumnCounts RowReader::counts(std::int32_t id) {
  ColumnCounts counts;
  entries(id, [&](std::int32_t column, const avro::Value& value) {
    if (value.number() != nullptr) counts[column] = *value.number();
    return value.number() != nullptr;
  });
  return counts;
}

ColumnBounds RowReader::bounds(std::int32_t id) {
  ColumnBounds bounds;
  entries(id, [&](std::int32_t column, const avro::Value& value) {
    if (value.text() != nullptr) bounds[column] = *value.text();
    return value.text() != nullptr;
  });
  return bounds;
}

}  // namespace halocline::iceberg
