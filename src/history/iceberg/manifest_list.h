// Manifest lists: which manifests a snapshot has. Iceberg spec, "Manifest Lists".
//
//   std::string bytes = manifest_list_bytes(manifests, snapshot, 2);
//   Result<std::vector<ManifestFile>> manifests = read_manifest_list(bytes);
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "history/iceberg/table_metadata.h"

namespace halocline::iceberg {

// The values of one partition field over a manifest's files.
struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower, upper;  // single_value.h
};

struct ManifestFile {
  std::string path;  // location
  std::int64_t length = 0;
  std::int32_t spec_id = 0;
  bool deletes = false;
  std::int64_t sequence_number = 0;
  std::int64_t min_sequence_number = 0;
  std::int64_t added_snapshot_id = 0;
  std::int64_t added_files = 0, existing_files = 0, deleted_files = 0;
  std::int64_t added_rows = 0, existing_rows = 0, deleted_rows = 0;
  std::vector<FieldSummary> partitions;
  std::optional<std::string> key_metadata;
  std::optional<std::int64_t> first_row_id;  // from version 3, of data
};

std::string manifest_list_bytes(std::span<const ManifestFile> manifests, const Snapshot& snapshot, int format_version);
// kDataLoss: it is broken. kUnsupported: it is beyond what we read.
Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes);

}  // namespace halocline::iceberg
