#include "history/avro/schema.h"

#include <map>
#include <utility>

#include "history/iceberg/json.h"

namespace halocline::avro {
namespace {

using iceberg::Json;

const std::map<std::string, Kind, std::less<>> kPrimitives = {
    {"null", Kind::kNull},   {"boolean", Kind::kBoolean}, {"int", Kind::kInt},     {"long", Kind::kLong},
    {"float", Kind::kFloat}, {"double", Kind::kDouble},   {"bytes", Kind::kBytes}, {"string", Kind::kString},
};

Status wrong(const std::string& why) { return Status(Code::kInvalidArgument, "Cannot parse Avro schema: " + why); }

class Parser {
 public:
  Result<SchemaPtr> parse(const Json& json, int depth) {
    if (depth > kMaxSchemaDepth || ++nodes_ > kMaxSchemaNodes)
      return Status(Code::kUnsupported, "the Avro schema is too deep or too large");
    if (json.is_string()) return by_name(json.get_ref<const std::string&>());
    if (json.is_array()) return parse_union(json, depth);
    if (!json.is_object()) return wrong("a type is neither a name, an object nor a list");
    const auto type = json.find("type");
    if (type == json.end()) return wrong("an object has no type");
    if (!type->is_string()) return parse(*type, depth + 1);
    const std::string& name = type->get_ref<const std::string&>();
    if (name == "record") return parse_record(json, depth);
    if (name == "fixed" || name == "enum") return parse_named(json, name == "fixed");
    if (name == "array" || name == "map") {
      const auto part = json.find(name == "array" ? "items" : "values");
      if (part == json.end()) return wrong("a list or map does not say of what");
      Result<SchemaPtr> inner = parse(*part, depth + 1);
      if (!inner.ok()) return inner;
      auto schema = std::make_shared<Schema>();
      schema->kind = name == "array" ? Kind::kArray : Kind::kMap;
      schema->parts.push_back(inner.take());
      return SchemaPtr(std::move(schema));
    }
    return by_name(name);
  }

 private:
  Result<SchemaPtr> by_name(const std::string& name) {
    if (const auto primitive = kPrimitives.find(name); primitive != kPrimitives.end()) {
      auto schema = std::make_shared<Schema>();
      schema->kind = primitive->second;
      return SchemaPtr(std::move(schema));
    }
    const auto named = named_.find(name);
    if (named == named_.end()) return wrong("there is no type " + name + " here");
    return named->second;
  }

  Result<SchemaPtr> parse_union(const Json& json, int depth) {
    auto schema = std::make_shared<Schema>();
    schema->kind = Kind::kUnion;
    for (const Json& branch : json) {
      Result<SchemaPtr> parsed = parse(branch, depth + 1);
      if (!parsed.ok()) return parsed;
      if (parsed.value()->kind == Kind::kUnion) return wrong("a union is within a union");
      schema->parts.push_back(parsed.take());
    }
    if (schema->parts.empty()) return wrong("a union has no branch");
    return SchemaPtr(std::move(schema));
  }

  Result<SchemaPtr> parse_record(const Json& json, int depth) {
    const auto fields = json.find("fields");
    if (fields == json.end() || !fields->is_array()) return wrong("a record has no list of fields");
    auto schema = std::make_shared<Schema>();
    schema->kind = Kind::kRecord;
    for (const Json& field : *fields) {
      const auto name = field.is_object() ? field.find("name") : field.end();
      if (name == field.end() || !name->is_string() || !field.contains("type")) return wrong("a field has no name or no type");
      Result<SchemaPtr> type = parse(field["type"], depth + 1);
      if (!type.ok()) return type;
      const auto id = field.find("field-id");
      const bool has_id = id != field.end() && id->is_number_integer();
      schema->fields.push_back({name->get<std::string>(), has_id ? id->get<std::int32_t>() : -1, type.take()});
    }
    return remember(json, std::move(schema));
  }

  Result<SchemaPtr> parse_named(const Json& json, bool fixed) {
    auto schema = std::make_shared<Schema>();
    schema->kind = fixed ? Kind::kFixed : Kind::kEnum;
    const auto size = json.find(fixed ? "size" : "symbols");
    if (size == json.end() || !(fixed ? size->is_number_unsigned() : size->is_array())) return wrong("a fixed or enum has no size");
    schema->size = fixed ? size->get<std::size_t>() : size->size();
    if (schema->size > kMaxFixedBytes) return Status(Code::kUnsupported, "the Avro schema has a fixed of more than 64 KiB");
    return remember(json, std::move(schema));
  }

  Result<SchemaPtr> remember(const Json& json, SchemaPtr schema) {
    const auto name = json.find("name");
    if (name == json.end() || !name->is_string()) return wrong("a named type has no name");
    named_[name->get<std::string>()] = schema;
    if (const auto space = json.find("namespace"); space != json.end() && space->is_string()) {
      named_[space->get<std::string>() + "." + name->get<std::string>()] = schema;
    }
    return schema;
  }

  std::map<std::string, SchemaPtr, std::less<>> named_;
  std::size_t nodes_ = 0;
};

}  // namespace

Result<SchemaPtr> parse_schema(std::string_view json) {
  if (json.size() > kMaxSchemaBytes) return Status(Code::kUnsupported, "the Avro schema is longer than 8 MiB");
  Result<Json> parsed = iceberg::parse_json(json, "Avro schema");
  if (!parsed.ok()) return parsed.status();
  return Parser().parse(parsed.value(), 0);
}

}  // namespace halocline::avro
