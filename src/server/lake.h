// Where the tables of the history are: the warehouse with their files and the catalog that says which there are. One of each a
// process, shared by the history, which writes, and by the catalog's gateway, which lets others in.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/status.h"
#include "history/catalog/table_catalog.h"
#include "history/warehouse.h"
#include "server/config.h"

namespace halocline {

struct Lake {
  std::unique_ptr<Warehouse> warehouse;
  std::unique_ptr<iceberg::TableCatalog> catalog;
};

// The warehouse's folder is made when missing, and so is the catalog in the data directory. `disk` and `clock` outlive the lake.
// Fails as the catalog does (history/catalog/sqlite_catalog.h).
Result<Lake> open_lake(const Config& config, Disk& disk, const Clock& clock);

}  // namespace halocline
