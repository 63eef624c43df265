#include "history/iceberg/table_metadata.h"

#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <span>

#include "base/check.h"
#include "base/sha256.h"

namespace halocline::iceberg {
namespace {

Status wrong(const std::string& what) { return Status(Code::kInvalidArgument, what); }

template <class T, class Id>
const T* with_id(const std::vector<T>& among, Id T::* member, Id id) {
  const auto found = std::find_if(among.begin(), among.end(), [&](const T& one) { return one.*member == id; });
  return found == among.end() ? nullptr : &*found;
}

template <class T, class Id>
Status check_ids(const std::vector<T>& among, Id T::* member, std::int64_t least, std::int64_t most, const char* what) {
  std::set<Id> ids;
  for (const T& one : among) {
    if (one.*member < least || one.*member > most) return wrong(std::string(what) + " has the id " + std::to_string(one.*member));
    if (!ids.insert(one.*member).second) return wrong(std::string(what) + " " + std::to_string(one.*member) + " stands there twice");
  }
  return ok_status();
}

constexpr char kFormatVersion[] = "format-version";

// Properties that are fields of their own, or not a table's (Iceberg's TableProperties, reserved).
bool reserved(const std::string& key) {
  static const std::set<std::string> kReserved = {kFormatVersion,        "uuid", "snapshot-count", "current-snapshot-id",
                                                  "current-snapshot-summary", "current-snapshot-timestamp-ms", "current-schema",
                                                  "default-partition-spec",   "default-sort-order"};
  return kReserved.contains(key);
}

Result<int> version_of(const Properties& properties) {
  const auto found = properties.find(kFormatVersion);
  if (found == properties.end()) return kDefaultFormatVersion;
  if (found->second == "2") return 2;
  if (found->second == "3") return 3;
  return wrong("Unsupported format version: " + found->second + " (supported: 2, 3)");
}

}  // namespace

const Schema* TableMetadata::schema(std::int32_t id) const { return with_id(schemas, &Schema::schema_id, id); }
const PartitionSpec* TableMetadata::spec(std::int32_t id) const { return with_id(partition_specs, &PartitionSpec::spec_id, id); }
const SortOrder* TableMetadata::sort_order(std::int32_t id) const { return with_id(sort_orders, &SortOrder::order_id, id); }
const Snapshot* TableMetadata::snapshot(std::int64_t id) const { return with_id(snapshots, &Snapshot::snapshot_id, id); }

const SnapshotRef* TableMetadata::ref(std::string_view name) const {
  const auto found = refs.find(std::string(name));
  return found == refs.end() ? nullptr : &found->second;
}

const Schema& TableMetadata::current_schema() const {
  const Schema* current = schema(current_schema_id);
  CHECK(current != nullptr);
  return *current;
}

const PartitionSpec& TableMetadata::default_spec() const {
  const PartitionSpec* current = spec(default_spec_id);
  CHECK(current != nullptr);
  return *current;
}

const SortOrder& TableMetadata::default_sort_order() const {
  const SortOrder* current = sort_order(default_sort_order_id);
  CHECK(current != nullptr);
  return *current;
}

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id.has_value() ? snapshot(*current_snapshot_id) : nullptr;
}

std::string TableMetadata::property(const std::string& key, std::string_view otherwise) const {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string(otherwise) : found->second;
}

Result<std::int64_t> TableMetadata::number_property(const std::string& key, std::int64_t otherwise) const {
  const auto found = properties.find(key);
  if (found == properties.end()) return otherwise;
  const std::string& text = found->second;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 0) return number;
  return wrong("property " + key + " is \"" + text + "\"; it must be a whole number of at least 0");
}

