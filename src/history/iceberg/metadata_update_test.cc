#include "history/iceberg/metadata_update.h"

#include <gtest/gtest.h>

#include "history/iceberg/metadata_update_json.h"
#include "history/iceberg/table_metadata_json.h"

namespace halocline::iceberg {
namespace {

TableDraft draft() {
  TableDraft draft;
  draft.location = "file:///w/t";
  draft.schema.fields = {required(3, "id", primitive(TypeKind::kLong)), optional(4, "at", primitive(TypeKind::kTimestamptz))};
  draft.spec.fields = {{4, 0, "at_day", {"day"}}};
  draft.order.fields = {{3, {"identity"}, true, false}};
  return draft;
}

TableMetadata new_table(int version = 2) {
  TableDraft made = draft();
  made.properties = {{"format-version", std::to_string(version)}, {"owner", "risk"}};
  Result<TableMetadata> metadata = new_table_metadata(made, "0b7cf2a4-6d5e-4b6f-8f6e-9a3d0a4f2f11", 1'000);
  EXPECT_TRUE(metadata.ok()) << metadata.status().message();
  return metadata.take();
}

Snapshot snapshot(std::int64_t id, std::int64_t number, std::optional<std::int64_t> parent = {}) {
  Snapshot made;
  made.snapshot_id = id;
  made.sequence_number = number;
  made.parent_snapshot_id = parent;
  made.timestamp_ms = 2'000 + number;
  made.manifest_list = "file:///w/t/metadata/snap-" + std::to_string(id) + ".avro";
  made.summary = {{"operation", "append"}, {"halocline.last-seq", std::to_string(number)}};
  return made;
}

SetSnapshotRef main_at(std::int64_t id) { return {"main", {id, true, {}, {}, {}}}; }

Result<TableMetadata> apply(const TableMetadata& base, const std::vector<MetadataUpdate>& updates) {
  return apply_updates(&base, updates, {5'000, "file:///w/t/metadata/00000.metadata.json"});
}

TableMetadata applied(const TableMetadata& base, const std::vector<MetadataUpdate>& updates) {
  Result<TableMetadata> next = apply(base, updates);
  EXPECT_TRUE(next.ok()) << next.status().message();
  return next.take();
}

TEST(NewTable, HasFreshIds) {
  const TableMetadata table = new_table();
  EXPECT_EQ(table.current_schema().find_name("id")->id, 1);
  EXPECT_EQ(table.default_spec().fields[0].source_id, 2);
  EXPECT_EQ(table.default_spec().fields[0].field_id, 1'000);
  EXPECT_EQ(table.default_sort_order_id, 1);
  EXPECT_EQ(table.default_sort_order().fields[0].source_id, 1);
  EXPECT_EQ(table.last_column_id, 2);
  EXPECT_EQ(table.last_partition_id, 1'000);
  EXPECT_FALSE(table.properties.contains("format-version"));
  EXPECT_EQ(table.properties.at("owner"), "risk");
  EXPECT_EQ(table.current_snapshot(), nullptr);
}

TEST(NewTable, AnUnknownVersionIsRefused) {
  TableDraft made = draft();
  made.properties = {{"format-version", "1"}};
  EXPECT_EQ(new_table_metadata(made, "u", 0).status().message(), "Unsupported format version: 1 (supported: 2, 3)");
}

TEST(MetadataJson, ReadsWhatItWritesInBothVersions) {
  for (const int version : {2, 3}) {
    Snapshot first = snapshot(7, 1);
    if (version == 3) first.first_row_id = 0, first.added_rows = 10;
    SnapshotRef tag{7, false, {}, {}, 86'400'000};
    const TableMetadata table =
        applied(new_table(version),
                {AddSnapshot{first}, main_at(7), SetSnapshotRef{"eod", tag},
                 SetStatistics{{7, R"({"file-size-in-bytes":9,"snapshot-id":7,"statistics-path":"s"})"}}});
    const std::string text = table_metadata_text(table);
    const Result<TableMetadata> read = parse_table_metadata(text);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(table_metadata_text(read.value()), text);
    EXPECT_EQ(read.value().current_snapshot()->summary.at("halocline.last-seq"), "1");
    EXPECT_EQ(read.value().next_row_id, version == 3 ? 10 : 0);
  }
}

TEST(MetadataJson, AFileWithoutRefsHasTheBranchMain) {
  const TableMetadata table = applied(new_table(), {AddSnapshot{snapshot(7, 1)}, main_at(7)});
  Json json = Json::parse(table_metadata_text(table));
  json.erase("refs");
  const Result<TableMetadata> read = parse_table_metadata(json.dump());
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read.value().ref("main")->snapshot_id, 7);
}

TEST(MetadataJson, WhatDoesNotHoldTogetherIsRefused) {
  const Json good = Json::parse(table_metadata_text(applied(new_table(), {AddSnapshot{snapshot(7, 1)}, main_at(7)})));
  const auto why = [&](const char* pointer, Json value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = std::move(value);
    return parse_table_metadata(bad.dump()).status().message();
  };
  EXPECT_EQ(why("/current-schema-id", 5), "Invalid table metadata: Cannot find schema with current-schema-id=5");
  EXPECT_EQ(why("/default-spec-id", 5), "Invalid table metadata: Cannot find partition spec with default-spec-id=5");
  EXPECT_EQ(why("/default-sort-order-id", 5), "Invalid table metadata: Cannot find sort order with default-sort-order-id=5");
  EXPECT_EQ(why("/current-snapshot-id", 8), "Invalid table metadata: Cannot find current snapshot 8");
  EXPECT_EQ(why("/format-version", 1), "Cannot read unsupported version 1 (supported: 2, 3)");
  EXPECT_EQ(why("/snapshots/0/timestamp-ms", "x"), "Cannot parse snapshot: timestamp-ms is not a whole number of 64 bits");
  EXPECT_EQ(why("/last-column-id", 1), "Invalid table metadata: last-column-id is 1, and the schema has field 2");
}

TEST(MetadataJson, EveryCutOfAFileIsRefused) {
  const std::string text = table_metadata_text(applied(new_table(3), {SetProperties{{{"a", "b"}}}}));
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(parse_table_metadata(text.substr(0, size)).ok()) << size;
  EXPECT_FALSE(parse_table_metadata(std::string(100'000, '[')).ok());
}

TEST(Updates, AnAppendMovesMainAndTheLogs) {
  const TableMetadata one = applied(new_table(), {AddSnapshot{snapshot(7, 1)}, main_at(7)});
  const TableMetadata two = applied(one, {AddSnapshot{snapshot(8, 2, 7)}, main_at(8)});
  EXPECT_EQ(two.current_snapshot_id, 8);
  EXPECT_EQ(two.last_sequence_number, 2);
  EXPECT_EQ(two.last_updated_ms, 2'002);
  ASSERT_EQ(two.snapshot_log.size(), 2u);
  EXPECT_EQ(two.snapshot_log[1].timestamp_ms, 2'002);
  ASSERT_EQ(two.metadata_log.size(), 2u);
  EXPECT_EQ(two.metadata_log[0].timestamp_ms, 1'000);
  EXPECT_EQ(two.metadata_log[1].timestamp_ms, 2'001);
}

TEST(Updates, WithoutEffectTheBaseComesBack) {
  const TableMetadata table = new_table();
  const TableMetadata same = applied(table, {UpgradeFormatVersion{2}, AssignUuid{table.table_uuid}, SetLocation{table.location}});
  EXPECT_EQ(table_metadata_text(same), table_metadata_text(table));
}

TEST(Updates, ASnapshotThatCameTooLateIsAConflict) {
  const TableMetadata table = applied(new_table(), {AddSnapshot{snapshot(7, 1)}, main_at(7)});
  const Result<TableMetadata> late = apply(table, {AddSnapshot{snapshot(8, 1, 7)}});
  EXPECT_EQ(late.status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(late.status().message(), "Cannot add snapshot with sequence number 1 older than last sequence number 1");
  EXPECT_EQ(apply(table, {AddSnapshot{snapshot(7, 2, 7)}}).status().message(), "Snapshot already exists for id: 7");
}

TEST(Updates, RowIdsOfVersion3AreGivenOnce) {
  Snapshot first = snapshot(7, 1);
  EXPECT_EQ(apply(new_table(3), {AddSnapshot{first}}).status().message(), "Cannot add a snapshot: first-row-id is null");
  first.first_row_id = 0;
  first.added_rows = 10;
  const TableMetadata table = applied(new_table(3), {AddSnapshot{first}, main_at(7)});
  Snapshot second = snapshot(8, 2, 7);
  second.first_row_id = 9;
  second.added_rows = 1;
  EXPECT_EQ(apply(table, {AddSnapshot{second}}).status().code(), Code::kFailedPrecondition);
  second.first_row_id = 10;
  EXPECT_EQ(applied(table, {AddSnapshot{second}, main_at(8)}).next_row_id, 11);
}

TEST(Updates, ARemovedSnapshotTakesTheLogBeforeIt) {
  TableMetadata table = new_table();
  for (std::int64_t id = 1; id <= 4; ++id) {
    const SetSnapshotRef tag{"tag" + std::to_string(id), {id, false, {}, {}, {}}};
    table = applied(table, {AddSnapshot{snapshot(id, id, id - 1)}, main_at(id), tag});
  }
  const Status tagged = apply(table, {RemoveSnapshots{{2}}}).status();
  EXPECT_EQ(tagged.code(), Code::kFailedPrecondition);
  EXPECT_EQ(tagged.message(), "Cannot remove snapshot 2: tag tag2 points at it");
  EXPECT_EQ(apply(table, {RemoveSnapshots{{4}}, RemoveSnapshotRef{"tag4"}}).status().code(), Code::kFailedPrecondition);  // main
  const TableMetadata expired = applied(table, {RemoveSnapshots{{2}}, RemoveSnapshotRef{"tag2"}});  // in whatever order
  EXPECT_EQ(expired.snapshot(2), nullptr);
  EXPECT_EQ(expired.ref("tag2"), nullptr);
  EXPECT_NE(expired.ref("tag1"), nullptr);
  ASSERT_EQ(expired.snapshot_log.size(), 2u);  // 1 is still there, but what was current after it is not known any more
  EXPECT_EQ(expired.snapshot_log[0].snapshot_id, 3);
}

TEST(Updates, SnapshotsPassedOverInOneCommitAreNotInTheLog) {
  const TableMetadata table = applied(new_table(), {AddSnapshot{snapshot(7, 1)}, main_at(7), AddSnapshot{snapshot(8, 2, 7)}, main_at(8)});
  ASSERT_EQ(table.snapshot_log.size(), 1u);
  EXPECT_EQ(table.snapshot_log[0].snapshot_id, 8);
  EXPECT_EQ(table.snapshots.size(), 2u);
}

TEST(Updates, ASchemaEvolvesAndAKnownOneIsUsedAgain) {
  const TableMetadata table = new_table();
  Schema wider = table.current_schema();
  wider.fields.push_back(optional(3, "note", primitive(TypeKind::kString)));
  const TableMetadata evolved = applied(table, {AddSchema{wider}, SetCurrentSchema{}});
  EXPECT_EQ(evolved.current_schema_id, 1);
  EXPECT_EQ(evolved.last_column_id, 3);
  const TableMetadata back = applied(evolved, {AddSchema{table.current_schema()}, SetCurrentSchema{}});
  EXPECT_EQ(back.current_schema_id, 0);
  EXPECT_EQ(back.last_column_id, 3);
  EXPECT_EQ(back.schemas.size(), 2u);
  EXPECT_EQ(apply(table, {SetCurrentSchema{}}).status().message(), "Cannot set last added schema: no schema has been added");
  EXPECT_EQ(apply(table, {SetCurrentSchema{9}}).status().message(), "Cannot set unknown schema: 9");
}

TEST(Updates, ADroppedSourceOfTheDefaultSpecIsRefused) {
  const TableMetadata table = new_table();
  Schema narrower = table.current_schema();
  narrower.fields.pop_back();
  EXPECT_EQ(apply(table, {AddSchema{narrower}, SetCurrentSchema{}}).status().message(),
            "Cannot find source column for partition field at_day: field 2 does not exist");
}

TEST(Updates, ASpecKeepsTheIdsItsFieldsHadBefore) {
  const TableMetadata table = new_table();
  PartitionSpec spec;
  spec.fields = {{1, 0, "id_bucket", {"bucket[8]"}}, {2, 0, "at_day", {"day"}}};
  const TableMetadata evolved = applied(table, {AddPartitionSpec{spec}, SetDefaultSpec{}});
  EXPECT_EQ(evolved.default_spec_id, 1);
  EXPECT_EQ(evolved.default_spec().fields[0].field_id, 1'001);
  EXPECT_EQ(evolved.default_spec().fields[1].field_id, 1'000);
  EXPECT_EQ(evolved.last_partition_id, 1'001);
  EXPECT_EQ(apply(evolved, {RemovePartitionSpecs{{1}}}).status().message(), "Cannot remove the default partition spec");
  EXPECT_EQ(applied(evolved, {RemovePartitionSpecs{{0}}}).partition_specs.size(), 1u);
}

TEST(Updates, TheMetadataLogIsPruned) {
  TableMetadata table = applied(new_table(), {SetProperties{{{kMetadataLogLength, "3"}}}});
  for (int i = 0; i < 5; ++i) table = applied(table, {SetProperties{{{"i", std::to_string(i)}}}});
  EXPECT_EQ(table.metadata_log.size(), 3u);
  EXPECT_EQ(apply(table, {SetProperties{{{kMetadataLogLength, "many"}}}}).status().code(), Code::kInvalidArgument);
}

TEST(Updates, MakeATableFromNothing) {
  const TableMetadata staged = new_table();
  const std::vector<MetadataUpdate> updates = {
      AssignUuid{staged.table_uuid}, UpgradeFormatVersion{2}, AddSchema{staged.current_schema()}, SetCurrentSchema{},
      AddPartitionSpec{staged.default_spec()}, SetDefaultSpec{}, AddSortOrder{staged.default_sort_order()}, SetDefaultSortOrder{},
      SetLocation{staged.location}, SetProperties{staged.properties}};
  const Result<TableMetadata> made = apply_updates(nullptr, updates, {1'000, ""});
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ(table_metadata_text(made.value()), table_metadata_text(staged));
  EXPECT_FALSE(apply_updates(nullptr, std::span(updates).first(5), {1'000, ""}).ok());
}

TEST(Requirements, HoldOrNot) {
  const TableMetadata table = applied(new_table(), {AddSnapshot{snapshot(7, 1)}, main_at(7)});
  const auto failure = [&](const Requirement& one) { return check_requirement(one, &table).message(); };
  EXPECT_EQ(failure(AssertCreate{}), "Requirement failed: table already exists");
  EXPECT_EQ(failure(AssertTableUuid{"0B7CF2A4-6d5e-4b6f-8f6e-9a3d0a4f2f11"}), "");
  EXPECT_NE(failure(AssertTableUuid{"0b7cf2a4"}), "");
  EXPECT_EQ(failure(AssertRefSnapshotId{"main", 7}), "");
  EXPECT_EQ(failure(AssertRefSnapshotId{"main", 6}), "Requirement failed: branch main has changed: expected id 6 != 7");
  EXPECT_EQ(failure(AssertRefSnapshotId{"main", {}}), "Requirement failed: branch main was created concurrently");
  EXPECT_EQ(failure(AssertRefSnapshotId{"eod", {}}), "");
  EXPECT_EQ(failure(AssertRefSnapshotId{"eod", 7}), "Requirement failed: branch or tag eod is missing, expected 7");
  EXPECT_EQ(failure(AssertLastAssignedFieldId{2}), "");
  EXPECT_EQ(failure(AssertLastAssignedFieldId{3}), "Requirement failed: last assigned field id changed: expected id 3 != 2");
  EXPECT_EQ(failure(AssertCurrentSchemaId{1}), "Requirement failed: current schema changed: expected id 1 != 0");
  EXPECT_EQ(failure(AssertLastAssignedPartitionId{1'000}), "");
  EXPECT_EQ(failure(AssertDefaultSpecId{1}), "Requirement failed: default partition spec changed: expected id 1 != 0");
  EXPECT_EQ(failure(AssertDefaultSortOrderId{0}), "Requirement failed: default sort order changed: expected id 0 != 1");
  EXPECT_TRUE(check_requirement(AssertCreate{}, nullptr).ok());
  EXPECT_FALSE(check_requirement(AssertRefSnapshotId{"main", {}}, nullptr).ok());
}

TEST(UpdateJson, EveryUpdateAndRequirementIsRead) {
  const Json updates = Json::parse(R"([
    {"action":"assign-uuid","uuid":"u"}, {"action":"upgrade-format-version","format-version":3},
    {"action":"add-schema","schema":{"type":"struct","schema-id":0,"fields":[]},"last-column-id":0},
    {"action":"set-current-schema","schema-id":-1}, {"action":"add-spec","spec":{"spec-id":0,"fields":[]}},
    {"action":"set-default-spec","spec-id":-1}, {"action":"add-sort-order","sort-order":{"order-id":0,"fields":[]}},
    {"action":"set-default-sort-order","sort-order-id":-1},
    {"action":"add-snapshot","snapshot":{"snapshot-id":1,"timestamp-ms":2,"manifest-list":"m","summary":{"operation":"append"}}},
    {"action":"remove-snapshots","snapshot-ids":[1,2]},
    {"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":1,"max-ref-age-ms":5},
    {"action":"remove-snapshot-ref","ref-name":"main"}, {"action":"set-properties","updates":{"a":"b"}},
    {"action":"remove-properties","removals":["a"]}, {"action":"set-location","location":"l"},
    {"action":"set-statistics","snapshot-id":1,"statistics":{"snapshot-id":1,"statistics-path":"p","file-size-in-bytes":3}},
    {"action":"remove-statistics","snapshot-id":1},
    {"action":"set-partition-statistics","partition-statistics":{"snapshot-id":1,"statistics-path":"p","file-size-in-bytes":3}},
    {"action":"remove-partition-statistics","snapshot-id":1}, {"action":"remove-partition-specs","spec-ids":[1]},
    {"action":"remove-schemas","schema-ids":[1]},
    {"action":"add-encryption-key","encryption-key":{"key-id":"k","encrypted-key-metadata":"bQ=="}},
    {"action":"remove-encryption-key","key-id":"k"}])");
  Status first;
  const std::vector<MetadataUpdate> read = read_updates(updates, first);
  ASSERT_TRUE(first.ok()) << first.message();
  ASSERT_EQ(read.size(), std::variant_size_v<MetadataUpdate>);
  std::set<std::size_t> kinds;
  for (const MetadataUpdate& update : read) kinds.insert(update.index());
  EXPECT_EQ(kinds.size(), std::variant_size_v<MetadataUpdate>);
  EXPECT_EQ(std::get<SetSnapshotRef>(read[10]).ref.max_ref_age_ms, 5);

  const std::vector<Requirement> requirements = read_requirements(Json::parse(R"([
    {"type":"assert-create"}, {"type":"assert-table-uuid","uuid":"u"}, {"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null},
    {"type":"assert-last-assigned-field-id","last-assigned-field-id":1}, {"type":"assert-current-schema-id","current-schema-id":1},
    {"type":"assert-last-assigned-partition-id","last-assigned-partition-id":1}, {"type":"assert-default-spec-id","default-spec-id":1},
    {"type":"assert-default-sort-order-id","default-sort-order-id":1}])"), first);
  ASSERT_TRUE(first.ok()) << first.message();
  ASSERT_EQ(requirements.size(), std::variant_size_v<Requirement>);
  EXPECT_FALSE(std::get<AssertRefSnapshotId>(requirements[2]).snapshot_id.has_value());
}

TEST(UpdateJson, WhatIsNotKnownOrIncompleteIsRefused) {
  const auto why = [](const char* json) {
    Status first;
    read_updates(Json::parse(json), first);
    return first;
  };
  EXPECT_EQ(why(R"([{"action":"add-view-version"}])").code(), Code::kUnsupported);
  EXPECT_EQ(why(R"([{"action":"set-location"}])").message(), "Cannot parse metadata update: location is missing");
  EXPECT_EQ(why(R"([{"action":"set-properties","updates":{"a":1}}])").message(), "Cannot parse metadata update: updates.a is not a string");
  EXPECT_EQ(why(R"([7])").message(), "Cannot parse metadata update: it is not an object");
  EXPECT_EQ(why(R"([{"action":"set-snapshot-ref","ref-name":"t","type":"tag","snapshot-id":1,"min-snapshots-to-keep":1}])").message(),
            "Cannot parse snapshot reference: a tag keeps no snapshots but its own: min-snapshots-to-keep and max-snapshot-age-ms are a "
            "branch's");
}

}  // namespace
}  // namespace halocline::iceberg
