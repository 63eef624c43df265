// Snapshots that are older than one wants to travel back to, and the files that only they had. Iceberg spec, "Snapshot Retention Policy".
//
//   std::vector<std::int64_t> old = old_snapshots(*table.metadata, {.keep_ms = 3'600'000}, now_ms);
//   Status status = expire(catalog, warehouse, name, table, old);
//
// Any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/catalog/table_catalog.h"
#include "history/iceberg/table_metadata.h"
#include "history/warehouse.h"

namespace halocline {

struct Retention {
  std::int64_t keep_ms = 3'600'000;  // every snapshot younger than this stays
};

// Ids of those to take out. Never one that a branch or tag points at, and of another branch than main nothing. main's own
// min-snapshots-to-keep and max-snapshot-age-ms hold where they keep more. Pure.
std::vector<std::int64_t> old_snapshots(const iceberg::TableMetadata& table, const Retention& retention, std::int64_t now_ms);

// Takes the snapshots out of the table and then removes the files that no snapshot has any more; what a crash leaves of them the search for
// orphans finds. kFailedPrecondition: somebody changed the table meanwhile, nothing happened.
Status expire(iceberg::WriterCatalog& catalog, Warehouse& warehouse, const iceberg::TableName& name, const iceberg::LoadedTable& table,
              const std::vector<std::int64_t>& snapshots);

// Every file that the snapshots need: manifest lists, manifests, data and delete files.
Result<std::set<std::string>> files_of(Warehouse& warehouse, const std::vector<const iceberg::Snapshot*>& snapshots);

}  // namespace halocline
