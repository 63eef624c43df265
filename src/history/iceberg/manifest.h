// Manifests: which files a snapshot has, one Avro row a file. Iceberg spec, "Manifests" and "Manifest Entry Fields".
//
//   std::string bytes = manifest_bytes({entry}, layout);
//   Result<std::vector<ManifestEntry>> entries = read_manifest(bytes, manifest);   // numbers inherited
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
#include "history/iceberg/data_file.h"
#include "history/iceberg/manifest_list.h"
#include "history/iceberg/partitioning.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

enum class EntryStatus : std::int32_t { kExisting = 0, kAdded = 1, kDeleted = 2 };

struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  std::optional<std::int64_t> snapshot_id;           // which added the file, or deleted it
  std::optional<std::int64_t> sequence_number;       // of the data; of an added file none: it inherits the snapshot's
  std::optional<std::int64_t> file_sequence_number;
  DataFile file;
};

// What a manifest says of all its files.
struct ManifestLayout {
  int format_version = 2;
  bool deletes = false;  // else data
  const Schema* schema = nullptr;
  const PartitionSpec* spec = nullptr;
};

// The types of the partition values of a spec.
std::vector<Type> partition_types(const PartitionSpec& spec, const Schema& schema);

// The file. Partition values are of the spec's types (CHECKed).
std::string manifest_bytes(std::span<const ManifestEntry> entries, const ManifestLayout& layout);

// What the manifest list says of such a manifest; path and numbers of the snapshot are the caller's.
ManifestFile describe_manifest(std::span<const ManifestEntry> entries, const ManifestLayout& layout);

// The entries of a manifest of any writer, with what they inherit from its line in the manifest list filled in.
// kDataLoss: it is broken. kUnsupported: it is beyond what we read.
Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes, const ManifestFile& manifest);

}  // namespace halocline::iceberg
