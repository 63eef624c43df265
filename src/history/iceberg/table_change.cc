#include "history/iceberg/table_change.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <utility>

#include "base/decimal.h"
#include "base/sha256.h"
#include "history/iceberg/deletion_vectors.h"
#include "history/iceberg/manifest_packing.h"
#include "history/iceberg/single_value.h"

namespace halocline::iceberg {
namespace {

// "Assignment of Snapshot IDs": any number that is not taken.
std::int64_t new_snapshot_id(const TableMetadata& table) {
  while (true) {
    const Digest digest = sha256(random_uuid());
    std::int64_t id = 0;
    std::memcpy(&id, digest.data(), sizeof id);
    id &= INT64_MAX;
    if (id != 0 && table.snapshot(id) == nullptr) return id;
  }
}

// In the order of the spec's fields; what is null comes first.
bool partition_before(const std::vector<avro::Value>& a, const std::vector<avro::Value>& b, const std::vector<Type>& types) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (a[i].null() || b[i].null()) {
      if (a[i].null() != b[i].null()) return a[i].null();
      continue;
    }
    if (value_before(a[i], b[i], types[i])) return true;
    if (value_before(b[i], a[i], types[i])) return false;
  }
  return false;
}

class Preparation {
 public:
  Preparation(Warehouse& warehouse, const TableMetadata& table, const TableChange& change, std::int64_t now_ms)
      : warehouse_(warehouse), table_(table), change_(change), sizes_(manifest_sizes(table)) {
    const Snapshot* parent = table.current_snapshot();
    snapshot_.snapshot_id = new_snapshot_id(table);
    if (parent != nullptr) snapshot_.parent_snapshot_id = parent->snapshot_id;
    snapshot_.sequence_number = table.last_sequence_number + 1;
    snapshot_.timestamp_ms = std::max({now_ms, table.last_updated_ms, parent == nullptr ? 0 : parent->timestamp_ms});
    snapshot_.schema_id = table.current_schema().schema_id;
  }

  Result<PreparedChange> run(const TableName& name) {
    if (Status status = change_.empty() ? ok_status() : make_snapshot(); !status.ok()) {
      for (const std::string& file : files_) static_cast<void>(warehouse_.remove(file));  // the first failure is the one to tell
      return status;
    }
    PreparedChange prepared;
    prepared.files = std::move(files_);
    prepared.commit.table = name;
    const Snapshot* parent = table_.current_snapshot();
    prepared.commit.requirements = {
        AssertTableUuid{table_.table_uuid},
        AssertRefSnapshotId{std::string(kMainBranch), parent == nullptr ? std::nullopt : std::optional(parent->snapshot_id)}};
    if (!change_.empty()) {
      // The branch keeps its own retention.
      SnapshotRef main = table_.ref(kMainBranch) == nullptr ? SnapshotRef{} : *table_.ref(kMainBranch);
      main.snapshot_id = snapshot_.snapshot_id;
      prepared.commit.updates = {AddSnapshot{snapshot_}, SetSnapshotRef{std::string(kMainBranch), main}};
    }
    if (!change_.properties.empty()) prepared.commit.updates.push_back(SetProperties{change_.properties});
    return prepared;
  }

 private:
  Status make_snapshot() {
    Result<std::vector<ManifestFile>> before = current_manifests(warehouse_, table_);
    if (!before.ok()) return before.status();
    manifests_ = before.take();
    // What a snapshot before this one has removed concerns nobody who begins with this one.
    std::erase_if(manifests_, [](const ManifestFile& manifest) { return manifest.added_files + manifest.existing_files == 0; });
    if (Status status = remove_files(); !status.ok()) return status;
    if (Status status = put_in_order(); !status.ok()) return status;
    for (const bool deletes : {false, true}) {
      const std::vector<DataFile>& files = deletes ? change_.deletes : change_.data;
      std::vector<ManifestEntry> entries;
      for (const DataFile& file : files) entries.push_back({EntryStatus::kAdded, snapshot_.snapshot_id, {}, {}, file});
      if (!entries.empty()) {
        Result<ManifestFile> written = write_manifest(entries, deletes, snapshot_.sequence_number, table_.default_spec_id);
        if (!written.ok()) return written.status();
        manifests_.insert(manifests_.begin(), written.take());
      }
      if (Status status = merge(deletes); !status.ok()) return status;
    }
    assign_row_ids();
    summarize();
    const std::string list = metadata_folder(table_) + "/snap-" + std::to_string(snapshot_.snapshot_id) + "-1-" + random_uuid() + ".avro";
    snapshot_.manifest_list = list;
    return write(list, manifest_list_bytes(manifests_, snapshot_, table_.format_version));
  }

