// A change of a table's files, made into a commit: manifests, a manifest list and the updates that point at it.
// Iceberg spec, "Snapshots", "Manifest Lists", "Sequence Number Inheritance", "First Row ID Assignment".
//
//   TableChange change;
//   change.data = {file};
//   Result<PreparedChange> prepared = prepare_change(warehouse, name, loaded, change, now_ms);
//   catalog.commit_table(prepared.value().commit);       // kFailedPrecondition: load again, prepare again
//
// Any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/catalog/table_catalog.h"
#include "history/iceberg/data_file.h"
#include "history/iceberg/manifest.h"
#include "history/iceberg/manifest_list.h"
#include "history/warehouse.h"

namespace halocline::iceberg {

struct TableChange {
  std::vector<DataFile> data;     // added; of the table's default spec
  std::vector<DataFile> deletes;  // added; a deletion vector is instead of what the data file had before
  std::set<std::string> removed;  // locations of live files that are so no more, data and deletes
  std::set<std::string> manifests;  // locations of those to be made anew, in the order of the partitions (manifest_packing.h)
  bool same_rows = false;         // the table's rows are what they were: files were only made anew
  Properties summary;             // of the snapshot, besides what the spec has
  Properties properties;          // of the table, set by the same commit

  bool empty() const { return data.empty() && deletes.empty() && removed.empty() && manifests.empty(); }
};

struct PreparedChange {
  TableCommit commit;              // its requirements: the table and its main branch are what was loaded
  std::vector<std::string> files;  // written for it; to be removed when it is not committed
};

inline constexpr std::size_t kMaxManifestBytes = 256u << 20;

// From version 3 on ("Deletion Vectors"): there is at most one deletion vector of a data file, so with a new one an older one goes, and so
// do position deletes that are of this file alone. A change that removes files also removes what deletes rows of no live data file.
//
// An empty change sets the properties and makes no snapshot. The files of the change are in the warehouse already. Fails as the
// warehouse does, with kDataLoss for a broken manifest, or with kFailedPrecondition when a file to remove is not live or a manifest to be
// made anew is not there; what was written then is removed again.
Result<PreparedChange> prepare_change(Warehouse& warehouse, const TableName& name, const LoadedTable& table, const TableChange& change,
                                      std::int64_t now_ms);

// The manifests of a snapshot, and of the table's current one: none before the first.
Result<std::vector<ManifestFile>> manifests_of(Warehouse& warehouse, const Snapshot& snapshot);
Result<std::vector<ManifestFile>> current_manifests(Warehouse& warehouse, const TableMetadata& table);
Result<std::vector<ManifestEntry>> entries_of(Warehouse& warehouse, const ManifestFile& manifest);

// A folder of the table's: "data" or "metadata", or where its properties say.
std::string data_folder(const TableMetadata& table);
std::string metadata_folder(const TableMetadata& table);

}  // namespace halocline::iceberg
