#include "history/iceberg/live_files.h"

#include <utility>

#include "history/iceberg/table_change.h"

namespace halocline::iceberg {

Result<std::vector<LiveFile>> live_files(Warehouse& warehouse, const TableMetadata& table) {
  Result<std::vector<ManifestFile>> manifests = current_manifests(warehouse, table);
  if (!manifests.ok()) return manifests.status();
  std::vector<LiveFile> live;
  for (const ManifestFile& manifest : manifests.value()) {
    Result<std::vector<ManifestEntry>> entries = entries_of(warehouse, manifest);
    if (!entries.ok()) return entries.status();
    for (ManifestEntry& entry : entries.value()) {
      if (entry.status == EntryStatus::kDeleted) continue;
      live.push_back({std::move(entry.file), manifest.spec_id, *entry.sequence_number});
    }
  }
  return live;
}

}  // namespace halocline::iceberg