  Status write(const std::string& location, std::string_view bytes) {
    files_.push_back(location);
    return warehouse_.write(location, bytes);
  }

  Result<ManifestFile> write_manifest(std::span<const ManifestEntry> entries, bool deletes, std::int64_t least_sequence_number,
                                      std::int32_t spec_id) {
    const ManifestLayout layout{table_.format_version, deletes, &table_.current_schema(), table_.spec(spec_id)};
    if (layout.spec == nullptr) return Status(Code::kDataLoss, "there is no partition spec " + std::to_string(spec_id));
    ManifestFile manifest = describe_manifest(entries, layout);
    const std::string bytes = manifest_bytes(entries, layout);
    manifest.path = metadata_folder(table_) + "/" + random_uuid() + "-m0.avro";
    manifest.length = static_cast<std::int64_t>(bytes.size());
    manifest.sequence_number = snapshot_.sequence_number;
    manifest.min_sequence_number = least_sequence_number;
    manifest.added_snapshot_id = snapshot_.snapshot_id;
    if (Status status = write(manifest.path, bytes); !status.ok()) return status;
    ++created_;
    return manifest;
  }

  // Of entries that manifests before this snapshot had. "First Row ID Assignment": when all its files have ids, inherited before, what the
  // manifest says is no longer used by any; else it gets new ids, for those that have none.
  Result<ManifestFile> write_existing(std::span<const ManifestEntry> entries, bool deletes, std::int32_t spec_id) {
    std::int64_t least = snapshot_.sequence_number;
    std::optional<std::int64_t> first_row_id;
    bool all_have = true;
    for (const ManifestEntry& entry : entries) {
      if (entry.status == EntryStatus::kDeleted) continue;
      least = std::min(least, *entry.sequence_number);
      all_have = all_have && entry.file.first_row_id.has_value();
      first_row_id = std::min(first_row_id.value_or(INT64_MAX), entry.file.first_row_id.value_or(INT64_MAX));
    }
    Result<ManifestFile> written = write_manifest(entries, deletes, least, spec_id);
    if (written.ok() && !deletes && table_.format_version >= 3 && all_have) written.value().first_row_id = first_row_id;
    return written;
  }

  // The live entries of a manifest of a snapshot before this one, which others take the place of.
  Status take_live(const ManifestFile& manifest, std::vector<ManifestEntry>& to) {
    Result<std::vector<ManifestEntry>> entries = entries_of(warehouse_, manifest);
    if (!entries.ok()) return entries.status();
    ++replaced_;
    for (ManifestEntry& entry : entries.value()) {
      if (entry.status == EntryStatus::kDeleted) continue;
      entry.status = EntryStatus::kExisting;
      to.push_back(std::move(entry));
    }
    return ok_status();
  }

  // The data files that a deletion vector comes for.
  std::set<std::string> with_new_vector() const {
    std::set<std::string> files;
    for (const DataFile& file : change_.deletes) {
      if (is_deletion_vector(file)) files.insert(file.referenced_data_file.value_or(""));
    }
    return files;
  }

