#include "history/iceberg/metadata_update.h"

#include <algorithm>
#include <set>
#include <utility>

namespace halocline::iceberg {
namespace {

constexpr std::int64_t kDefaultMetadataLogLength = 100;

Status invalid(const std::string& what) { return Status(Code::kInvalidArgument, what); }
Status conflict(const std::string& what) { return Status(Code::kFailedPrecondition, what); }

std::string text_of(std::int64_t number) { return std::to_string(number); }

// The id of the first that is the same, else one more than all of them.
template <class T, class Same>
std::int32_t reused_or_next(const std::vector<T>& among, std::int32_t T::* id, std::int32_t first, const Same& same) {
  std::int32_t next = first;
  for (const T& one : among) {
    if (same(one)) return one.*id;
    next = std::max(next, one.*id + 1);
  }
  return next;
}

// Metadata while updates are applied to it.
class MetadataBuilder {
 public:
  MetadataBuilder(const TableMetadata* base, const CommitContext& context) : base_(base), context_(context) {
    if (base != nullptr) next_ = *base;
    // A new table has nothing selected before an update says so.
    if (base == nullptr) next_.current_schema_id = next_.default_spec_id = next_.default_sort_order_id = kLastAdded;
  }

  Status apply(const MetadataUpdate& update) {
    return std::visit([this](const auto& one) { return on(one); }, update);
  }

  Result<TableMetadata> finish() {
    if (base_ != nullptr && !changed_) return std::move(next_);
    if (removed_snapshots_) {
      for (const auto& [name, ref] : next_.refs) {
        if (next_.snapshot(ref.snapshot_id) != nullptr) continue;
        return conflict("Cannot remove snapshot " + text_of(ref.snapshot_id) + ": " + (ref.branch ? "branch " : "tag ") + name +
                        " points at it");
      }
    }
    if (next_.table_uuid.empty()) next_.table_uuid = random_uuid();
    next_.last_updated_ms = updated_ms_.value_or(context_.now_ms);
    next_.snapshot_log = snapshot_log();
    if (Status status = add_to_metadata_log(); !status.ok()) return status;
    if (Status status = check_metadata(next_); !status.ok()) return status;
    return std::move(next_);
  }

 private:
  Status on(const AssignUuid& update) {
    if (update.uuid.empty()) return invalid("Cannot set uuid to nothing");
    if (base_ != nullptr && next_.table_uuid != update.uuid) return invalid("Cannot reassign the uuid of a table");
    changed_ |= next_.table_uuid != update.uuid;
    next_.table_uuid = update.uuid;
    return ok_status();
  }

  Status on(const UpgradeFormatVersion& update) {
    const int version = update.format_version;
    if (version < kLeastFormatVersion || version > kMostFormatVersion) {
      return invalid("Cannot upgrade table to unsupported format version: v" + text_of(version) + " (supported: v2, v3)");
    }
    if (version < next_.format_version) {
      return invalid("Cannot downgrade v" + text_of(next_.format_version) + " table to v" + text_of(version));
    }
    changed_ |= version != next_.format_version;
    next_.format_version = version;
    return ok_status();
  }

  Status on(const AddSchema& update) {
    if (Status status = check_schema(update.schema, next_.format_version); !status.ok()) return status;
    Schema schema = update.schema;
    schema.schema_id = reused_or_next(next_.schemas, &Schema::schema_id, 0, [&](const Schema& one) { return one.same_as(schema); });
    last_schema_ = schema.schema_id;
    if (next_.schema(schema.schema_id) != nullptr) return ok_status();
    next_.last_column_id = std::max(next_.last_column_id, schema.highest_field_id());
    next_.schemas.push_back(std::move(schema));
    changed_ = true;
    return ok_status();
  }

  Status on(const SetCurrentSchema& update) {
    return select(update.schema_id, last_schema_, next_.current_schema_id, "schema", [&](std::int32_t id) { return next_.schema(id); });
  }

  Status on(const AddPartitionSpec& update) {
    PartitionSpec spec = update.spec;
    const auto same = [&](const PartitionSpec& one) { return one.compatible_with(spec); };
    spec.spec_id = reused_or_next(next_.partition_specs, &PartitionSpec::spec_id, 0, same);
    last_spec_ = spec.spec_id;
    if (next_.spec(spec.spec_id) != nullptr) return ok_status();
    const Schema* schema = next_.schema(next_.current_schema_id);
    if (schema == nullptr) return invalid("Cannot add a partition spec before a schema is set");
    if (Status status = check_new_spec(spec, *schema); !status.ok()) return status;
    next_.last_partition_id = std::max(next_.last_partition_id, spec.last_field_id());
    for (PartitionField& field : spec.fields) {
      if (field.field_id == 0) field.field_id = partition_field_id(field);
    }
    next_.last_partition_id = std::max(next_.last_partition_id, spec.last_field_id());
    next_.partition_specs.push_back(std::move(spec));
    changed_ = true;
    return ok_status();
  }

