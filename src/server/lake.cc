#include "server/lake.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "history/catalog/sqlite_catalog.h"

namespace halocline {

Lake::Lake(const Config& config, Disk& disk, const Clock& clock)
    : database_(config.server.data_directory + "/catalog.db"),
      folder_(config.catalog.warehouse.empty() ? config.server.data_directory + "/warehouse" : config.catalog.warehouse),
      disk_(disk),
      clock_(clock) {}

Status Lake::open() {
  std::error_code error;
  const std::string folder = std::filesystem::absolute(folder_, error).lexically_normal().string();
  if (!error) std::filesystem::create_directories(folder, error);
  if (error) return Status(Code::kIo, "cannot make the warehouse " + folder + ": " + error.message());
  warehouse_.emplace(disk_, folder);
  const char* crash_at = std::getenv("HALOCLINE_CRASH_AT");
  if (Status status = warehouse_->crash_at(crash_at); !status.ok()) return status;
  Result<std::unique_ptr<iceberg::TableCatalog>> opened = iceberg::open_sqlite_catalog(database_, *warehouse_, clock_, crash_at);
  if (!opened.ok()) return opened.status();
  catalog_ = opened.take();
  return ok_status();
}

}  // namespace halocline