  // "Manifests": a file is removed by an entry that says so, in a manifest of this snapshot; the others of its manifest go along.
  Status remove_files() {
    const std::set<std::string> vectors = with_new_vector();
    if (change_.removed.empty() && vectors.empty()) return ok_status();
    const bool drop_unneeded = table_.format_version >= 3 && !change_.removed.empty();
    std::set<std::string> data_files;  // that stay
    std::stable_partition(manifests_.begin(), manifests_.end(), [](const ManifestFile& manifest) { return !manifest.deletes; });
    std::set<std::string> missing = change_.removed;
    std::vector<ManifestFile> kept, written;
    struct Touched {
      std::vector<ManifestEntry> entries;
      std::int64_t bytes = 0;  // of the manifests they were in
    };
    std::map<std::pair<bool, std::int32_t>, Touched> touched;  // by content and spec
    const auto write_touched = [&](const std::pair<bool, std::int32_t>& kind, Touched& rest) {
      Result<ManifestFile> manifest = write_existing(rest.entries, kind.first, kind.second);
      if (manifest.ok()) written.push_back(manifest.take());
      rest = {};
      return manifest.status();
    };
    const auto goes = [&](const ManifestEntry& entry) {
      if (change_.removed.contains(entry.file.path)) return true;
      if (!entry.file.referenced_data_file.has_value() || entry.file.content != FileContent::kPositionDeletes) return false;
      return vectors.contains(*entry.file.referenced_data_file) ||
             (drop_unneeded && !data_files.contains(*entry.file.referenced_data_file));
    };
    for (const ManifestFile& manifest : manifests_) {
      if (!manifest.deletes && change_.removed.empty()) {
        kept.push_back(manifest);
        continue;
      }
      Result<std::vector<ManifestEntry>> entries = entries_of(warehouse_, manifest);
      if (!entries.ok()) return entries.status();
      std::erase_if(entries.value(), [](const ManifestEntry& entry) { return entry.status == EntryStatus::kDeleted; });
      if (drop_unneeded && !manifest.deletes) {
        for (const ManifestEntry& entry : entries.value()) {
          if (!goes(entry)) data_files.insert(entry.file.path);
        }
      }
      if (std::none_of(entries.value().begin(), entries.value().end(), goes)) {
        kept.push_back(manifest);
        continue;
      }
      ++replaced_;
      const std::pair kind{manifest.deletes, manifest.spec_id};
      Touched& rest = touched[kind];
      if (!rest.entries.empty() && rest.bytes + manifest.length > sizes_.target_bytes) {
        if (Status status = write_touched(kind, rest); !status.ok()) return status;
      }
      rest.bytes += manifest.length;
      for (ManifestEntry& entry : entries.value()) {
        entry.status = goes(entry) ? EntryStatus::kDeleted : EntryStatus::kExisting;
        if (entry.status == EntryStatus::kDeleted) {
          entry.snapshot_id = snapshot_.snapshot_id;
          missing.erase(entry.file.path);
          removed_.push_back(entry.file);
        }
        rest.entries.push_back(std::move(entry));
      }
    }
    if (!missing.empty()) return Status(Code::kFailedPrecondition, *missing.begin() + " is no file of the table any more");
    for (auto& [kind, rest] : touched) {
      if (rest.entries.empty()) continue;
      if (Status status = write_touched(kind, rest); !status.ok()) return status;
    }
    manifests_ = std::move(kept);
    manifests_.insert(manifests_.end(), written.begin(), written.end());
    return ok_status();
  }

  // Manifests that are to be made anew: what is live in them, in the order of the partitions, in manifests of the target's size.
  Status put_in_order() {
    struct Live {
      std::vector<ManifestEntry> entries;
      std::int64_t bytes = 0, listed = 0, manifests = 0;  // of the manifests they were in; entries there; so many
    };
    std::map<bool, Live> live;  // by content
    std::set<std::string> missing = change_.manifests;
    std::vector<ManifestFile> kept;
    for (const ManifestFile& manifest : manifests_) {
      if (manifest.spec_id != table_.default_spec_id || missing.erase(manifest.path) == 0) {
        kept.push_back(manifest);
        continue;
      }
      Live& of = live[manifest.deletes];
      if (Status status = take_live(manifest, of.entries); !status.ok()) return status;
      of.bytes += manifest.length;
      of.listed += manifest.added_files + manifest.existing_files + manifest.deleted_files;
      ++of.manifests;
    }
    if (!missing.empty()) return Status(Code::kFailedPrecondition, *missing.begin() + " is no manifest of the table any more");
    const std::vector<Type> types = partition_types(table_.default_spec(), table_.current_schema());
    for (auto& [deletes, of] : live) {
      std::stable_sort(of.entries.begin(), of.entries.end(), [&](const ManifestEntry& a, const ManifestEntry& b) {
        return partition_before(a.file.partition, b.file.partition, types);
      });
      processed_ += static_cast<std::int64_t>(of.entries.size());
      const ManifestLayout layout{table_.format_version, deletes, &table_.current_schema(), &table_.default_spec()};
      const auto empty = static_cast<std::int64_t>(manifest_bytes({}, layout).size());  // what one takes without entries
      const std::int64_t each = std::max<std::int64_t>(of.bytes - of.manifests * empty, 0) / std::max<std::int64_t>(of.listed, 1) + 1;
      const auto most = static_cast<std::size_t>(std::max<std::int64_t>((sizes_.target_bytes - empty) / each, 1));
      for (std::span<const ManifestEntry> rest(of.entries); !rest.empty();) {
        const std::size_t count = std::min(most, rest.size());
        Result<ManifestFile> written = write_existing(rest.first(count), deletes, table_.default_spec_id);
        if (!written.ok()) return written.status();
        kept.push_back(written.take());
        rest = rest.subspan(count);
      }
    }
    manifests_ = std::move(kept);
    return ok_status();
  }

