// A table's metadata: what a metadata file holds. Iceberg spec, "Table Metadata", "Snapshots", "Snapshot References".
// Versions 2 and 3 are known.
//
// Values; any thread. It is changed by updates only (history/iceberg/metadata_update.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "history/iceberg/partitioning.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

inline constexpr int kLeastFormatVersion = 2;
inline constexpr int kMostFormatVersion = 3;
inline constexpr int kDefaultFormatVersion = 2;
inline constexpr std::string_view kMainBranch = "main";

using Properties = std::map<std::string, std::string>;

struct Snapshot {
  std::int64_t snapshot_id = 0;
  std::optional<std::int64_t> parent_snapshot_id;
  std::int64_t sequence_number = 0;
  std::int64_t timestamp_ms = 0;  // since 1970 UTC
  std::string manifest_list;      // location
  Properties summary;             // with "operation": append, replace, overwrite or delete
  std::optional<std::int32_t> schema_id;
  std::optional<std::int64_t> first_row_id;  // from version 3, with added_rows
  std::optional<std::int64_t> added_rows;
  std::string key_id;  // of an encryption key; empty: none
};

struct SnapshotRef {
  std::int64_t snapshot_id = 0;
  bool branch = true;  // else a tag
  std::optional<std::int32_t> min_snapshots_to_keep;
  std::optional<std::int64_t> max_snapshot_age_ms;
  std::optional<std::int64_t> max_ref_age_ms;

  friend bool operator==(const SnapshotRef&, const SnapshotRef&) = default;
};

struct SnapshotLogEntry {
  std::int64_t timestamp_ms = 0;
  std::int64_t snapshot_id = 0;
};

struct MetadataLogEntry {
  std::int64_t timestamp_ms = 0;
  std::string metadata_file;  // location
};

// A "statistics" or "partition-statistics" entry: what we know of it, and all of it as JSON.
struct StatisticsFile {
  std::int64_t snapshot_id = 0;
  std::string json;
};

struct EncryptionKey {
  std::string key_id;
  std::string json;
};

struct TableMetadata {
  int format_version = kDefaultFormatVersion;
  std::string table_uuid;
  std::string location;
  std::int64_t last_sequence_number = 0;
  std::int64_t last_updated_ms = 0;
  std::int32_t last_column_id = 0;
  std::vector<Schema> schemas;
  std::int32_t current_schema_id = 0;
  std::vector<PartitionSpec> partition_specs;
  std::int32_t default_spec_id = 0;
  std::int32_t last_partition_id = kFirstPartitionFieldId - 1;
  std::vector<SortOrder> sort_orders;
  std::int32_t default_sort_order_id = 0;
  Properties properties;
  std::optional<std::int64_t> current_snapshot_id;
  std::vector<Snapshot> snapshots;
  std::map<std::string, SnapshotRef> refs;
  std::vector<SnapshotLogEntry> snapshot_log;
  std::vector<MetadataLogEntry> metadata_log;
  std::vector<StatisticsFile> statistics;
  std::vector<StatisticsFile> partition_statistics;
  std::int64_t next_row_id = 0;  // from version 3
  std::vector<EncryptionKey> encryption_keys;

  // nullptr when there is none of that id.
  const Schema* schema(std::int32_t id) const;
  const PartitionSpec* spec(std::int32_t id) const;
  const SortOrder* sort_order(std::int32_t id) const;
  const Snapshot* snapshot(std::int64_t id) const;
  const SnapshotRef* ref(std::string_view name) const;

  // The current ones; of metadata that was checked (check_metadata) they are there.
  const Schema& current_schema() const;
  const PartitionSpec& default_spec() const;
  const SortOrder& default_sort_order() const;
  // nullptr before the first.
  const Snapshot* current_snapshot() const;

  // A property, or what it is by default.
  std::string property(const std::string& key, std::string_view otherwise) const;
  // kInvalidArgument when the property is there and is no whole number of at least 0.
  Result<std::int64_t> number_property(const std::string& key, std::int64_t otherwise) const;
};

// What must hold in any metadata file: the current things exist, ids are unique, refs point at snapshots, the default spec and
// order fit the current schema. kInvalidArgument says what does not.
Status check_metadata(const TableMetadata& metadata);

// What a new table is made of.
struct TableDraft {
  std::string location;
  Schema schema;
  PartitionSpec spec;
  SortOrder order;
  Properties properties;  // "format-version" chooses the version and is not kept as a property
};

// Metadata of a table without a snapshot, with fresh ids for fields, partition fields, spec and order, as Iceberg's own
// writers give them. `uuid` is the table's; now_ms since 1970 UTC. kInvalidArgument says what of the draft is wrong.
Result<TableMetadata> new_table_metadata(const TableDraft& draft, const std::string& uuid, std::int64_t now_ms);

// Without the snapshots no ref points at (REST spec, loadTable, snapshots=refs).
TableMetadata only_referenced_snapshots(TableMetadata metadata);

// A random UUID, version 4 (RFC 9562).
std::string random_uuid();

}  // namespace halocline::iceberg
