#include "history/iceberg/metadata_update_json.h"

#include <map>
#include <string>

#include "history/iceberg/schema_json.h"
#include "history/iceberg/table_metadata_json.h"

namespace halocline::iceberg {
namespace {

struct Reading {
  const Json& json;
  ObjectReader& in;
  Status& first;
};

// "statistics" may carry its snapshot's id beside it as well (it had to, once).
StatisticsFile statistics_in(const Reading& r, const char* key) { return read_statistics(r.in.object(key), r.first); }

std::vector<std::int64_t> required_ids(const Reading& r, const char* key) {
  static_cast<void>(r.in.array(key));
  return r.in.maybe_number_list(key);
}

using UpdateReader = MetadataUpdate (*)(const Reading&);
const std::map<std::string, UpdateReader>& update_readers() {
  static const std::map<std::string, UpdateReader> kReaders = {
      {"assign-uuid", [](const Reading& r) -> MetadataUpdate { return AssignUuid{r.in.text("uuid")}; }},
      {"upgrade-format-version", [](const Reading& r) -> MetadataUpdate { return UpgradeFormatVersion{r.in.id("format-version")}; }},
      {"add-schema", [](const Reading& r) -> MetadataUpdate { return AddSchema{read_schema(r.in.object("schema"), r.first)}; }},
      {"set-current-schema", [](const Reading& r) -> MetadataUpdate { return SetCurrentSchema{r.in.id("schema-id")}; }},
      {"add-spec", [](const Reading& r) -> MetadataUpdate { return AddPartitionSpec{read_spec(r.in.object("spec"), r.first)}; }},
      {"set-default-spec", [](const Reading& r) -> MetadataUpdate { return SetDefaultSpec{r.in.id("spec-id")}; }},
      {"add-sort-order", [](const Reading& r) -> MetadataUpdate { return AddSortOrder{read_order(r.in.object("sort-order"), r.first)}; }},
      {"set-default-sort-order", [](const Reading& r) -> MetadataUpdate { return SetDefaultSortOrder{r.in.id("sort-order-id")}; }},
      {"add-snapshot", [](const Reading& r) -> MetadataUpdate { return AddSnapshot{read_snapshot(r.in.object("snapshot"), r.first)}; }},
      {"remove-snapshots", [](const Reading& r) -> MetadataUpdate { return RemoveSnapshots{required_ids(r, "snapshot-ids")}; }},
      {"set-snapshot-ref",
       [](const Reading& r) -> MetadataUpdate { return SetSnapshotRef{r.in.text("ref-name"), read_snapshot_ref(r.json, r.first)}; }},
      {"remove-snapshot-ref", [](const Reading& r) -> MetadataUpdate { return RemoveSnapshotRef{r.in.text("ref-name")}; }},
      {"set-properties",
       [](const Reading& r) -> MetadataUpdate {
         const char* key = r.in.find("updates") == nullptr && r.in.find("updated") != nullptr ? "updated" : "updates";
         static_cast<void>(r.in.object(key));
         return SetProperties{r.in.maybe_texts(key)};
       }},
      {"remove-properties",
       [](const Reading& r) -> MetadataUpdate {
         const char* key = r.in.find("removals") == nullptr && r.in.find("removed") != nullptr ? "removed" : "removals";
         static_cast<void>(r.in.array(key));
         return RemoveProperties{r.in.maybe_text_list(key)};
       }},
      {"set-location", [](const Reading& r) -> MetadataUpdate { return SetLocation{r.in.text("location")}; }},
      {"set-statistics", [](const Reading& r) -> MetadataUpdate { return SetStatistics{statistics_in(r, "statistics")}; }},
      {"remove-statistics", [](const Reading& r) -> MetadataUpdate { return RemoveStatistics{r.in.number("snapshot-id")}; }},
      {"set-partition-statistics",
       [](const Reading& r) -> MetadataUpdate { return SetPartitionStatistics{statistics_in(r, "partition-statistics")}; }},
      {"remove-partition-statistics",
       [](const Reading& r) -> MetadataUpdate { return RemovePartitionStatistics{r.in.number("snapshot-id")}; }},
      {"remove-partition-specs", [](const Reading& r) -> MetadataUpdate { return RemovePartitionSpecs{required_ids(r, "spec-ids")}; }},
      {"remove-schemas", [](const Reading& r) -> MetadataUpdate { return RemoveSchemas{required_ids(r, "schema-ids")}; }},
      {"add-encryption-key",
       [](const Reading& r) -> MetadataUpdate { return AddEncryptionKey{read_encryption_key(r.in.object("encryption-key"), r.first)}; }},
      {"remove-encryption-key", [](const Reading& r) -> MetadataUpdate { return RemoveEncryptionKey{r.in.text("key-id")}; }},
  };
  return kReaders;
}

using RequirementReader = Requirement (*)(ObjectReader&);
const std::map<std::string, RequirementReader>& requirement_readers() {
  static const std::map<std::string, RequirementReader> kReaders = {
      {"assert-create", [](ObjectReader&) -> Requirement { return AssertCreate{}; }},
      {"assert-table-uuid", [](ObjectReader& in) -> Requirement { return AssertTableUuid{in.text("uuid")}; }},
      {"assert-ref-snapshot-id",
       [](ObjectReader& in) -> Requirement { return AssertRefSnapshotId{in.text("ref"), in.maybe_number("snapshot-id")}; }},
      {"assert-last-assigned-field-id",
       [](ObjectReader& in) -> Requirement { return AssertLastAssignedFieldId{in.id("last-assigned-field-id")}; }},
      {"assert-current-schema-id", [](ObjectReader& in) -> Requirement { return AssertCurrentSchemaId{in.id("current-schema-id")}; }},
      {"assert-last-assigned-partition-id",
       [](ObjectReader& in) -> Requirement { return AssertLastAssignedPartitionId{in.id("last-assigned-partition-id")}; }},
      {"assert-default-spec-id", [](ObjectReader& in) -> Requirement { return AssertDefaultSpecId{in.id("default-spec-id")}; }},
      {"assert-default-sort-order-id",
       [](ObjectReader& in) -> Requirement { return AssertDefaultSortOrderId{in.id("default-sort-order-id")}; }},
  };
  return kReaders;
}

Json kept(const std::string& json) { return Json::parse(json, nullptr, false); }

struct UpdateWriter {
  Json operator()(const AssignUuid& u) const { return {{"action", "assign-uuid"}, {"uuid", u.uuid}}; }
  Json operator()(const UpgradeFormatVersion& u) const {
    return {{"action", "upgrade-format-version"}, {"format-version", u.format_version}};
  }
  Json operator()(const AddSchema& u) const { return {{"action", "add-schema"}, {"schema", to_json(u.schema)}}; }
  Json operator()(const SetCurrentSchema& u) const { return {{"action", "set-current-schema"}, {"schema-id", u.schema_id}}; }
  Json operator()(const AddPartitionSpec& u) const { return {{"action", "add-spec"}, {"spec", to_json(u.spec)}}; }
  Json operator()(const SetDefaultSpec& u) const { return {{"action", "set-default-spec"}, {"spec-id", u.spec_id}}; }
  Json operator()(const AddSortOrder& u) const { return {{"action", "add-sort-order"}, {"sort-order", to_json(u.order)}}; }
  Json operator()(const SetDefaultSortOrder& u) const { return {{"action", "set-default-sort-order"}, {"sort-order-id", u.order_id}}; }
  Json operator()(const AddSnapshot& u) const { return {{"action", "add-snapshot"}, {"snapshot", to_json(u.snapshot)}}; }
  Json operator()(const RemoveSnapshots& u) const { return {{"action", "remove-snapshots"}, {"snapshot-ids", u.snapshot_ids}}; }
  Json operator()(const SetSnapshotRef& u) const {
    Json json = to_json(u.ref);
    json["action"] = "set-snapshot-ref", json["ref-name"] = u.name;
    return json;
  }
  Json operator()(const RemoveSnapshotRef& u) const { return {{"action", "remove-snapshot-ref"}, {"ref-name", u.name}}; }
  Json operator()(const SetProperties& u) const { return {{"action", "set-properties"}, {"updates", u.updates}}; }
  Json operator()(const RemoveProperties& u) const { return {{"action", "remove-properties"}, {"removals", u.removals}}; }
  Json operator()(const SetLocation& u) const { return {{"action", "set-location"}, {"location", u.location}}; }
  Json operator()(const SetStatistics& u) const { return {{"action", "set-statistics"}, {"statistics", kept(u.file.json)}}; }
  Json operator()(const RemoveStatistics& u) const { return {{"action", "remove-statistics"}, {"snapshot-id", u.snapshot_id}}; }
  Json operator()(const SetPartitionStatistics& u) const {
    return {{"action", "set-partition-statistics"}, {"partition-statistics", kept(u.file.json)}};
  }
  Json operator()(const RemovePartitionStatistics& u) const {
    return {{"action", "remove-partition-statistics"}, {"snapshot-id", u.snapshot_id}};
  }
  Json operator()(const RemovePartitionSpecs& u) const { return {{"action", "remove-partition-specs"}, {"spec-ids", u.spec_ids}}; }
  Json operator()(const RemoveSchemas& u) const { return {{"action", "remove-schemas"}, {"schema-ids", u.schema_ids}}; }
  Json operator()(const AddEncryptionKey& u) const { return {{"action", "add-encryption-key"}, {"encryption-key", kept(u.key.json)}}; }
  Json operator()(const RemoveEncryptionKey& u) const { return {{"action", "remove-encryption-key"}, {"key-id", u.key_id}}; }
};

struct RequirementWriter {
  Json operator()(const AssertCreate&) const { return {{"type", "assert-create"}}; }
  Json operator()(const AssertTableUuid& r) const { return {{"type", "assert-table-uuid"}, {"uuid", r.uuid}}; }
  Json operator()(const AssertRefSnapshotId& r) const {
    return {{"type", "assert-ref-snapshot-id"}, {"ref", r.ref}, {"snapshot-id", r.snapshot_id ? Json(*r.snapshot_id) : Json()}};
  }
  Json operator()(const AssertLastAssignedFieldId& r) const {
    return {{"type", "assert-last-assigned-field-id"}, {"last-assigned-field-id", r.last_assigned_field_id}};
  }
  Json operator()(const AssertCurrentSchemaId& r) const {
    return {{"type", "assert-current-schema-id"}, {"current-schema-id", r.current_schema_id}};
  }
  Json operator()(const AssertLastAssignedPartitionId& r) const {
    return {{"type", "assert-last-assigned-partition-id"}, {"last-assigned-partition-id", r.last_assigned_partition_id}};
  }
  Json operator()(const AssertDefaultSpecId& r) const {
    return {{"type", "assert-default-spec-id"}, {"default-spec-id", r.default_spec_id}};
  }
  Json operator()(const AssertDefaultSortOrderId& r) const {
    return {{"type", "assert-default-sort-order-id"}, {"default-sort-order-id", r.default_sort_order_id}};
  }
};

}  // namespace

Json to_json(const MetadataUpdate& update) { return std::visit(UpdateWriter(), update); }
Json to_json(const Requirement& requirement) { return std::visit(RequirementWriter(), requirement); }

std::vector<MetadataUpdate> read_updates(const Json& array, Status& first) {
  std::vector<MetadataUpdate> updates;
  for (const Json& json : array) {
    ObjectReader in(json, "metadata update", first);
    const std::string action = in.text("action");
    if (!first.ok()) break;
    const auto reader = update_readers().find(action);
    if (reader == update_readers().end()) {
      first = Status(Code::kUnsupported, "Cannot apply metadata update \"" + action + "\": it is not known");
      break;
    }
    updates.push_back(reader->second({json, in, first}));
  }
  return updates;
}

std::vector<Requirement> read_requirements(const Json& array, Status& first) {
  std::vector<Requirement> requirements;
  for (const Json& json : array) {
    ObjectReader in(json, "requirement", first);
    const std::string type = in.text("type");
    if (!first.ok()) break;
    const auto reader = requirement_readers().find(type);
    if (reader == requirement_readers().end()) {
      first = Status(Code::kUnsupported, "Cannot check requirement \"" + type + "\": it is not known");
      break;
    }
    requirements.push_back(reader->second(in));
  }
  return requirements;
}

}  // namespace halocline::iceberg