  // Manifests of the default spec become one when there are many. This snapshot's own stay by themselves: its rows get their ids by them.
  Status merge(bool deletes) {
    std::vector<std::size_t> candidates;  // in manifests_
    std::vector<std::int64_t> lengths;
    for (std::size_t i = 0; i < manifests_.size(); ++i) {
      const ManifestFile& manifest = manifests_[i];
      if (manifest.deletes != deletes || manifest.spec_id != table_.default_spec_id || manifest.key_metadata.has_value() ||
          manifest.added_snapshot_id == snapshot_.snapshot_id) {
        continue;
      }
      candidates.push_back(i);
      lengths.push_back(manifest.length);
    }
    std::set<std::size_t> gone;
    for (const std::vector<std::size_t>& bin : bins_to_merge(lengths, sizes_)) {
      std::vector<ManifestEntry> live;
      for (const std::size_t one : bin) {
        if (Status status = take_live(manifests_[candidates[one]], live); !status.ok()) return status;
        gone.insert(candidates[one]);
      }
      Result<ManifestFile> written = write_existing(live, deletes, table_.default_spec_id);
      if (!written.ok()) return written.status();
      manifests_[candidates[bin.front()]] = written.take();  // where the newest of them was
      gone.erase(candidates[bin.front()]);
    }
    std::vector<ManifestFile> kept;
    for (std::size_t i = 0; i < manifests_.size(); ++i) {
      if (!gone.contains(i)) kept.push_back(std::move(manifests_[i]));
    }
    manifests_ = std::move(kept);
    return ok_status();
  }

  void assign_row_ids() {
    if (table_.format_version < 3) return;
    std::int64_t next = table_.next_row_id;
    snapshot_.first_row_id = next;
    for (ManifestFile& manifest : manifests_) {
      if (manifest.deletes || manifest.first_row_id.has_value()) continue;
      manifest.first_row_id = next;
      next += manifest.added_rows + manifest.existing_rows;
    }
    snapshot_.added_rows = next - table_.next_row_id;
  }

