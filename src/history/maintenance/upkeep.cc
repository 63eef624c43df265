#include "history/maintenance/upkeep.h"

#include <algorithm>
#include <utility>

#include "history/iceberg/manifest_packing.h"
#include "history/iceberg/table_change.h"
#include "history/maintenance/orphans.h"

namespace halocline {

using namespace iceberg;

namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;

}  // namespace

Upkeep::Upkeep(TableCatalog& catalog, Warehouse& warehouse, const Clock& clock, UpkeepOptions options)
    : catalog_(catalog), warehouse_(warehouse), clock_(clock), options_(std::move(options)) {}

Result<std::optional<LoadedTable>> Upkeep::load(const TableDefinition& table) {
  Result<LoadedTable> loaded = catalog_.load_table({{options_.space}, table.name});
  if (loaded.status().code() == Code::kNotFound) return std::optional<LoadedTable>();
  if (!loaded.ok()) return loaded.status();
  return std::optional(loaded.take());
}

Result<std::optional<Rewrite>> Upkeep::compact(const TableDefinition& table) {
  Result<std::optional<LoadedTable>> loaded = load(table);
  if (!loaded.ok()) return loaded.status();
  if (!loaded.value().has_value()) return std::optional<Rewrite>();
  return halocline::compact(warehouse_, table, *loaded.value()->metadata, options_.compaction);
}

Result<std::optional<Rewrite>> Upkeep::order_manifests(const TableDefinition& table) {
  Result<std::optional<LoadedTable>> loaded = load(table);
  if (!loaded.ok()) return loaded.status();
  if (!loaded.value().has_value()) return std::optional<Rewrite>();
  const TableMetadata& metadata = *loaded.value()->metadata;
  Result<std::vector<ManifestFile>> manifests = current_manifests(warehouse_, metadata);
  if (!manifests.ok()) return manifests.status();
  Rewrite rewrite;
  rewrite.table = table.name;
  rewrite.manifests = untidy_manifests(manifests.value(), metadata);
  return rewrite.manifests.empty() ? std::optional<Rewrite>() : std::optional(std::move(rewrite));
}

Status Upkeep::expire(const TableDefinition& table) {
  Result<std::optional<LoadedTable>> loaded = load(table);
  if (!loaded.ok() || !loaded.value().has_value()) return loaded.status();
  const LoadedTable& now = *loaded.value();
  return halocline::expire(catalog_, warehouse_, {{options_.space}, table.name}, now,
                           old_snapshots(*now.metadata, options_.retention, clock_.wall() / kNanosPerMilli));
}

Status Upkeep::require_own_folder(const TableName& name, const std::string& location, const Namespace& space) {
  if (!space.empty()) {
    Result<Page<TableName>> tables = catalog_.list_tables(space, {});
    if (!tables.ok()) return tables.status();
    for (const TableName& other : tables.value().items) {
      if (other == name) continue;
      Result<LoadedTable> loaded = catalog_.load_table(other);
      if (loaded.status().code() == Code::kNotFound) continue;  // dropped meanwhile
      if (!loaded.ok()) return loaded.status();
      Result<std::string> theirs = warehouse_.canonical(loaded.value().metadata->location);
      if (!theirs.ok() || !overlap(theirs.value(), location)) continue;
      return Status(Code::kFailedPrecondition, "table " + text_of(other) + " lies in the folder of " + text_of(name) +
                                                   ": lost files there are not looked for");
    }
  }
  Result<Page<Namespace>> below = catalog_.list_namespaces(space, {});
  if (!below.ok()) return below.status();
  for (const Namespace& one : below.value().items) {
    if (Status status = require_own_folder(name, location, one); !status.ok()) return status;
  }
  return ok_status();
}

Result<std::size_t> Upkeep::remove_orphans(const TableDefinition& table, std::optional<Nanos> waiting_since) {
  const Nanos before = clock_.wall() - options_.orphan_age;
  Result<std::optional<LoadedTable>> loaded = load(table);
  if (!loaded.ok()) return loaded.status();
  if (!loaded.value().has_value()) return std::size_t{0};
  Result<std::string> location = warehouse_.canonical(loaded.value()->metadata->location);
  if (!location.ok()) return location.status();
  if (Status own = require_own_folder({{options_.space}, table.name}, location.value(), {}); !own.ok()) return own;
  return halocline::remove_orphans(warehouse_, *loaded.value(), std::min(before, waiting_since.value_or(before)));
}

}  // namespace halocline
