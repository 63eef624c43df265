// A table's schema: fields with ids, which stay with a field through renames and are what data files refer to.
// Iceberg spec, "Schemas and Data Types"; "Nested Types" and "Primitive Types" for the kinds of type.
//
//   const Field* field = schema.find(3);
//   const Field* zip = schema.find_name("address.zip");
//
// Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace halocline::iceberg {

enum class TypeKind : std::uint8_t {
  kBoolean, kInt, kLong, kFloat, kDouble, kDate, kTime, kTimestamp, kTimestamptz, kString, kUuid, kBinary,
  kTimestampNs, kTimestamptzNs, kVariant, kUnknown,  // from version 3
  kDecimal, kFixed,                                  // with numbers
  kGeometry, kGeography,                             // from version 3, with a text
  kStruct, kList, kMap,
};

// The largest id of anything; those above are the spec's own ("Reserved Field IDs").
inline constexpr std::int32_t kMostId = 2'147'483'447;
inline constexpr int kMaxTypeDepth = 32;        // a field within a field within …
inline constexpr std::size_t kMaxFields = 10'000;  // of a schema, nested ones counted

struct Field;

struct Type {
  TypeKind kind = TypeKind::kString;
  std::int32_t precision = 0, scale = 0;  // decimal(P,S)
  std::int32_t length = 0;                // fixed[L]
  std::string parameters;                 // what stands in the brackets of geometry(…) and geography(…), if anything
  std::vector<Field> fields;              // of a struct; list: its element; map: its key and its value

  bool nested() const { return kind >= TypeKind::kStruct; }
};
bool operator==(const Type& a, const Type& b);

// Of a struct. For the element of a list and the key and value of a map only id, required and type count.
struct Field {
  std::int32_t id = 0;
  std::string name;
  bool required = false;
  Type type;
  std::string doc;                            // empty: none
  std::optional<std::string> initial_default;  // JSON, by "JSON single-value serialization"; from version 3
  std::optional<std::string> write_default;
};
bool operator==(const Field& a, const Field& b);

struct Schema {
  std::int32_t schema_id = 0;
  std::vector<Field> fields;
  std::vector<std::int32_t> identifier_field_ids;  // ascending

  const Field* find(std::int32_t id) const;
  // By its full name; a nested field's is "outer.inner", a list's element is "element", a map's are "key" and "value".
  const Field* find_name(std::string_view full_name) const;
  // The largest id in it, 0 when it is empty.
  std::int32_t highest_field_id() const;
  // Whether the fields and the identifier are the same; the id of the schema does not count.
  bool same_as(const Schema& other) const;
};

// Makers, for schemas written in C++.
Type primitive(TypeKind kind);
Type decimal(std::int32_t precision, std::int32_t scale);
Type fixed(std::int32_t length);
Field required(std::int32_t id, std::string name, Type type, std::string doc = "");
Field optional(std::int32_t id, std::string name, Type type, std::string doc = "");

// "decimal(38, 8)", "timestamptz"; not for nested types.
std::string type_text(const Type& type);
// kInvalidArgument for a text that is no primitive type.
Result<Type> parse_type(std::string_view text);

// What every reader relies on: ids and names unique, identifiers required primitives, nothing the format version does not
// know. kInvalidArgument names the field.
Status check_schema(const Schema& schema, int format_version);

// The same schema with ids 1, 2, … in the order in which Iceberg's own writers give them: a struct's fields first, what is
// within them after that. `renumbered` receives old id -> new id.
Schema with_fresh_ids(const Schema& schema, std::map<std::int32_t, std::int32_t>& renumbered);

}  // namespace halocline::iceberg
