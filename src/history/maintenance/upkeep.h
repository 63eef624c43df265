// What keeps a table of the history quick to read and its files few: small files become larger ones, manifests are put in order, old
// snapshots go, and so do files that nothing names. Each call looks at one table and does one piece of work, beside the commits.
//
//   Upkeep upkeep(catalog, warehouse, clock, options);
//   Result<std::optional<Rewrite>> made = upkeep.compact(trades::definition());   // committed by the follower, or discarded
//   Status status = upkeep.expire(trades::definition());
//
// A table that is not there has nothing to do. kFailedPrecondition: somebody else changed the table meanwhile, and nothing happened. Any
// thread; the references outlive it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "history/catalog/table_catalog.h"
#include "history/maintenance/compaction.h"
#include "history/maintenance/expiry.h"
#include "history/tables/rewrite.h"
#include "history/tables/table_definition.h"
#include "history/warehouse.h"

namespace halocline {

struct UpkeepOptions {
  std::string space = "halocline";  // the namespace of the tables
  CompactionOptions compaction;
  Retention retention;
  Nanos orphan_age = 259'200'000'000'000;  // three days
};

class Upkeep {
 public:
  Upkeep(iceberg::TableCatalog& catalog, Warehouse& warehouse, const Clock& clock, UpkeepOptions options);

  Result<std::optional<Rewrite>> compact(const TableDefinition& table);
  // Of manifests alone (iceberg/manifest_packing.h).
  Result<std::optional<Rewrite>> order_manifests(const TableDefinition& table);
  Status expire(const TableDefinition& table);
  // How many files went. `waiting_since`: files written from then on may still be committed, however old they are. kFailedPrecondition:
  // another table of the catalog lies in the same folder, and which file is whose cannot be told.
  Result<std::size_t> remove_orphans(const TableDefinition& table, std::optional<Nanos> waiting_since);

 private:
  Result<std::optional<iceberg::LoadedTable>> load(const TableDefinition& table);
  // Of the tables in the namespace and those below it.
  Status require_own_folder(const iceberg::TableName& name, const std::string& location, const iceberg::Namespace& space);

  iceberg::TableCatalog& catalog_;
  Warehouse& warehouse_;
  const Clock& clock_;
  const UpkeepOptions options_;
};

}  // namespace halocline
