#include "history/maintenance/orphans.h"

#include <set>
#include <string>
#include <vector>

#include "history/iceberg/json.h"
#include "history/maintenance/expiry.h"

namespace halocline {

using namespace iceberg;

namespace {

// Locations that a statistics entry names.
void add_statistics(const std::vector<StatisticsFile>& statistics, std::set<std::string>& to) {
  for (const StatisticsFile& file : statistics) {
    const Json json = Json::parse(file.json, nullptr, false);
    if (!json.is_object()) continue;
    const auto path = json.find("statistics-path");
    if (path != json.end() && path->is_string()) to.insert(path->get<std::string>());
  }
}

}  // namespace

Result<std::size_t> remove_orphans(Warehouse& warehouse, const LoadedTable& table, Nanos before) {
  const TableMetadata& metadata = *table.metadata;
  // Listed first: what is written from here on is not looked at.
  Result<std::vector<WarehouseFile>> there = warehouse.list(metadata.location);
  if (!there.ok()) return there.status();
  std::vector<const Snapshot*> snapshots;
  for (const Snapshot& snapshot : metadata.snapshots) snapshots.push_back(&snapshot);
  Result<std::set<std::string>> named = files_of(warehouse, snapshots);
  if (!named.ok()) return named.status();
  named.value().insert(table.metadata_location);
  for (const MetadataLogEntry& entry : metadata.metadata_log) named.value().insert(entry.metadata_file);
  add_statistics(metadata.statistics, named.value());
  add_statistics(metadata.partition_statistics, named.value());
  std::set<std::string> needed;
  for (const std::string& file : named.value()) {
    Result<std::string> place = warehouse.canonical(file);
    if (place.ok()) needed.insert(place.take());  // what lies elsewhere is not in the listing
  }
  std::size_t removed = 0;
  for (const WarehouseFile& file : there.value()) {
    if (file.written >= before || needed.contains(file.location)) continue;
    if (Status status = warehouse.remove(file.location); !status.ok()) return status;
    ++removed;
  }
  return removed;
}

}  // namespace halocline
