#include "history/tables/live_deletes.h"

#include <algorithm>
#include <utility>

#include "history/iceberg/deletion_vectors.h"
#include "history/parquet/position_deletes.h"

namespace halocline {

using namespace iceberg;

namespace {

// The deletion vectors, each Puffin file read once.
Status read_vectors(Warehouse& warehouse, std::span<const LiveFile> files, LiveDeletes& to) {
  std::map<std::string, std::int64_t> rows;  // of the data files
  std::map<std::string, std::vector<const DataFile*>> entries;
  for (const LiveFile& live : files) {
    if (live.file.content == FileContent::kData) rows[live.file.path] = live.file.record_count;
    if (is_deletion_vector(live.file)) entries[live.file.path].push_back(&live.file);
  }
  for (const auto& [path, of_file] : entries) {
    const auto broken = [&](const Status& why) { return Status(why.code(), path + ": " + why.message()); };
    for (const DataFile* entry : of_file) {
      const auto data = rows.find(entry->referenced_data_file.value_or(""));
      if (data == rows.end() || entry->record_count <= data->second) continue;
      return broken({Code::kDataLoss, "more rows are deleted than " + data->first + " has"});
    }
    Result<std::string> bytes = warehouse.read(path, kMostFileBytes);
    if (!bytes.ok()) return bytes.status();
    Result<std::vector<DeletionVector>> vectors = read_deletion_vectors(bytes.value(), of_file);
    if (!vectors.ok()) return broken(vectors.status());
    for (DeletionVector& vector : vectors.value()) {
      if (!to.with_vector.insert(vector.data_file).second) {
        return broken({Code::kDataLoss, "a second deletion vector of " + vector.data_file});
      }
      to.positions[vector.data_file] = std::move(vector.positions);
    }
  }
  return ok_status();
}

}  // namespace

Result<LiveDeletes> read_live_deletes(Warehouse& warehouse, std::span<const LiveFile> files) {
  LiveDeletes deleted;
  if (Status status = read_vectors(warehouse, files, deleted); !status.ok()) return status;
  for (const LiveFile& live : files) {
    if (live.file.content == FileContent::kData || is_deletion_vector(live.file)) continue;
    if (live.file.content != FileContent::kPositionDeletes || live.file.format != "PARQUET") {
      return Status(Code::kUnsupported, live.file.path + " deletes rows in a way that is not known here");
    }
    Result<std::string> bytes = warehouse.read(live.file.path, kMostFileBytes);
    if (!bytes.ok()) return bytes.status();
    Result<std::vector<DeletedRow>> rows = read_position_deletes(bytes.value());
    if (!rows.ok()) return Status(rows.status().code(), live.file.path + ": " + rows.status().message());
    std::set<std::string>& of = deleted.of_files[live.file.path];
    for (const DeletedRow& row : rows.value()) {
      if (of.empty() || row.file != *of.rbegin()) of.insert(row.file);
      if (!deleted.with_vector.contains(row.file)) deleted.positions[row.file].push_back(row.position);
    }
  }
  for (auto& [file, positions] : deleted.positions) {
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  }
  return deleted;
}

}  // namespace halocline