  Status on(const SetDefaultSpec& update) {
    return select(update.spec_id, last_spec_, next_.default_spec_id, "spec", [&](std::int32_t id) { return next_.spec(id); });
  }

  Status on(const AddSortOrder& update) {
    SortOrder order = update.order;
    if (order.fields.empty()) {
      order.order_id = 0;
    } else {
      const auto same = [&](const SortOrder& one) { return one.fields == order.fields; };
      order.order_id = reused_or_next(next_.sort_orders, &SortOrder::order_id, 1, same);
    }
    last_order_ = order.order_id;
    if (next_.sort_order(order.order_id) != nullptr) return ok_status();
    const Schema* schema = next_.schema(next_.current_schema_id);
    if (schema == nullptr) return invalid("Cannot add a sort order before a schema is set");
    if (Status status = check_order(order, *schema); !status.ok()) return status;
    next_.sort_orders.push_back(std::move(order));
    changed_ = true;
    return ok_status();
  }

  Status on(const SetDefaultSortOrder& update) {
    return select(update.order_id, last_order_, next_.default_sort_order_id, "sort order",
                  [&](std::int32_t id) { return next_.sort_order(id); });
  }

  // "Snapshots", "Sequence Numbers", and for version 3 "Row Lineage".
  Status on(const AddSnapshot& update) {
    const Snapshot& snapshot = update.snapshot;
    if (next_.schemas.empty()) return invalid("Attempting to add a snapshot before a schema is added");
    if (next_.partition_specs.empty()) return invalid("Attempting to add a snapshot before a partition spec is added");
    if (next_.sort_orders.empty()) return invalid("Attempting to add a snapshot before a sort order is added");
    if (next_.snapshot(snapshot.snapshot_id) != nullptr) {
      return invalid("Snapshot already exists for id: " + text_of(snapshot.snapshot_id));
    }
    if (snapshot.sequence_number <= next_.last_sequence_number && snapshot.parent_snapshot_id.has_value()) {
      return conflict("Cannot add snapshot with sequence number " + text_of(snapshot.sequence_number) +
                      " older than last sequence number " + text_of(next_.last_sequence_number));
    }
    if (next_.format_version >= 3) {
      if (!snapshot.first_row_id.has_value()) return invalid("Cannot add a snapshot: first-row-id is null");
      if (!snapshot.added_rows.has_value()) return invalid("Cannot add a snapshot: added-rows is null");
      if (*snapshot.added_rows < 0) return invalid("Cannot add a snapshot: added-rows is negative");
      if (*snapshot.first_row_id < next_.next_row_id) {
        return conflict("Cannot add a snapshot, first-row-id is behind table next-row-id: " + text_of(*snapshot.first_row_id) + " < " +
                        text_of(next_.next_row_id));
      }
      if (__builtin_add_overflow(next_.next_row_id, *snapshot.added_rows, &next_.next_row_id)) {
        return invalid("Cannot add a snapshot: row ids are used up");
      }
    }
    updated_ms_ = snapshot.timestamp_ms;
    next_.last_sequence_number = snapshot.sequence_number;
    next_.snapshots.push_back(snapshot);
    added_.insert(snapshot.snapshot_id);
    changed_ = true;
    return ok_status();
  }

  Status on(const RemoveSnapshots& update) {
    const std::set<std::int64_t> removed(update.snapshot_ids.begin(), update.snapshot_ids.end());
    const std::size_t erased =
        std::erase_if(next_.snapshots, [&](const Snapshot& snapshot) { return removed.contains(snapshot.snapshot_id); });
    if (erased == 0) return ok_status();
    const auto of_removed = [&](const StatisticsFile& file) { return removed.contains(file.snapshot_id); };
    std::erase_if(next_.statistics, of_removed);
    std::erase_if(next_.partition_statistics, of_removed);
    removed_snapshots_ = true;
    changed_ = true;
    return ok_status();
  }

  Status on(const SetSnapshotRef& update) {
    const auto& [name, ref] = update;
    if (name.empty()) return invalid("Cannot set a ref without a name");
    if (const SnapshotRef* now = next_.ref(name); now != nullptr && *now == ref) return ok_status();
    const Snapshot* snapshot = next_.snapshot(ref.snapshot_id);
    if (snapshot == nullptr) return invalid("Cannot set " + name + " to unknown snapshot: " + text_of(ref.snapshot_id));
    if (name == kMainBranch) {
      if (!ref.branch) return invalid("Cannot set main to a tag, it must be a branch");
      if (!updated_ms_.has_value()) updated_ms_ = context_.now_ms;
      next_.snapshot_log.push_back({added_.contains(ref.snapshot_id) ? snapshot->timestamp_ms : *updated_ms_, ref.snapshot_id});
      if (next_.current_snapshot_id.has_value()) passed_.insert(*next_.current_snapshot_id);
      next_.current_snapshot_id = ref.snapshot_id;
    }
    next_.refs.insert_or_assign(name, ref);
    changed_ = true;
    return ok_status();
  }

