// Where the tables are: the warehouse with their files and the catalog that says which there are. One of each a process, shared by
// the history, which writes, and by the catalog's gateway, which lets others in.
//
//   Lake lake(config, disk, clock);
//   Status status = lake.open();
//   Result<LoadedTable> table = lake.catalog().load_table({{"halocline"}, "trades"});
//
// open() by the owner, before anything else; then any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/status.h"
#include "history/catalog/table_catalog.h"
#include "history/warehouse.h"
#include "server/config.h"

namespace halocline {

class Lake {
 public:
  // Of the configuration: server.data_directory and catalog.warehouse. `disk` and `clock` outlive it.
  Lake(const Config& config, Disk& disk, const Clock& clock);

  // Makes the warehouse's folder when it is missing, and so the catalog in the data directory. Fails as the catalog does
  // (history/catalog/sqlite_catalog.h).
  Status open();

  Warehouse& warehouse() { return *warehouse_; }
  iceberg::TableCatalog& catalog() { return *catalog_; }

 private:
  const std::string database_, folder_;
  Disk& disk_;
  const Clock& clock_;
  std::optional<FolderWarehouse> warehouse_;
  std::unique_ptr<iceberg::TableCatalog> catalog_;
};

}  // namespace halocline
