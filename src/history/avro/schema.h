// Avro schemas, as far as Iceberg's manifests and manifest lists go: Avro 1.11 specification, "Schema Declaration"; field ids by the
// Iceberg spec, appendix A, "Avro".
//
//   Result<SchemaPtr> schema = parse_schema(text);
//
// Values; any thread. A type that contains itself is refused: no Iceberg file has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace halocline::avro {

enum class Kind : std::uint8_t {
  kNull, kBoolean, kInt, kLong, kFloat, kDouble, kBytes, kString, kFixed, kEnum, kRecord, kArray, kMap, kUnion,
};

inline constexpr int kMaxSchemaDepth = 32;
inline constexpr std::size_t kMaxSchemaNodes = 20'000;
inline constexpr std::size_t kMaxSchemaBytes = 8u << 20;
inline constexpr std::size_t kMaxFixedBytes = 1u << 16;

struct Schema;
using SchemaPtr = std::shared_ptr<const Schema>;

struct Field {
  std::string name;
  std::int32_t id = -1;  // "field-id"; -1: none
  SchemaPtr schema;
};

struct Schema {
  Kind kind = Kind::kNull;
  std::vector<Field> fields;       // of a record
  std::vector<SchemaPtr> parts;    // of a union its branches, of an array its items, of a map its values
  std::size_t size = 0;            // of a fixed its bytes, of an enum how many symbols there are
};

// kInvalidArgument for what is no schema, kUnsupported for one beyond the bounds above.
Result<SchemaPtr> parse_schema(std::string_view json);

}  // namespace halocline::avro
