#include "history/iceberg/schema.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace halocline::iceberg {
namespace {

struct KindName {
  TypeKind kind;
  std::string_view name;
};
constexpr KindName kKindNames[] = {
    {TypeKind::kBoolean, "boolean"},         {TypeKind::kInt, "int"},
    {TypeKind::kLong, "long"},               {TypeKind::kFloat, "float"},
    {TypeKind::kDouble, "double"},           {TypeKind::kDate, "date"},
    {TypeKind::kTime, "time"},               {TypeKind::kTimestamp, "timestamp"},
    {TypeKind::kTimestamptz, "timestamptz"}, {TypeKind::kString, "string"},
    {TypeKind::kUuid, "uuid"},               {TypeKind::kBinary, "binary"},
    {TypeKind::kTimestampNs, "timestamp_ns"}, {TypeKind::kTimestamptzNs, "timestamptz_ns"},
    {TypeKind::kVariant, "variant"},         {TypeKind::kUnknown, "unknown"},
    {TypeKind::kGeometry, "geometry"},       {TypeKind::kGeography, "geography"},
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A whole number that is all of the text.
std::optional<std::int32_t> whole(std::string_view text) {
  text = trimmed(text);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What stands between `open` and the last character, which is `close`.
std::optional<std::string_view> inside(std::string_view text, std::string_view open, char close) {
  if (!text.starts_with(open) || text.size() <= open.size() || text.back() != close) return std::nullopt;
  return text.substr(open.size(), text.size() - open.size() - 1);
}

template <class Visit>
void walk(const std::vector<Field>& fields, const Visit& visit) {
  for (const Field& field : fields) {
    visit(field);
    walk(field.type.fields, visit);
  }
}

Status wrong(const std::string& what) { return Status(Code::kInvalidArgument, what); }

bool from_version_3(TypeKind kind) {
  return kind == TypeKind::kTimestampNs || kind == TypeKind::kTimestamptzNs || kind == TypeKind::kVariant ||
         kind == TypeKind::kUnknown || kind == TypeKind::kGeometry || kind == TypeKind::kGeography;
}

// Of the fields of a struct and of what is within them.
Status check_fields(const Type& parent, const std::string& prefix, int format_version, int depth, std::set<std::int32_t>& ids) {
  if (depth > kMaxTypeDepth) return wrong("Invalid schema: types are nested deeper than " + std::to_string(kMaxTypeDepth));
  std::set<std::string_view> names;
  for (const Field& field : parent.fields) {
    const std::string name = prefix + field.name;
    if (field.name.empty()) return wrong("Invalid schema: field " + std::to_string(field.id) + " has no name");
    if (field.id < 0 || field.id > kMostId) {  // Spark counts the fields of a new table from 0
      return wrong("Invalid schema: field " + name + " has the id " + std::to_string(field.id) + "; it must be 0 to " +
                   std::to_string(kMostId));
    }
    if (!names.insert(field.name).second) return wrong("Invalid schema: multiple fields for name " + name);
    if (!ids.insert(field.id).second) {
      return wrong("Invalid schema: multiple fields for id " + std::to_string(field.id) + ", the second is " + name);
    }
    if (ids.size() > kMaxFields) return wrong("Invalid schema: more than " + std::to_string(kMaxFields) + " fields");
    if (format_version < 3 && from_version_3(field.type.kind)) {
      return wrong("Invalid schema for v" + std::to_string(format_version) + ": " + name + " is of type " + type_text(field.type) +
                   ", which is supported from v3 on");
    }
    if (format_version < 3 && field.initial_default.has_value() && *field.initial_default != "null") {
      return wrong("Invalid schema for v" + std::to_string(format_version) + ": " + name +
                   " has an initial default, which is supported from v3 on");
    }
    if (field.type.kind == TypeKind::kUnknown && field.required) {
      return wrong("Invalid schema: " + name + " is of type unknown and must be optional");
    }
    if (Status status = check_fields(field.type, name + ".", format_version, depth + 1, ids); !status.ok()) return status;
  }
  return ok_status();
}

// An identifier field must be required, a primitive other than float and double, and so must all structs around it be
// ("Identifier Field IDs").
bool may_identify(const std::vector<Field>& fields, std::int32_t id) {
  for (const Field& field : fields) {
    if (field.id == id) {
      return field.required && !field.type.nested() && field.type.kind != TypeKind::kFloat && field.type.kind != TypeKind::kDouble;
    }
    if (field.required && field.type.kind == TypeKind::kStruct && may_identify(field.type.fields, id)) return true;
  }
  return false;
}

// Gives the fields of one type their ids, then those within each of them.
void renumber(std::vector<Field>& fields, std::int32_t& next, std::map<std::int32_t, std::int32_t>& renumbered) {
  for (Field& field : fields) {
    renumbered.emplace(field.id, ++next);
    field.id = next;
  }
  for (Field& field : fields) renumber(field.type.fields, next, renumbered);
}

}  // namespace

bool operator==(const Type& a, const Type& b) {
  return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale && a.length == b.length && a.parameters == b.parameters &&
         a.fields == b.fields;
}

bool operator==(const Field& a, const Field& b) {
  return a.id == b.id && a.name == b.name && a.required == b.required && a.doc == b.doc && a.initial_default == b.initial_default &&
         a.write_default == b.write_default && a.type == b.type;
}

const Field* Schema::find(std::int32_t id) const {
  const Field* found = nullptr;
  walk(fields, [&](const Field& field) { found = field.id == id ? &field : found; });
  return found;
}

const Field* Schema::find_name(std::string_view full_name) const {
  const auto find_in = [](const std::vector<Field>& among, std::string_view name, const auto& again) -> const Field* {
    for (const Field& field : among) {
      if (field.name == name) return &field;
      // A name may hold dots itself, so the field it begins with is looked for, not cut off.
      if (name.starts_with(field.name) && name.size() > field.name.size() && name[field.name.size()] == '.') {
        if (const Field* inner = again(field.type.fields, name.substr(field.name.size() + 1), again)) return inner;
      }
    }
    return nullptr;
  };
  return find_in(fields, full_name, find_in);
}

std::int32_t Schema::highest_field_id() const {
  std::int32_t highest = 0;
  walk(fields, [&](const Field& field) { highest = std::max(highest, field.id); });
  return highest;
}

bool Schema::same_as(const Schema& other) const {
  return fields == other.fields && identifier_field_ids == other.identifier_field_ids;
}

Type primitive(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type decimal(std::int32_t precision, std::int32_t scale) {
  Type type = primitive(TypeKind::kDecimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type fixed(std::int32_t length) {
  Type type = primitive(TypeKind::kFixed);
  type.length = length;
  return type;
}

Field required(std::int32_t id, std::string name, Type type, std::string doc) {
  return {id, std::move(name), true, std::move(type), std::move(doc), {}, {}};
}

Field optional(std::int32_t id, std::string name, Type type, std::string doc) {
  return {id, std::move(name), false, std::move(type), std::move(doc), {}, {}};
}

std::string type_text(const Type& type) {
  CHECK(!type.nested());
  if (type.kind == TypeKind::kDecimal) return "decimal(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
  if (type.kind == TypeKind::kFixed) return "fixed[" + std::to_string(type.length) + "]";
  const auto same = [&](const KindName& one) { return one.kind == type.kind; };
  const auto* known = std::find_if(std::begin(kKindNames), std::end(kKindNames), same);
  CHECK(known != std::end(kKindNames));
  return std::string(known->name) + (type.parameters.empty() ? "" : "(" + type.parameters + ")");
}

Result<Type> parse_type(std::string_view text) {
  const Status unknown = wrong("Cannot parse type: \"" + std::string(text) + "\"");
  for (const KindName& known : kKindNames) {
    if (text == known.name) return primitive(known.kind);
  }
  if (const auto numbers = inside(text, "decimal(", ')')) {
    const std::size_t comma = numbers->find(',');
    if (comma == std::string_view::npos) return unknown;
    const auto precision = whole(numbers->substr(0, comma)), scale = whole(numbers->substr(comma + 1));
    if (!precision || !scale || *precision < 1 || *precision > 38 || *scale < 0 || *scale > *precision) return unknown;
    return decimal(*precision, *scale);
  }
  if (const auto number = inside(text, "fixed[", ']')) {
    const auto length = whole(*number);
    if (!length || *length < 1) return unknown;
    return fixed(*length);
  }
  for (const TypeKind kind : {TypeKind::kGeometry, TypeKind::kGeography}) {
    const std::string open = type_text(primitive(kind)) + "(";
    if (const auto parameters = inside(text, open, ')')) {
      Type type = primitive(kind);
      type.parameters = std::string(*parameters);
      return type;
    }
  }
  return unknown;
}

Status check_schema(const Schema& schema, int format_version) {
  std::set<std::int32_t> ids;
  Type all = primitive(TypeKind::kStruct);
  all.fields = schema.fields;
  if (Status status = check_fields(all, "", format_version, 1, ids); !status.ok()) return status;
  for (const std::int32_t id : schema.identifier_field_ids) {
    if (!may_identify(schema.fields, id)) {
      const Field* field = schema.find(id);
      return wrong("Cannot add field " + (field == nullptr ? std::to_string(id) : field->name) +
                   " as an identifier field: it must be a required field of a primitive type other than float and double");
    }
  }
  return ok_status();
}

Schema with_fresh_ids(const Schema& schema, std::map<std::int32_t, std::int32_t>& renumbered) {
  Schema fresh = schema;
  fresh.schema_id = 0;
  std::int32_t next = 0;
  renumber(fresh.fields, next, renumbered);
  for (std::int32_t& id : fresh.identifier_field_ids) {
    const auto known = renumbered.find(id);
    if (known != renumbered.end()) id = known->second;
  }
  std::sort(fresh.identifier_field_ids.begin(), fresh.identifier_field_ids.end());
  return fresh;
}

}  // namespace halocline::iceberg
