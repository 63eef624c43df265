#include "history/tables/live_deletes.h"

#include <algorithm>

#include "history/parquet/position_deletes.h"

namespace halocline {

using namespace iceberg;

Result<LiveDeletes> read_live_deletes(Warehouse& warehouse, std::span<const LiveFile> files) {
  LiveDeletes deleted;
  for (const LiveFile& live : files) {
    if (live.file.content == FileContent::kData) continue;
    if (live.file.content != FileContent::kPositionDeletes || live.file.format != "PARQUET") {
      return Status(Code::kUnsupported, live.file.path + " deletes rows in a way that is not known here");
    }
    Result<std::string> bytes = warehouse.read(live.file.path, kMostFileBytes);
    if (!bytes.ok()) return bytes.status();
    Result<std::vector<DeletedRow>> rows = read_position_deletes(bytes.value());
    if (!rows.ok()) return Status(rows.status().code(), live.file.path + ": " + rows.status().message());
    for (const DeletedRow& row : rows.value()) deleted[row.file].push_back(row.position);
  }
  for (auto& [file, positions] : deleted) {
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  }
  return deleted;
}

}  // namespace halocline
