#include "history/maintenance/expiry.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "history/iceberg/table_change.h"

namespace halocline {

using namespace iceberg;

namespace {

const Snapshot* parent_of(const TableMetadata& table, const Snapshot& snapshot) {
  return snapshot.parent_snapshot_id.has_value() ? table.snapshot(*snapshot.parent_snapshot_id) : nullptr;
}

// The manifest lists and manifests of the snapshots, each manifest once.
struct Manifests {
  std::set<std::string> lists;
  std::map<std::string, ManifestFile> manifests;  // by location
};

Status add_manifests(Warehouse& warehouse, const Snapshot& snapshot, Manifests& to) {
  to.lists.insert(snapshot.manifest_list);
  Result<std::vector<ManifestFile>> manifests = manifests_of(warehouse, snapshot);
  if (!manifests.ok()) return manifests.status();
  for (ManifestFile& manifest : manifests.value()) to.manifests.try_emplace(manifest.path, std::move(manifest));
  return ok_status();
}

// The live files of the manifests that are not among `but`.
Status add_files(Warehouse& warehouse, const Manifests& of, const Manifests* but, std::set<std::string>& to) {
  for (const auto& [path, manifest] : of.manifests) {
    if (but != nullptr && but->manifests.contains(path)) continue;
    Result<std::vector<ManifestEntry>> entries = entries_of(warehouse, manifest);
    if (!entries.ok()) return entries.status();
    for (ManifestEntry& entry : entries.value()) {
      if (entry.status != EntryStatus::kDeleted) to.insert(std::move(entry.file.path));
    }
  }
  return ok_status();
}

// What only the expired ones have, of all that are kept or of the first of a line of them that follows upon the expired ones: what that
// one does not have is in none of its line, since files do not come back.
Result<std::set<std::string>> files_only_of(Warehouse& warehouse, const std::vector<const Snapshot*>& expired,
                                            const std::vector<const Snapshot*>& kept) {
  Manifests gone, staying;
  for (const Snapshot* snapshot : expired) {
    if (Status status = add_manifests(warehouse, *snapshot, gone); !status.ok()) return status;
  }
  for (const Snapshot* snapshot : kept) {
    if (Status status = add_manifests(warehouse, *snapshot, staying); !status.ok()) return status;
  }
  std::set<std::string> files, needed;
  if (Status status = add_files(warehouse, gone, &staying, files); !status.ok()) return status;
  if (Status status = add_files(warehouse, staying, nullptr, needed); !status.ok()) return status;
  for (const std::string& file : needed) files.erase(file);
  for (const std::string& list : gone.lists) files.insert(list);
  for (const auto& [path, manifest] : gone.manifests) {
    if (!staying.manifests.contains(path)) files.insert(path);
  }
  return files;
}

}  // namespace

std::vector<std::int64_t> old_snapshots(const TableMetadata& table, const Retention& retention, std::int64_t now_ms) {
  std::set<std::int64_t> kept;
  for (const auto& [name, ref] : table.refs) {
    const bool main = name == kMainBranch;
    const std::int64_t keep_ms = std::max(retention.keep_ms, ref.max_snapshot_age_ms.value_or(0));
    std::int64_t left = std::max<std::int64_t>(ref.min_snapshots_to_keep.value_or(1), 1);
    for (const Snapshot* one = table.snapshot(ref.snapshot_id); one != nullptr; one = parent_of(table, *one), --left) {
      if (main && left <= 0 && one->timestamp_ms < now_ms - keep_ms) break;
      kept.insert(one->snapshot_id);
      if (!ref.branch) break;
    }
  }
  std::vector<std::int64_t> old;
  for (const Snapshot& snapshot : table.snapshots) {
    if (!kept.contains(snapshot.snapshot_id) && snapshot.timestamp_ms < now_ms - retention.keep_ms) old.push_back(snapshot.snapshot_id);
  }
  return old;
}

Status expire(WriterCatalog& catalog, Warehouse& warehouse, const TableName& name, const LoadedTable& table,
              const std::vector<std::int64_t>& snapshots) {
  const TableMetadata& metadata = *table.metadata;
  const std::set<std::int64_t> ids(snapshots.begin(), snapshots.end());
  std::vector<const Snapshot*> expired, kept;
  for (const Snapshot& snapshot : metadata.snapshots) (ids.contains(snapshot.snapshot_id) ? expired : kept).push_back(&snapshot);
  if (expired.empty()) return ok_status();
  // The line of main, from its first kept one on.
  std::set<std::int64_t> line;
  const Snapshot* first = nullptr;
  for (const Snapshot* one = metadata.current_snapshot(); one != nullptr; one = parent_of(metadata, *one)) {
    if (ids.contains(one->snapshot_id)) break;
    line.insert(one->snapshot_id);
    first = one;
  }
  const auto of_line = [&](const Snapshot* one) { return line.contains(one->snapshot_id); };
  const bool one_line = first != nullptr && std::all_of(kept.begin(), kept.end(), of_line);
  Result<std::set<std::string>> files = files_only_of(warehouse, expired, one_line ? std::vector{first} : kept);
  if (!files.ok()) return files.status();
  TableCommit commit{name, {AssertTableUuid{metadata.table_uuid}}, {RemoveSnapshots{snapshots}}};
  for (const auto& [ref, value] : metadata.refs) commit.requirements.push_back(AssertRefSnapshotId{ref, value.snapshot_id});
  const Result<LoadedTable> done = catalog.commit_table(commit);
  if (!done.ok()) return done.status();
  for (const std::string& file : files.value()) {
    if (const Status removed = warehouse.remove(file); !removed.ok()) {
      log_line(LogLevel::kWarn, "history.not_removed", {{"file", file}, {"why", removed.message()}});
    }
  }
  return ok_status();
}

Result<std::set<std::string>> files_of(Warehouse& warehouse, const std::vector<const Snapshot*>& snapshots) {
  Manifests all;
  for (const Snapshot* snapshot : snapshots) {
    if (Status status = add_manifests(warehouse, *snapshot, all); !status.ok()) return status;
  }
  std::set<std::string> files = all.lists;
  for (const auto& [path, manifest] : all.manifests) files.insert(path);
  if (Status status = add_files(warehouse, all, nullptr, files); !status.ok()) return status;
  return files;
}

}  // namespace halocline
