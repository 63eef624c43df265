#include "history/iceberg/table_metadata_json.h"

#include <utility>

#include "history/iceberg/schema_json.h"

namespace halocline::iceberg {
namespace {

template <class T>
Json array_of(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push_back(to_json(item));
  return json;
}

template <class T>
Json array_of_kept(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push_back(Json::parse(item.json));
  return json;
}

constexpr char kOperation[] = "operation";

}  // namespace

Json to_json(const Snapshot& snapshot) {
  Json json = {{"snapshot-id", snapshot.snapshot_id},   {"sequence-number", snapshot.sequence_number},
               {"timestamp-ms", snapshot.timestamp_ms}, {"manifest-list", snapshot.manifest_list},
               {"summary", snapshot.summary}};
  if (snapshot.parent_snapshot_id.has_value()) json["parent-snapshot-id"] = *snapshot.parent_snapshot_id;
  if (snapshot.schema_id.has_value()) json["schema-id"] = *snapshot.schema_id;
  if (snapshot.first_row_id.has_value()) json["first-row-id"] = *snapshot.first_row_id;
  if (snapshot.added_rows.has_value()) json["added-rows"] = *snapshot.added_rows;
  if (!snapshot.key_id.empty()) json["key-id"] = snapshot.key_id;
  return json;
}

Json to_json(const SnapshotRef& ref) {
  Json json = {{"snapshot-id", ref.snapshot_id}, {"type", ref.branch ? "branch" : "tag"}};
  if (ref.min_snapshots_to_keep.has_value()) json["min-snapshots-to-keep"] = *ref.min_snapshots_to_keep;
  if (ref.max_snapshot_age_ms.has_value()) json["max-snapshot-age-ms"] = *ref.max_snapshot_age_ms;
  if (ref.max_ref_age_ms.has_value()) json["max-ref-age-ms"] = *ref.max_ref_age_ms;
  return json;
}

Json to_json(const TableMetadata& metadata) {
  Json refs = Json::object(), snapshot_log = Json::array(), metadata_log = Json::array();
  for (const auto& [name, ref] : metadata.refs) refs[name] = to_json(ref);
  for (const SnapshotLogEntry& entry : metadata.snapshot_log) {
    snapshot_log.push_back({{"timestamp-ms", entry.timestamp_ms}, {"snapshot-id", entry.snapshot_id}});
  }
  for (const MetadataLogEntry& entry : metadata.metadata_log) {
    metadata_log.push_back({{"timestamp-ms", entry.timestamp_ms}, {"metadata-file", entry.metadata_file}});
  }
  Json json = {
      {"format-version", metadata.format_version},
      {"table-uuid", metadata.table_uuid},
      {"location", metadata.location},
      {"last-sequence-number", metadata.last_sequence_number},
      {"last-updated-ms", metadata.last_updated_ms},
      {"last-column-id", metadata.last_column_id},
      {"schemas", array_of(metadata.schemas)},
      {"current-schema-id", metadata.current_schema_id},
      {"partition-specs", array_of(metadata.partition_specs)},
      {"default-spec-id", metadata.default_spec_id},
      {"last-partition-id", metadata.last_partition_id},
      {"sort-orders", array_of(metadata.sort_orders)},
      {"default-sort-order-id", metadata.default_sort_order_id},
      {"properties", metadata.properties},
      {"snapshots", array_of(metadata.snapshots)},
      {"refs", std::move(refs)},
      {"snapshot-log", std::move(snapshot_log)},
      {"metadata-log", std::move(metadata_log)},
      {"statistics", array_of_kept(metadata.statistics)},
      {"partition-statistics", array_of_kept(metadata.partition_statistics)},
  };
  if (metadata.current_snapshot_id.has_value()) {
    json["current-snapshot-id"] = *metadata.current_snapshot_id;
  } else if (metadata.format_version >= 3) {
    json["current-snapshot-id"] = nullptr;
  } else {
    json["current-snapshot-id"] = -1;  // what readers of version 2 expect of a table without a snapshot
  }
  if (metadata.format_version >= 3) json["next-row-id"] = metadata.next_row_id;
  if (!metadata.encryption_keys.empty()) json["encryption-keys"] = array_of_kept(metadata.encryption_keys);
  return json;
}

Snapshot read_snapshot(const Json& json, Status& first) {
  ObjectReader in(json, "snapshot", first);
  Snapshot snapshot;
  snapshot.snapshot_id = in.number("snapshot-id");
  snapshot.parent_snapshot_id = in.maybe_number("parent-snapshot-id");
  snapshot.sequence_number = in.maybe_number("sequence-number").value_or(0);
  snapshot.timestamp_ms = in.number("timestamp-ms");
  snapshot.manifest_list = in.text("manifest-list");
  snapshot.summary = in.maybe_texts("summary");
  snapshot.schema_id = in.maybe_id("schema-id");
  snapshot.first_row_id = in.maybe_number("first-row-id");
  snapshot.added_rows = in.maybe_number("added-rows");
  snapshot.key_id = in.maybe_text("key-id").value_or("");
  if (!snapshot.summary.empty() && !snapshot.summary.contains(kOperation)) in.fail("summary.operation is missing");
  return snapshot;
}

SnapshotRef read_snapshot_ref(const Json& json, Status& first) {
  ObjectReader in(json, "snapshot reference", first);
  SnapshotRef ref;
  ref.snapshot_id = in.number("snapshot-id");
  const std::string type = in.text("type");
  ref.branch = type == "branch";
  if (!ref.branch && type != "tag") in.fail("type is \"" + type + "\", not branch or tag");
  ref.min_snapshots_to_keep = in.maybe_id("min-snapshots-to-keep");
  ref.max_snapshot_age_ms = in.maybe_number("max-snapshot-age-ms");
  ref.max_ref_age_ms = in.maybe_number("max-ref-age-ms");
  if (!ref.branch && (ref.min_snapshots_to_keep.has_value() || ref.max_snapshot_age_ms.has_value())) {
    in.fail("a tag keeps no snapshots but its own: min-snapshots-to-keep and max-snapshot-age-ms are a branch's");
  }
  const bool positive = ref.min_snapshots_to_keep.value_or(1) > 0 && ref.max_snapshot_age_ms.value_or(1) > 0 &&
                        ref.max_ref_age_ms.value_or(1) > 0;
  if (!positive) in.fail("min-snapshots-to-keep, max-snapshot-age-ms and max-ref-age-ms must be greater than 0");
  return ref;
}

StatisticsFile read_statistics(const Json& json, Status& first) {
  ObjectReader in(json, "statistics file", first);
  static_cast<void>(in.text("statistics-path"));
  static_cast<void>(in.number("file-size-in-bytes"));
  return {in.number("snapshot-id"), json_text(json)};
}

EncryptionKey read_encryption_key(const Json& json, Status& first) {
  ObjectReader in(json, "encryption key", first);
  static_cast<void>(in.text("encrypted-key-metadata"));
  return {in.text("key-id"), json_text(json)};
}

Result<TableMetadata> parse_table_metadata(std::string_view text) {
  const Result<Json> json = parse_json(text, "table metadata");
  return json.ok() ? read_table_metadata(json.value()) : json.status();
}

Result<TableMetadata> read_table_metadata(const Json& json) {
  Status first;
  ObjectReader in(json, "table metadata", first);
  TableMetadata metadata;
  metadata.format_version = in.id("format-version");
  if (!first.ok()) return first;
  if (metadata.format_version < kLeastFormatVersion || metadata.format_version > kMostFormatVersion) {
    return Status(Code::kUnsupported, "Cannot read unsupported version " + std::to_string(metadata.format_version) + " (supported: 2, 3)");
  }
  metadata.table_uuid = in.text("table-uuid");
  metadata.location = in.text("location");
  metadata.last_sequence_number = in.number("last-sequence-number");
  metadata.last_updated_ms = in.number("last-updated-ms");
  metadata.last_column_id = in.id("last-column-id");
  for (const Json& one : in.array("schemas")) metadata.schemas.push_back(read_schema(one, first));
  metadata.current_schema_id = in.id("current-schema-id");
  for (const Json& one : in.array("partition-specs")) metadata.partition_specs.push_back(read_spec(one, first));
  metadata.default_spec_id = in.id("default-spec-id");
  metadata.last_partition_id = in.id("last-partition-id");
  for (const Json& one : in.array("sort-orders")) metadata.sort_orders.push_back(read_order(one, first));
  metadata.default_sort_order_id = in.id("default-sort-order-id");
  metadata.properties = in.maybe_texts("properties");
  metadata.current_snapshot_id = in.maybe_number("current-snapshot-id");
  if (metadata.current_snapshot_id == -1) metadata.current_snapshot_id.reset();  // how version 2 writers say "none"
  for (const Json& one : in.maybe_array("snapshots")) metadata.snapshots.push_back(read_snapshot(one, first));
  for (const auto& [name, one] : in.maybe_object("refs").items()) metadata.refs.emplace(name, read_snapshot_ref(one, first));
  for (const Json& one : in.maybe_array("snapshot-log")) {
    ObjectReader entry(one, "snapshot log", first);
    metadata.snapshot_log.push_back({entry.number("timestamp-ms"), entry.number("snapshot-id")});
  }
  for (const Json& one : in.maybe_array("metadata-log")) {
    ObjectReader entry(one, "metadata log", first);
    metadata.metadata_log.push_back({entry.number("timestamp-ms"), entry.text("metadata-file")});
  }
  for (const Json& one : in.maybe_array("statistics")) metadata.statistics.push_back(read_statistics(one, first));
  for (const Json& one : in.maybe_array("partition-statistics")) metadata.partition_statistics.push_back(read_statistics(one, first));
  if (metadata.format_version >= 3) metadata.next_row_id = in.number("next-row-id");
  for (const Json& one : in.maybe_array("encryption-keys")) metadata.encryption_keys.push_back(read_encryption_key(one, first));
  // Refs came later than current-snapshot-id, which says the same of the branch main.
  if (metadata.refs.empty() && metadata.current_snapshot_id.has_value()) {
    metadata.refs.emplace(kMainBranch, SnapshotRef{*metadata.current_snapshot_id, true, {}, {}, {}});
  }
  if (!first.ok()) return first;
  if (const Status status = check_metadata(metadata); !status.ok()) {
    return Status(status.code(), "Invalid table metadata: " + status.message());
  }
  return metadata;
}

std::string table_metadata_text(const TableMetadata& metadata) { return json_text(to_json(metadata)); }

}  // namespace halocline::iceberg
