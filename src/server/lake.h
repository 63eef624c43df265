// Where the tables are: the warehouse with their files and the catalog that says which there are. One of each a process, shared by
// the history, which writes, and by the catalog's gateway, which lets others in. The catalog is ours, or another one's (catalog.uri).
//
//   Lake lake(config, disk, clock);
//   Status status = lake.open();
//   Result<LoadedTable> table = lake.catalog().load_table({{"halocline"}, "trades"});
//   Properties properties = lake.file_io();      // for those who read the files themselves
//
// open() by the owner, before anything else; then any thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/status.h"
#include "history/catalog/authorization.h"
#include "history/catalog/table_catalog.h"
#include "history/s3/s3_settings.h"
#include "history/warehouse.h"
#include "server/config.h"

namespace halocline {

// How the configuration reaches an S3: catalog.s3_… and what the environment adds. kInvalidArgument: the credentials' file, or the
// endpoint.
Result<S3Settings> s3_settings_of(const Config& config, Disk& disk);

class Lake {
 public:
  // Of the configuration: server.data_directory, catalog.warehouse and what is of an S3. `disk` and `clock` outlive it.
  Lake(const Config& config, Disk& disk, const Clock& clock);

  // Makes the warehouse's folder when it is missing, and so the catalog in the data directory. Fails as the catalog does
  // (history/catalog/sqlite_catalog.h); kInvalidArgument: the warehouse is no place for one. An S3 may be away, and so may another one's
  // catalog; one that is there and will not do is told (history/catalog/remote_catalog.h, attach()).
  Status open();

  Warehouse& warehouse() { return *warehouse_; }
  iceberg::WriterCatalog& catalog() { return own_catalog_ != nullptr ? *own_catalog_ : *remote_; }
  // Without catalog.uri only.
  iceberg::TableCatalog& own_catalog() { return *own_catalog_; }
  // Where an S3 is, as properties of Iceberg's FileIO; nothing of a folder.
  const iceberg::Properties& file_io() const { return file_io_; }
  // The credentials that are for clients; nothing when none are.
  const iceberg::Properties& client_credentials() const { return client_credentials_; }

 private:
  Status open_s3_settings();
  Status open_remote();

  const Config config_;
  const decltype(Config::catalog)& settings_ = config_.catalog;
  const std::string database_, place_;
  Disk& disk_;
  const Clock& clock_;
  S3Settings s3_;
  iceberg::Properties file_io_, client_credentials_;
  std::unique_ptr<Warehouse> warehouse_;
  std::unique_ptr<iceberg::TableCatalog> own_catalog_;
  std::unique_ptr<HttpClient> client_, token_client_;
  std::unique_ptr<iceberg::Authorization> authorization_;
  std::unique_ptr<iceberg::WriterCatalog> remote_;
};

}  // namespace halocline
