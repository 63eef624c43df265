#include "history/iceberg/schema_json.h"

#include <algorithm>

namespace halocline::iceberg {
namespace {

Json type_to_json(const Type& type);

Json field_to_json(const Field& field) {
  Json json = {{"id", field.id}, {"name", field.name}, {"required", field.required}, {"type", type_to_json(field.type)}};
  if (!field.doc.empty()) json["doc"] = field.doc;
  if (field.initial_default.has_value()) json["initial-default"] = Json::parse(*field.initial_default);
  if (field.write_default.has_value()) json["write-default"] = Json::parse(*field.write_default);
  return json;
}

Json fields_to_json(const std::vector<Field>& fields) {
  Json json = Json::array();
  for (const Field& field : fields) json.push_back(field_to_json(field));
  return json;
}

Json type_to_json(const Type& type) {
  if (type.kind == TypeKind::kStruct) return {{"type", "struct"}, {"fields", fields_to_json(type.fields)}};
  if (type.kind == TypeKind::kList) {
    const Field& element = type.fields[0];
    return {{"type", "list"}, {"element-id", element.id}, {"element", type_to_json(element.type)}, {"element-required", element.required}};
  }
  if (type.kind == TypeKind::kMap) {
    const Field &key = type.fields[0], &value = type.fields[1];
    return {{"type", "map"},          {"key-id", key.id},
            {"key", type_to_json(key.type)}, {"value-id", value.id},
            {"value", type_to_json(value.type)}, {"value-required", value.required}};
  }
  return type_text(type);
}

Type read_type(const Json& json, int depth, Status& first);

Type read_member_type(ObjectReader& in, const char* key, int depth, Status& first) {
  const Json* type = in.find(key);
  if (type != nullptr) return read_type(*type, depth, first);
  in.fail(std::string(key) + " is missing");
  return {};
}

std::vector<Field> read_fields(const Json& json, int depth, Status& first) {
  std::vector<Field> fields;
  for (const Json& member : json) {
    ObjectReader in(member, "field", first);
    Field field;
    field.id = in.id("id");
    field.name = in.text("name");
    field.required = in.flag("required");
    field.doc = in.maybe_text("doc").value_or("");
    if (const Json* value = in.find("initial-default")) field.initial_default = json_text(*value);
    if (const Json* value = in.find("write-default")) field.write_default = json_text(*value);
    field.type = read_member_type(in, "type", depth, first);
    if (!first.ok()) return fields;
    fields.push_back(std::move(field));
  }
  return fields;
}

Type read_type(const Json& json, int depth, Status& first) {
  if (json.is_string()) {
    Result<Type> type = parse_type(json.get_ref<const std::string&>());
    if (type.ok()) return type.take();
    if (first.ok()) first = type.status();
    return {};
  }
  ObjectReader in(json, "type", first);
  const std::string kind = in.text("type");
  Type type;
  if (depth >= kMaxTypeDepth) {
    in.fail("types are nested deeper than " + std::to_string(kMaxTypeDepth));
  } else if (kind == "struct") {
    type.kind = TypeKind::kStruct;
    type.fields = read_fields(in.array("fields"), depth + 1, first);
  } else if (kind == "list") {
    type.kind = TypeKind::kList;
    Field element = {in.id("element-id"), "element", in.flag("element-required"), {}, {}, {}, {}};
    element.type = read_member_type(in, "element", depth + 1, first);
    type.fields = {std::move(element)};
  } else if (kind == "map") {
    type.kind = TypeKind::kMap;
    Field key = {in.id("key-id"), "key", true, {}, {}, {}, {}};
    key.type = read_member_type(in, "key", depth + 1, first);
    Field value = {in.id("value-id"), "value", in.flag("value-required"), {}, {}, {}, {}};
    value.type = read_member_type(in, "value", depth + 1, first);
    type.fields = {std::move(key), std::move(value)};
  } else {
    in.fail("\"" + kind + "\" is no kind of type");
  }
  return type;
}

// "source-id", or "source-ids" (version 3) where it has one.
std::int32_t read_source(ObjectReader& in) {
  if (in.find("source-ids") == nullptr || in.find("source-id") != nullptr) return in.id("source-id");
  const std::vector<std::int64_t> sources = in.maybe_number_list("source-ids");
  if (sources.size() == 1 && sources[0] == static_cast<std::int32_t>(sources[0])) return static_cast<std::int32_t>(sources[0]);
  in.fail("transforms of more than one source field are not supported");
  return 0;
}

}  // namespace

Json to_json(const Schema& schema) {
  Json json = {{"type", "struct"}, {"schema-id", schema.schema_id}, {"fields", fields_to_json(schema.fields)}};
  if (!schema.identifier_field_ids.empty()) json["identifier-field-ids"] = schema.identifier_field_ids;
  return json;
}

Json to_json(const PartitionSpec& spec) {
  Json fields = Json::array();
  for (const PartitionField& field : spec.fields) {
    fields.push_back(
        {{"source-id", field.source_id}, {"field-id", field.field_id}, {"name", field.name}, {"transform", field.transform.text}});
  }
  return {{"spec-id", spec.spec_id}, {"fields", std::move(fields)}};
}

Json to_json(const SortOrder& order) {
  Json fields = Json::array();
  for (const SortField& field : order.fields) {
    fields.push_back({{"source-id", field.source_id},
                      {"transform", field.transform.text},
                      {"direction", field.ascending ? "asc" : "desc"},
                      {"null-order", field.nulls_first ? "nulls-first" : "nulls-last"}});
  }
  return {{"order-id", order.order_id}, {"fields", std::move(fields)}};
}

Schema read_schema(const Json& json, Status& first) {
  ObjectReader in(json, "schema", first);
  Schema schema;
  schema.schema_id = in.maybe_id("schema-id").value_or(0);
  schema.fields = read_fields(in.array("fields"), 1, first);
  for (const std::int64_t id : in.maybe_number_list("identifier-field-ids")) {
    if (id != static_cast<std::int32_t>(id)) in.fail("an identifier-field-id is not a whole number of 32 bits");
    schema.identifier_field_ids.push_back(static_cast<std::int32_t>(id));
  }
  std::sort(schema.identifier_field_ids.begin(), schema.identifier_field_ids.end());
  return schema;
}

PartitionSpec read_spec(const Json& json, Status& first) {
  ObjectReader in(json, "partition spec", first);
  PartitionSpec spec;
  spec.spec_id = in.maybe_id("spec-id").value_or(0);
  for (const Json& member : in.array("fields")) {
    ObjectReader field(member, "partition field", first);
    spec.fields.push_back({read_source(field), field.maybe_id("field-id").value_or(0), field.text("name"), {field.text("transform")}});
  }
  return spec;
}

SortOrder read_order(const Json& json, Status& first) {
  ObjectReader in(json, "sort order", first);
  SortOrder order;
  order.order_id = in.maybe_id("order-id").value_or(0);
  for (const Json& member : in.array("fields")) {
    ObjectReader field(member, "sort field", first);
    const std::string direction = field.text("direction"), nulls = field.text("null-order");
    if (direction != "asc" && direction != "desc") field.fail("direction is \"" + direction + "\", not asc or desc");
    if (nulls != "nulls-first" && nulls != "nulls-last") field.fail("null-order is \"" + nulls + "\", not nulls-first or nulls-last");
    order.fields.push_back({read_source(field), {field.text("transform")}, direction == "asc", nulls == "nulls-first"});
  }
  return order;
}

}  // namespace halocline::iceberg