  Status on(const RemoveSnapshotRef& update) {
    if (update.name == kMainBranch) next_.current_snapshot_id.reset();
    changed_ |= next_.refs.erase(update.name) > 0;
    return ok_status();
  }

  Status on(const SetProperties& update) {
    for (const auto& [key, value] : update.updates) next_.properties.insert_or_assign(key, value);
    changed_ |= !update.updates.empty();
    return ok_status();
  }

  Status on(const RemoveProperties& update) {
    for (const std::string& key : update.removals) next_.properties.erase(key);
    changed_ |= !update.removals.empty();
    return ok_status();
  }

  Status on(const SetLocation& update) {
    if (update.location.empty()) return invalid("Cannot set the location to nothing");
    changed_ |= next_.location != update.location;
    next_.location = update.location;
    return ok_status();
  }

  Status on(const SetStatistics& update) { return set_statistics(next_.statistics, update.file); }
  Status on(const RemoveStatistics& update) { return remove_statistics(next_.statistics, update.snapshot_id); }
  Status on(const SetPartitionStatistics& update) { return set_statistics(next_.partition_statistics, update.file); }
  Status on(const RemovePartitionStatistics& update) { return remove_statistics(next_.partition_statistics, update.snapshot_id); }

  Status on(const RemovePartitionSpecs& update) {
    for (const std::int64_t id : update.spec_ids) {
      if (id == next_.default_spec_id) return invalid("Cannot remove the default partition spec");
      changed_ |= std::erase_if(next_.partition_specs, [&](const PartitionSpec& spec) { return spec.spec_id == id; }) > 0;
    }
    return ok_status();
  }

  Status on(const RemoveSchemas& update) {
    for (const std::int64_t id : update.schema_ids) {
      if (id == next_.current_schema_id) return invalid("Cannot remove the current schema");
      changed_ |= std::erase_if(next_.schemas, [&](const Schema& schema) { return schema.schema_id == id; }) > 0;
    }
    return ok_status();
  }

  Status on(const AddEncryptionKey& update) {
    const auto same = [&](const EncryptionKey& key) { return key.key_id == update.key.key_id; };
    if (std::any_of(next_.encryption_keys.begin(), next_.encryption_keys.end(), same)) return ok_status();
    next_.encryption_keys.push_back(update.key);
    changed_ = true;
    return ok_status();
  }

  Status on(const RemoveEncryptionKey& update) {
    changed_ |= std::erase_if(next_.encryption_keys, [&](const EncryptionKey& key) { return key.key_id == update.key_id; }) > 0;
    return ok_status();
  }

  // Makes `id`, or what was added last, the current one.
  template <class Find>
  Status select(std::int32_t id, const std::optional<std::int32_t>& last_added, std::int32_t& current, const char* what, const Find& find) {
    if (id == kLastAdded && !last_added.has_value()) {
      return invalid(std::string("Cannot set last added ") + what + ": no " + what + " has been added");
    }
    const std::int32_t chosen = id == kLastAdded ? *last_added : id;
    if (find(chosen) == nullptr) return invalid(std::string("Cannot set unknown ") + what + ": " + text_of(chosen));
    changed_ |= current != chosen;
    current = chosen;
    return ok_status();
  }

  // The id that the same transform of the same field has in another spec, else a new one ("Partition Evolution").
  std::int32_t partition_field_id(const PartitionField& field) {
    for (const PartitionSpec& spec : next_.partition_specs) {
      for (const PartitionField& known : spec.fields) {
        if (known.source_id == field.source_id && known.transform == field.transform && known.name == field.name) return known.field_id;
      }
    }
    return ++next_.last_partition_id;
  }

  Status set_statistics(std::vector<StatisticsFile>& files, const StatisticsFile& file) {
    std::erase_if(files, [&](const StatisticsFile& one) { return one.snapshot_id == file.snapshot_id; });
    files.push_back(file);
    changed_ = true;
    return ok_status();
  }

  Status remove_statistics(std::vector<StatisticsFile>& files, std::int64_t snapshot_id) {
    changed_ |= std::erase_if(files, [&](const StatisticsFile& file) { return file.snapshot_id == snapshot_id; }) > 0;
    return ok_status();
  }

