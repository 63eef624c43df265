// The warehouse of a catalog that is another one's: wherever that puts the tables, each in a folder of this machine or in an S3, which is
// reached as the catalog says or, where it says nothing, as our configuration does. A place is known once its table was loaded.
//
//   TablePlaces places(disk, s3_settings, nullptr);
//   Status status = places.add("s3://books/halocline/trades", {{"s3.access-key-id", …}, …});
//   status = places.write("s3://books/halocline/trades/data/….parquet", bytes);
//
// Any thread.
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/status.h"
#include "history/s3/s3_settings.h"
#include "history/warehouse.h"

namespace halocline {

class TablePlaces final : public Warehouse {
 public:
  // `s3` is what the configuration says; `crash_at` the text of HALOCLINE_CRASH_AT or nullptr. `disk` outlives it.
  TablePlaces(Disk& disk, S3Settings s3, const char* crash_at);

  // A table's location, with properties of FileIO that lead there; again when they change. kInvalidArgument: not a place for files of ours.
  Status add(const std::string& location, const iceberg::Properties& config);

  // Nothing: there is no one place that all are below.
  const std::string& root() const override { return root_; }
  Result<std::string> canonical(std::string_view location) const override;
  Status write(const std::string& location, std::string_view bytes) override;
  Result<std::string> read(const std::string& location, std::size_t most) override;
  Result<bool> exists(const std::string& location) override;
  Status remove(const std::string& location) override;
  Result<std::vector<WarehouseFile>> list(const std::string& location) override;
  Status remove_all(const std::string& location) override;

 private:
  struct Place {
    iceberg::Properties config;        // what of it counts
    std::string at;                    // the table's location, canonical
    std::shared_ptr<Warehouse> files;  // of the folder around it
  };
  // The one a location is in: the table's itself or one below.
  Result<std::shared_ptr<Warehouse>> place_of(std::string_view location) const;

  Disk& disk_;
  const S3Settings s3_;
  const char* const crash_at_;
  const std::string root_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Place> places_;  // by location as the catalog writes it
};

}  // namespace halocline
