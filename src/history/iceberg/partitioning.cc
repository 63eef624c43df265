#include "history/iceberg/partitioning.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace halocline::iceberg {
namespace {

Status wrong(const std::string& what) { return Status(Code::kInvalidArgument, what); }

bool is_time(TypeKind kind) {
  return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestamptz || kind == TypeKind::kTimestampNs ||
         kind == TypeKind::kTimestamptzNs;
}

// The number in "NAME[7]"; 0 when the text is not of that form or the number not positive.
std::int32_t number_in(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || text.size() < name.size() + 3 || text[name.size()] != '[' || text.back() != ']') return 0;
  const std::string_view digits = text.substr(name.size() + 1, text.size() - name.size() - 2);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() && number > 0 ? number : 0;
}

// The field, when it is at the top or within structs only.
const Field* find_outside_of_lists(const std::vector<Field>& fields, std::int32_t id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (field.type.kind != TypeKind::kStruct) continue;
    if (const Field* inner = find_outside_of_lists(field.type.fields, id)) return inner;
  }
  return nullptr;
}

Status check_source(std::int32_t source_id, const Transform& transform, const Schema& schema, const std::string& what) {
  if (transform.kind() == TransformKind::kVoid) return ok_status();  // its source may have been dropped
  const Field* source = find_outside_of_lists(schema.fields, source_id);
  if (source == nullptr) {
    return wrong("Cannot find source column for " + what + ": field " + std::to_string(source_id) +
                 (schema.find(source_id) == nullptr ? " does not exist" : " is within a list or a map"));
  }
  if (source->type.nested()) return wrong("Cannot use " + what + ": its source " + source->name + " is not of a primitive type");
  if (!transform.accepts(source->type)) {
    return wrong("Invalid source type " + type_text(source->type) + " of " + source->name + " for transform: " + transform.text);
  }
  return ok_status();
}

}  // namespace

TransformKind Transform::kind() const {
  if (text == "identity") return TransformKind::kIdentity;
  if (text == "year") return TransformKind::kYear;
  if (text == "month") return TransformKind::kMonth;
  if (text == "day") return TransformKind::kDay;
  if (text == "hour") return TransformKind::kHour;
  if (text == "void") return TransformKind::kVoid;
  if (number_in(text, "bucket") > 0) return TransformKind::kBucket;
  if (number_in(text, "truncate") > 0) return TransformKind::kTruncate;
  return TransformKind::kUnknown;
}

std::int32_t Transform::parameter() const { return std::max(number_in(text, "bucket"), number_in(text, "truncate")); }

bool Transform::accepts(const Type& source) const {
  const TypeKind type = source.kind;
  switch (kind()) {
    case TransformKind::kIdentity:
      return !source.nested() && type != TypeKind::kVariant && type != TypeKind::kGeometry && type != TypeKind::kGeography;
    case TransformKind::kBucket:
      return type == TypeKind::kInt || type == TypeKind::kLong || type == TypeKind::kDecimal || type == TypeKind::kDate ||
             type == TypeKind::kTime || is_time(type) || type == TypeKind::kString || type == TypeKind::kUuid ||
             type == TypeKind::kFixed || type == TypeKind::kBinary;
    case TransformKind::kTruncate:
      return type == TypeKind::kInt || type == TypeKind::kLong || type == TypeKind::kDecimal || type == TypeKind::kString ||
             type == TypeKind::kBinary;
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kDay: return type == TypeKind::kDate || is_time(type);
    case TransformKind::kHour: return is_time(type);
    case TransformKind::kVoid:
    case TransformKind::kUnknown: return true;
  }
  return false;
}

Type Transform::result(const Type& source) const {
  switch (kind()) {
    case TransformKind::kBucket:
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kHour: return primitive(TypeKind::kInt);
    case TransformKind::kDay: return primitive(TypeKind::kDate);
    case TransformKind::kUnknown: return primitive(TypeKind::kString);
    default: return source;
  }
}

bool PartitionSpec::compatible_with(const PartitionSpec& other) const {
  const auto alike = [](const PartitionField& a, const PartitionField& b) {
    return a.source_id == b.source_id && a.transform == b.transform && a.name == b.name;
  };
  return std::equal(fields.begin(), fields.end(), other.fields.begin(), other.fields.end(), alike);
}

std::int32_t PartitionSpec::last_field_id() const {
  std::int32_t last = kFirstPartitionFieldId - 1;
  for (const PartitionField& field : fields) last = std::max(last, field.field_id);
  return last;
}

Status check_spec(const PartitionSpec& spec, const Schema& schema) {
  std::set<std::string_view> names;
  std::set<std::int32_t> ids;
  for (const PartitionField& field : spec.fields) {
    if (field.name.empty()) return wrong("Cannot use empty partition name");
    if (!names.insert(field.name).second) return wrong("Cannot use partition name more than once: " + field.name);
    if (field.field_id < 0 || field.field_id > kMostId) {
      return wrong("Partition field " + field.name + " has the id " + std::to_string(field.field_id));
    }
    if (field.field_id != 0 && !ids.insert(field.field_id).second) {
      return wrong("Cannot use partition field id more than once: " + std::to_string(field.field_id));
    }
    if (Status status = check_source(field.source_id, field.transform, schema, "partition field " + field.name); !status.ok()) {
      return status;
    }
  }
  return ok_status();
}

Status check_new_spec(const PartitionSpec& spec, const Schema& schema) {
  if (Status status = check_spec(spec, schema); !status.ok()) return status;
  for (const PartitionField& field : spec.fields) {
    // An identity field may be named like its own source, none like another column.
    const Field* column = schema.find_name(field.name);
    const bool own = column != nullptr && column->id == field.source_id && field.transform.kind() == TransformKind::kIdentity;
    if (column != nullptr && !own) return wrong("Cannot create partition from name that exists in schema: " + field.name);
  }
  return ok_status();
}

Status check_order(const SortOrder& order, const Schema& schema) {
  for (const SortField& field : order.fields) {
    if (Status status = check_source(field.source_id, field.transform, schema, "sort field"); !status.ok()) return status;
  }
  return ok_status();
}

}  // namespace halocline::iceberg