  // Without snapshots that were added and left again in this commit; after a gap made by removed snapshots it begins anew, so
  // that a look-up by time never gives a snapshot that was not current then.
  std::vector<SnapshotLogEntry> snapshot_log() const {
    std::vector<SnapshotLogEntry> log;
    for (const SnapshotLogEntry& entry : next_.snapshot_log) {
      const bool passed = added_.contains(entry.snapshot_id) && passed_.contains(entry.snapshot_id) &&
                          next_.current_snapshot_id != entry.snapshot_id;
      if (next_.snapshot(entry.snapshot_id) == nullptr) {
        if (removed_snapshots_) log.clear();
      } else if (!passed) {
        log.push_back(entry);
      }
    }
    return log;
  }

  // "Table Metadata", metadata-log: the base's file comes last, the oldest fall out.
  Status add_to_metadata_log() {
    if (base_ == nullptr || context_.previous_file.empty()) return ok_status();
    next_.metadata_log.push_back({base_->last_updated_ms, context_.previous_file});
    const Result<std::int64_t> most = next_.number_property(kMetadataLogLength, kDefaultMetadataLogLength);
    if (!most.ok()) return most.status();
    const std::size_t keep = static_cast<std::size_t>(std::max<std::int64_t>(1, most.value()));
    const std::size_t have = next_.metadata_log.size();
    if (have > keep) next_.metadata_log.erase(next_.metadata_log.begin(), next_.metadata_log.end() - static_cast<std::ptrdiff_t>(keep));
    return ok_status();
  }

  const TableMetadata* const base_;
  const CommitContext& context_;
  TableMetadata next_;
  bool changed_ = false;
  bool removed_snapshots_ = false;
  std::optional<std::int64_t> updated_ms_;
  std::optional<std::int32_t> last_schema_, last_spec_, last_order_;
  std::set<std::int64_t> added_, passed_;  // snapshots that came with this commit; that main pointed at before
};

bool same_uuid(const std::string& a, const std::string& b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

Status holds(const AssertCreate&, const TableMetadata&) { return conflict("Requirement failed: table already exists"); }

Status holds(const AssertTableUuid& required, const TableMetadata& base) {
  if (same_uuid(required.uuid, base.table_uuid)) return ok_status();
  return conflict("Requirement failed: UUID does not match: expected " + base.table_uuid + " != " + required.uuid);
}

Status holds(const AssertRefSnapshotId& required, const TableMetadata& base) {
  const SnapshotRef* ref = base.ref(required.ref);
  if (ref == nullptr) {
    if (!required.snapshot_id.has_value()) return ok_status();
    return conflict("Requirement failed: branch or tag " + required.ref + " is missing, expected " + text_of(*required.snapshot_id));
  }
  const std::string named = std::string(ref->branch ? "branch " : "tag ") + required.ref;
  if (!required.snapshot_id.has_value()) return conflict("Requirement failed: " + named + " was created concurrently");
  if (ref->snapshot_id == *required.snapshot_id) return ok_status();
  return conflict("Requirement failed: " + named + " has changed: expected id " + text_of(*required.snapshot_id) +
                  " != " + text_of(ref->snapshot_id));
}

Status same_id(std::int32_t required, std::int32_t actual, const char* what) {
  if (required == actual) return ok_status();
  return conflict(std::string("Requirement failed: ") + what + " changed: expected id " + text_of(required) + " != " + text_of(actual));
}

Status holds(const AssertLastAssignedFieldId& required, const TableMetadata& base) {
  return same_id(required.last_assigned_field_id, base.last_column_id, "last assigned field id");
}
Status holds(const AssertCurrentSchemaId& required, const TableMetadata& base) {
  return same_id(required.current_schema_id, base.current_schema_id, "current schema");
}
Status holds(const AssertLastAssignedPartitionId& required, const TableMetadata& base) {
  return same_id(required.last_assigned_partition_id, base.last_partition_id, "last assigned partition id");
}
Status holds(const AssertDefaultSpecId& required, const TableMetadata& base) {
  return same_id(required.default_spec_id, base.default_spec_id, "default partition spec");
}
Status holds(const AssertDefaultSortOrderId& required, const TableMetadata& base) {
  return same_id(required.default_sort_order_id, base.default_sort_order_id, "default sort order");
}

}  // namespace

Status check_requirement(const Requirement& requirement, const TableMetadata* base) {
  if (base == nullptr) {
    if (std::holds_alternative<AssertCreate>(requirement)) return ok_status();
    return conflict("Requirement failed: the table does not exist");
  }
  return std::visit([&](const auto& one) { return holds(one, *base); }, requirement);
}

Result<TableMetadata> apply_updates(const TableMetadata* base, std::span<const MetadataUpdate> updates, const CommitContext& context) {
  MetadataBuilder builder(base, context);
  for (const MetadataUpdate& update : updates) {
    if (Status status = builder.apply(update); !status.ok()) return status;
  }
  return builder.finish();
}

}  // namespace halocline::iceberg
