#include "server/lake.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "history/catalog/sqlite_catalog.h"

namespace halocline {

Result<Lake> open_lake(const Config& config, Disk& disk, const Clock& clock) {
  const std::string& data = config.server.data_directory;
  std::error_code error;
  std::string folder = config.catalog.warehouse.empty() ? data + "/warehouse" : config.catalog.warehouse;
  folder = std::filesystem::absolute(folder, error).lexically_normal().string();
  if (!error) std::filesystem::create_directories(folder, error);
  if (error) return Status(Code::kIo, "cannot make the warehouse " + folder + ": " + error.message());
  Lake lake;
  lake.warehouse = std::make_unique<FolderWarehouse>(disk, folder);
  Result<std::unique_ptr<iceberg::TableCatalog>> opened = iceberg::open_sqlite_catalog(data + "/catalog.db", *lake.warehouse, clock);
  if (!opened.ok()) return opened.status();
  lake.catalog = opened.take();
  return lake;
}

}  // namespace halocline
