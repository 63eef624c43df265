// Updates of a table's metadata, and what a committer requires of the metadata it updates: the words of a commit.
// Iceberg REST spec (rest-catalog-open-api.yaml), TableUpdate and TableRequirement; they mean there what they mean here.
//
//   std::vector<MetadataUpdate> updates = {AddSnapshot{snapshot}, SetSnapshotRef{"main", {snapshot.snapshot_id}}};
//   Result<TableMetadata> next = apply_updates(current, updates, {.now_ms = now, .previous_file = location});
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"
#include "history/iceberg/table_metadata.h"

namespace halocline::iceberg {

// An id of -1 is the one added last in the same commit.
inline constexpr std::int32_t kLastAdded = -1;

struct AssignUuid { std::string uuid; };
struct UpgradeFormatVersion { std::int32_t format_version = 0; };
// A schema, spec or order that is there already is not added again; its id is what is given on.
struct AddSchema { Schema schema; };
struct SetCurrentSchema { std::int32_t schema_id = kLastAdded; };
struct AddPartitionSpec { PartitionSpec spec; };
struct SetDefaultSpec { std::int32_t spec_id = kLastAdded; };
struct AddSortOrder { SortOrder order; };
struct SetDefaultSortOrder { std::int32_t order_id = kLastAdded; };
struct AddSnapshot { Snapshot snapshot; };
// The statistics of it go too. No ref may point at it when the commit is applied: who removes it may not know of a tag that came since.
struct RemoveSnapshots { std::vector<std::int64_t> snapshot_ids; };
struct SetSnapshotRef { std::string name; SnapshotRef ref; };
struct RemoveSnapshotRef { std::string name; };
struct SetProperties { Properties updates; };
struct RemoveProperties { std::vector<std::string> removals; };
struct SetLocation { std::string location; };
struct SetStatistics { StatisticsFile file; };
struct RemoveStatistics { std::int64_t snapshot_id = 0; };
struct SetPartitionStatistics { StatisticsFile file; };
struct RemovePartitionStatistics { std::int64_t snapshot_id = 0; };
struct RemovePartitionSpecs { std::vector<std::int64_t> spec_ids; };
struct RemoveSchemas { std::vector<std::int64_t> schema_ids; };
struct AddEncryptionKey { EncryptionKey key; };
struct RemoveEncryptionKey { std::string key_id; };

using MetadataUpdate =
    std::variant<AssignUuid, UpgradeFormatVersion, AddSchema, SetCurrentSchema, AddPartitionSpec, SetDefaultSpec, AddSortOrder,
                 SetDefaultSortOrder, AddSnapshot, RemoveSnapshots, SetSnapshotRef, RemoveSnapshotRef, SetProperties, RemoveProperties,
                 SetLocation, SetStatistics, RemoveStatistics, SetPartitionStatistics, RemovePartitionStatistics, RemovePartitionSpecs,
                 RemoveSchemas, AddEncryptionKey, RemoveEncryptionKey>;

struct AssertCreate {};
struct AssertTableUuid { std::string uuid; };
struct AssertRefSnapshotId { std::string ref; std::optional<std::int64_t> snapshot_id; };  // nullopt: the ref must not exist
struct AssertLastAssignedFieldId { std::int32_t last_assigned_field_id = 0; };
struct AssertCurrentSchemaId { std::int32_t current_schema_id = 0; };
struct AssertLastAssignedPartitionId { std::int32_t last_assigned_partition_id = 0; };
struct AssertDefaultSpecId { std::int32_t default_spec_id = 0; };
struct AssertDefaultSortOrderId { std::int32_t default_sort_order_id = 0; };

using Requirement = std::variant<AssertCreate, AssertTableUuid, AssertRefSnapshotId, AssertLastAssignedFieldId, AssertCurrentSchemaId,
                                 AssertLastAssignedPartitionId, AssertDefaultSpecId, AssertDefaultSortOrderId>;

// kFailedPrecondition when it does not hold. `base` is the table as it is, nullptr when there is none: then only AssertCreate
// holds.
Status check_requirement(const Requirement& requirement, const TableMetadata* base);

struct CommitContext {
  std::int64_t now_ms = 0;     // since 1970 UTC
  std::string previous_file;   // location of the base's metadata file, for the metadata log; empty for a new table
};

// The base with the updates applied in their order; from nothing, they make a table. Without any effect it is the base again.
// kInvalidArgument: an update that can never apply. kFailedPrecondition: one that came too late (a snapshot whose sequence
// number or first row id is behind the table's), or a snapshot to remove that a ref points at; the committer should look again and retry.
Result<TableMetadata> apply_updates(const TableMetadata* base, std::span<const MetadataUpdate> updates, const CommitContext& context);

// The properties that decide how long the metadata log is, and whether what falls out of it is removed.
inline constexpr char kMetadataLogLength[] = "write.metadata.previous-versions-max";           // default 100
inline constexpr char kRemoveOldMetadata[] = "write.metadata.delete-after-commit.enabled";  // default false

}  // namespace halocline::iceberg