  // "Optional Snapshot Summary Fields". Totals of files and rows are those of the manifests; sizes go on from the parent's.
  void summarize() {
    Properties& summary = snapshot_.summary;
    summary = change_.summary;
    const bool only_added = change_.deletes.empty() && change_.removed.empty();
    summary["operation"] = change_.same_rows ? "replace" : only_added ? "append" : change_.data.empty() ? "delete" : "overwrite";
    std::int64_t size = 0, rows = 0, deleted = 0, vectors = 0;
    for (const DataFile& file : change_.data) size += file.file_size, rows += file.record_count;
    for (const DataFile& file : change_.deletes) {
      size += file.content_size.value_or(file.file_size);
      deleted += file.record_count;
      vectors += is_deletion_vector(file) ? 1 : 0;
    }
    const auto set = [&](const char* key, std::int64_t value) {
      if (value != 0) summary[key] = std::to_string(value);
    };
    set("added-data-files", static_cast<std::int64_t>(change_.data.size()));
    set("added-records", rows);
    set("added-delete-files", static_cast<std::int64_t>(change_.deletes.size()));
    set("added-position-delete-files", static_cast<std::int64_t>(change_.deletes.size()) - vectors);
    set("added-dvs", vectors);
    set("added-position-deletes", deleted);
    set("added-files-size", size);
    std::int64_t gone[2] = {}, gone_rows[2] = {}, gone_size = 0, gone_vectors = 0;
    for (const DataFile& file : removed_) {
      const bool deletes = file.content != FileContent::kData;
      ++gone[deletes], gone_rows[deletes] += file.record_count, gone_size += file.content_size.value_or(file.file_size);
      gone_vectors += is_deletion_vector(file) ? 1 : 0;
    }
    set("deleted-data-files", gone[0]);
    set("deleted-records", gone_rows[0]);
    set("removed-delete-files", gone[1]);
    set("removed-position-delete-files", gone[1] - gone_vectors);
    set("removed-dvs", gone_vectors);
    set("removed-position-deletes", gone_rows[1]);
    set("removed-files-size", gone_size);
    size -= gone_size;
    set("manifests-created", created_);
    set("manifests-replaced", replaced_);
    set("entries-processed", processed_);
    set("manifests-kept", static_cast<std::int64_t>(manifests_.size()) - created_);
    std::int64_t totals[2][2] = {};
    for (const ManifestFile& manifest : manifests_) {
      totals[manifest.deletes][0] += manifest.added_files + manifest.existing_files;
      totals[manifest.deletes][1] += manifest.added_rows + manifest.existing_rows;
    }
    summary["total-data-files"] = std::to_string(totals[0][0]);
    summary["total-records"] = std::to_string(totals[0][1]);
    summary["total-delete-files"] = std::to_string(totals[1][0]);
    summary["total-position-deletes"] = std::to_string(totals[1][1]);
    summary["total-equality-deletes"] = "0";
    const Snapshot* parent = table_.current_snapshot();
    if (parent == nullptr) {
      summary["total-files-size"] = std::to_string(size);
    } else if (const auto total = parent->summary.find("total-files-size"); total != parent->summary.end()) {
      if (const auto number = parse_digits(total->second)) summary["total-files-size"] = to_digits(*number + size);
    }
  }

  Warehouse& warehouse_;
  const TableMetadata& table_;
  const TableChange& change_;
  const ManifestSizes sizes_;
  Snapshot snapshot_;
  std::vector<ManifestFile> manifests_;
  std::vector<std::string> files_;
  std::vector<DataFile> removed_;
  std::int64_t created_ = 0, replaced_ = 0, processed_ = 0;  // manifests; entries that were put in order
};

std::string folder(const TableMetadata& table, const char* property, const char* name) {
  std::string place = table.property(property, table.location + "/" + name);
  while (!place.empty() && place.back() == '/') place.pop_back();
  return place;
}

}  // namespace

std::string data_folder(const TableMetadata& table) { return folder(table, "write.data.path", "data"); }
std::string metadata_folder(const TableMetadata& table) { return folder(table, "write.metadata.path", "metadata"); }

Result<std::vector<ManifestFile>> manifests_of(Warehouse& warehouse, const Snapshot& snapshot) {
  Result<std::string> bytes = warehouse.read(snapshot.manifest_list, kMaxManifestBytes);
  if (!bytes.ok()) return bytes.status();
  Result<std::vector<ManifestFile>> manifests = read_manifest_list(bytes.value());
  if (!manifests.ok()) return Status(manifests.status().code(), snapshot.manifest_list + ": " + manifests.status().message());
  return manifests;
}

Result<std::vector<ManifestFile>> current_manifests(Warehouse& warehouse, const TableMetadata& table) {
  const Snapshot* current = table.current_snapshot();
  return current == nullptr ? std::vector<ManifestFile>() : manifests_of(warehouse, *current);
}

Result<std::vector<ManifestEntry>> entries_of(Warehouse& warehouse, const ManifestFile& manifest) {
  Result<std::string> bytes = warehouse.read(manifest.path, kMaxManifestBytes);
  if (!bytes.ok()) return bytes.status();
  Result<std::vector<ManifestEntry>> entries = read_manifest(bytes.value(), manifest);
  if (!entries.ok()) return Status(entries.status().code(), manifest.path + ": " + entries.status().message());
  return entries;
}

Result<PreparedChange> prepare_change(Warehouse& warehouse, const TableName& name, const LoadedTable& table, const TableChange& change,
                                      std::int64_t now_ms) {
  return Preparation(warehouse, *table.metadata, change, now_ms).run(name);
}

}  // namespace halocline::iceberg
