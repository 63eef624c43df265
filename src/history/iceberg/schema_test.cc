#include "history/iceberg/schema.h"

#include <gtest/gtest.h>

#include "history/iceberg/partitioning.h"
#include "history/iceberg/schema_json.h"

namespace halocline::iceberg {
namespace {

Type struct_of(std::vector<Field> fields) {
  Type type = primitive(TypeKind::kStruct);
  type.fields = std::move(fields);
  return type;
}

Type list_of(std::int32_t id, Type element) {
  Type type = primitive(TypeKind::kList);
  type.fields = {required(id, "element", std::move(element))};
  return type;
}

Type map_of(std::int32_t key_id, Type key, std::int32_t value_id, Type value) {
  Type type = primitive(TypeKind::kMap);
  type.fields = {required(key_id, "key", std::move(key)), optional(value_id, "value", std::move(value))};
  return type;
}

Schema nested_schema() {
  Schema schema;
  schema.fields = {
      required(10, "id", primitive(TypeKind::kLong), "the id"),
      optional(20, "legs", list_of(21, struct_of({required(22, "px", decimal(38, 8)),
                                                  optional(23, "at", primitive(TypeKind::kTimestamptz))}))),
      optional(30, "tags", map_of(31, primitive(TypeKind::kString), 32, primitive(TypeKind::kDouble))),
      optional(40, "raw", fixed(16)),
  };
  schema.identifier_field_ids = {10};
  return schema;
}

TEST(TypeText, EveryPrimitiveIsReadAsItIsWritten) {
  for (const char* text : {"boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "timestamp_ns",
                           "timestamptz_ns", "string", "uuid", "binary", "variant", "unknown", "decimal(38, 8)", "decimal(9, 0)",
                           "fixed[12]", "geometry", "geometry(srid:4326)", "geography(srid:4326, spherical)"}) {
    const Result<Type> type = parse_type(text);
    ASSERT_TRUE(type.ok()) << text << ": " << type.status().message();
    EXPECT_EQ(type_text(type.value()), text);
  }
  EXPECT_EQ(parse_type("decimal(9,2)").value(), decimal(9, 2));
}

TEST(TypeText, WhatIsNoTypeIsRefused) {
  for (const char* text : {"", "Int", "decimal", "decimal()", "decimal(39, 1)", "decimal(5, 6)", "decimal(1)", "decimal(0, 0)", "fixed[]",
                           "fixed[0]", "fixed[-1]", "fixed[99999999999]", "geometry(", "varchar(5)", "decimal(9,2"}) {
    const Result<Type> type = parse_type(text);
    EXPECT_EQ(type.status().code(), Code::kInvalidArgument) << text;
  }
}

TEST(SchemaJson, ReadsWhatItWrites) {
  const Schema schema = nested_schema();
  Status first;
  const Schema read = read_schema(to_json(schema), first);
  ASSERT_TRUE(first.ok()) << first.message();
  EXPECT_TRUE(read.same_as(schema));
  EXPECT_EQ(to_json(read), to_json(schema));
}

TEST(SchemaJson, SaysWhatIsWrong) {
  const struct {
    const char* json;
    const char* why;
  } cases[] = {
      {"[]", "Cannot parse schema: it is not an object"},
      {R"({"type":"struct"})", "Cannot parse schema: fields is missing"},
      {R"({"fields":[{"id":1,"name":"a","required":true}]})", "Cannot parse field: type is missing"},
      {R"({"fields":[{"id":"1","name":"a","required":true,"type":"int"}]})", "Cannot parse field: id is not a whole number of 64 bits"},
      {R"({"fields":[{"id":99999999999,"name":"a","required":true,"type":"int"}]})",
       "Cannot parse field: id is not a whole number of 32 bits"},
      {R"({"fields":[{"id":1,"name":"a","required":true,"type":"text"}]})", "Cannot parse type: \"text\""},
      {R"({"fields":[{"id":1,"name":"a","required":true,"type":{"type":"set"}}]})", "Cannot parse type: \"set\" is no kind of type"},
  };
  for (const auto& one : cases) {
    Status first;
    read_schema(Json::parse(one.json), first);
    EXPECT_EQ(first.message(), one.why) << one.json;
  }
}

TEST(SchemaJson, DeepTypesAreRefused) {
  Json type = "int";
  for (int depth = 0; depth < 40; ++depth) {
    type = {{"type", "list"}, {"element-id", depth + 2}, {"element", type}, {"element-required", true}};
  }
  Status first;
  read_schema({{"fields", {{{"id", 1}, {"name", "a"}, {"required", true}, {"type", type}}}}}, first);
  EXPECT_EQ(first.code(), Code::kInvalidArgument);
  EXPECT_NE(first.message().find("nested deeper"), std::string::npos) << first.message();
}

TEST(Schema, FindsFieldsByIdAndName) {
  const Schema schema = nested_schema();
  EXPECT_EQ(schema.find(22)->name, "px");
  EXPECT_EQ(schema.find_name("legs.element.px")->id, 22);
  EXPECT_EQ(schema.find_name("tags.value")->id, 32);
  EXPECT_EQ(schema.find_name("legs.px"), nullptr);
  EXPECT_EQ(schema.find(99), nullptr);
  EXPECT_EQ(schema.highest_field_id(), 40);
}

TEST(Schema, FreshIdsAreGivenLevelByLevel) {
  std::map<std::int32_t, std::int32_t> renumbered;
  const Schema fresh = with_fresh_ids(nested_schema(), renumbered);
  EXPECT_EQ(fresh.find_name("id")->id, 1);
  EXPECT_EQ(fresh.find_name("raw")->id, 4);
  EXPECT_EQ(fresh.find_name("legs.element")->id, 5);
  EXPECT_EQ(fresh.find_name("legs.element.px")->id, 6);
  EXPECT_EQ(fresh.find_name("tags.key")->id, 8);
  EXPECT_EQ(fresh.find_name("tags.value")->id, 9);
  EXPECT_EQ(fresh.identifier_field_ids, std::vector<std::int32_t>{1});
  EXPECT_EQ(renumbered.at(22), 6);
}

TEST(Schema, WhatReadersCannotRelyOnIsRefused) {
  const auto refused = [](Schema schema, int version) { return check_schema(schema, version).message(); };
  Schema schema;
  schema.fields = {required(1, "a", primitive(TypeKind::kLong)), required(1, "b", primitive(TypeKind::kLong))};
  EXPECT_EQ(refused(schema, 2), "Invalid schema: multiple fields for id 1, the second is b");
  schema.fields[1].id = 2;
  schema.fields[1].name = "a";
  EXPECT_EQ(refused(schema, 2), "Invalid schema: multiple fields for name a");
  schema.fields[1] = optional(2, "b", primitive(TypeKind::kTimestampNs));
  EXPECT_EQ(refused(schema, 2), "Invalid schema for v2: b is of type timestamp_ns, which is supported from v3 on");
  EXPECT_TRUE(check_schema(schema, 3).ok());
  schema.fields[0].id = 0;
  EXPECT_TRUE(check_schema(schema, 3).ok());
  schema.fields[0].id = -1;
  EXPECT_EQ(refused(schema, 3), "Invalid schema: field a has the id -1; it must be 0 to 2147483447");
  schema.fields[0].id = 1;
  schema.identifier_field_ids = {2};
  EXPECT_EQ(refused(schema, 3),
            "Cannot add field b as an identifier field: it must be a required field of a primitive type other than float and double");
}

TEST(Transforms, TakeTheTypesTheSpecSays) {
  const Type text = primitive(TypeKind::kString), time = primitive(TypeKind::kTimestamptz), flag = primitive(TypeKind::kBoolean);
  EXPECT_TRUE(Transform{"bucket[16]"}.accepts(text));
  EXPECT_FALSE(Transform{"bucket[16]"}.accepts(flag));
  EXPECT_TRUE(Transform{"hour"}.accepts(time));
  EXPECT_FALSE(Transform{"hour"}.accepts(primitive(TypeKind::kDate)));
  EXPECT_TRUE(Transform{"truncate[3]"}.accepts(decimal(9, 2)));
  EXPECT_EQ(Transform{"truncate[3]"}.parameter(), 3);
  EXPECT_EQ(Transform{"bucket[0]"}.kind(), TransformKind::kUnknown);
  EXPECT_EQ(Transform{"zorder"}.kind(), TransformKind::kUnknown);
  EXPECT_EQ(Transform{"day"}.result(time), primitive(TypeKind::kDate));
}

TEST(Specs, AreCheckedAgainstTheSchema) {
  const Schema schema = nested_schema();
  const auto refused = [&](PartitionField field) { return check_new_spec({0, {std::move(field)}}, schema).message(); };
  EXPECT_EQ(refused({10, 1000, "id_bucket", {"bucket[4]"}}), "");
  EXPECT_EQ(refused({10, 1000, "id", {"identity"}}), "");
  EXPECT_EQ(refused({10, 1000, "raw", {"identity"}}), "Cannot create partition from name that exists in schema: raw");
  EXPECT_EQ(refused({10, 1000, "id", {"bucket[4]"}}), "Cannot create partition from name that exists in schema: id");
  EXPECT_EQ(refused({99, 1000, "x", {"identity"}}), "Cannot find source column for partition field x: field 99 does not exist");
  EXPECT_EQ(refused({22, 1000, "x", {"identity"}}), "Cannot find source column for partition field x: field 22 is within a list or a map");
  EXPECT_EQ(refused({10, 1000, "x", {"day"}}), "Invalid source type long of id for transform: day");
}

}  // namespace
}  // namespace halocline::iceberg