Status check_metadata(const TableMetadata& metadata) {
  if (metadata.format_version < kLeastFormatVersion || metadata.format_version > kMostFormatVersion) {
    return Status(Code::kUnsupported, "Unsupported format version: " + std::to_string(metadata.format_version) + " (supported: 2, 3)");
  }
  if (metadata.table_uuid.empty()) return wrong("the table has no uuid");
  if (metadata.location.empty()) return wrong("the table has no location");
  if (metadata.schema(metadata.current_schema_id) == nullptr) {
    return wrong("Cannot find schema with current-schema-id=" + std::to_string(metadata.current_schema_id));
  }
  if (metadata.spec(metadata.default_spec_id) == nullptr) {
    return wrong("Cannot find partition spec with default-spec-id=" + std::to_string(metadata.default_spec_id));
  }
  if (metadata.sort_order(metadata.default_sort_order_id) == nullptr) {
    return wrong("Cannot find sort order with default-sort-order-id=" + std::to_string(metadata.default_sort_order_id));
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const Status& ids : {check_ids(metadata.schemas, &Schema::schema_id, 0, kMostId, "schema"),
                            check_ids(metadata.partition_specs, &PartitionSpec::spec_id, 0, kMostId, "partition spec"),
                            check_ids(metadata.sort_orders, &SortOrder::order_id, 0, kMostId, "sort order"),
                            check_ids(metadata.snapshots, &Snapshot::snapshot_id, -kMost, kMost, "snapshot")}) {
    if (!ids.ok()) return ids;
  }
  if (metadata.last_partition_id > kMostId) return wrong("last-partition-id is " + std::to_string(metadata.last_partition_id));
  if (metadata.next_row_id < 0) return wrong("next-row-id is " + std::to_string(metadata.next_row_id));
  if (Status status = check_schema(metadata.current_schema(), metadata.format_version); !status.ok()) return status;
  if (Status status = check_spec(metadata.default_spec(), metadata.current_schema()); !status.ok()) return status;
  if (Status status = check_order(metadata.default_sort_order(), metadata.current_schema()); !status.ok()) return status;
  if (metadata.current_schema().highest_field_id() > metadata.last_column_id) {
    return wrong("last-column-id is " + std::to_string(metadata.last_column_id) + ", and the schema has field " +
                 std::to_string(metadata.current_schema().highest_field_id()));
  }
  if (metadata.current_snapshot_id.has_value() && metadata.current_snapshot() == nullptr) {
    return wrong("Cannot find current snapshot " + std::to_string(*metadata.current_snapshot_id));
  }
  for (const auto& [name, ref] : metadata.refs) {
    if (metadata.snapshot(ref.snapshot_id) == nullptr) {
      return wrong("ref " + name + " points at snapshot " + std::to_string(ref.snapshot_id) + ", which does not exist");
    }
  }
  const SnapshotRef* main = metadata.ref(kMainBranch);
  if (main != nullptr && metadata.current_snapshot_id != main->snapshot_id) {
    return wrong("the current snapshot is not the one branch main points at");
  }
  if (main == nullptr && metadata.current_snapshot_id.has_value()) return wrong("there is a current snapshot, and no branch main");
  return ok_status();
}

Result<TableMetadata> new_table_metadata(const TableDraft& draft, const std::string& uuid, std::int64_t now_ms) {
  const Result<int> version = version_of(draft.properties);
  if (!version.ok()) return version.status();
  // The draft's spec and order refer to the draft's schema; so they are looked at before the ids change.
  if (Status status = check_schema(draft.schema, version.value()); !status.ok()) return status;
  if (Status status = check_new_spec(draft.spec, draft.schema); !status.ok()) return status;
  if (Status status = check_order(draft.order, draft.schema); !status.ok()) return status;

  TableMetadata metadata;
  metadata.format_version = version.value();
  metadata.table_uuid = uuid;
  metadata.location = draft.location;
  metadata.last_updated_ms = now_ms;
  std::map<std::int32_t, std::int32_t> renumbered;
  metadata.schemas.push_back(with_fresh_ids(draft.schema, renumbered));
  metadata.last_column_id = metadata.schemas.front().highest_field_id();

  PartitionSpec spec;
  for (PartitionField field : draft.spec.fields) {
    const auto source = renumbered.find(field.source_id);  // a void field's may be missing
    field.source_id = source == renumbered.end() ? field.source_id : source->second;
    field.field_id = ++metadata.last_partition_id;
    spec.fields.push_back(std::move(field));
  }
  metadata.partition_specs.push_back(std::move(spec));

  SortOrder order;
  for (SortField field : draft.order.fields) {
    const auto source = renumbered.find(field.source_id);
    field.source_id = source == renumbered.end() ? field.source_id : source->second;
    order.fields.push_back(std::move(field));
  }
  order.order_id = order.fields.empty() ? 0 : 1;
  metadata.default_sort_order_id = order.order_id;
  metadata.sort_orders.push_back(std::move(order));

  for (const auto& [key, value] : draft.properties) {
    if (!reserved(key)) metadata.properties.emplace(key, value);
  }
  metadata.properties.emplace("write.parquet.compression-codec", "zstd");  // as Iceberg's own writers say for a new table
  return metadata;
}

TableMetadata only_referenced_snapshots(TableMetadata metadata) {
  std::erase_if(metadata.snapshots, [&](const Snapshot& snapshot) {
    return std::none_of(metadata.refs.begin(), metadata.refs.end(),
                        [&](const auto& ref) { return ref.second.snapshot_id == snapshot.snapshot_id; });
  });
  return metadata;
}

std::string random_uuid() {
  unsigned char bytes[16];
  CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string text = hex(std::as_bytes(std::span(bytes)));
  for (const std::size_t at : {20, 16, 12, 8}) text.insert(at, "-");
  return text;
}

}  // namespace halocline::iceberg
