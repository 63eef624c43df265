#include "server/lake.h"

#include <cstdlib>
#include <filesystem>
#include <span>
#include <system_error>

#include "history/catalog/sqlite_catalog.h"
#include "history/s3/s3_warehouse.h"

namespace halocline {
namespace {

constexpr std::size_t kMostCredentialBytes = 65'536;

}  // namespace

Lake::Lake(const Config& config, Disk& disk, const Clock& clock)
    : settings_(config.catalog),
      database_(config.server.data_directory + "/catalog.db"),
      place_(settings_.warehouse.empty() ? config.server.data_directory + "/warehouse" : settings_.warehouse),
      disk_(disk),
      clock_(clock) {}

Result<S3Credentials> Lake::read_credentials(const std::string& path, const char* key) {
  if (path.empty()) return S3Credentials{};
  const std::string unusable = "cannot use " + path + " as catalog." + key + ": ";
  Result<std::unique_ptr<File>> file = disk_.open(path, Access::kRead);
  if (!file.ok()) return Status(Code::kInvalidArgument, unusable + file.status().message());
  std::string text(kMostCredentialBytes, '\0');
  const Result<std::size_t> got = read_all(*file.value(), 0, std::as_writable_bytes(std::span(text)));
  if (!got.ok()) return got.status();
  text.resize(got.value());
  Result<S3Credentials> credentials = parse_s3_credentials(text);
  return credentials.ok() ? std::move(credentials) : Status(Code::kInvalidArgument, unusable + credentials.status().message());
}

Status Lake::open_s3_settings() {
  Result<S3Credentials> ours = read_credentials(settings_.s3_credentials_file, "s3_credentials_file");
  if (!ours.ok()) return ours.status();
  const Result<S3Credentials> theirs = read_credentials(settings_.s3_client_credentials_file, "s3_client_credentials_file");
  if (!theirs.ok()) return theirs.status();
  Result<S3Settings> settings =
      complete({settings_.s3_endpoint, settings_.s3_region, settings_.s3_path_style, settings_.s3_ca_file, ours.take()});
  if (!settings.ok()) return settings.status();
  s3_ = settings.take();
  file_io_ = s3_file_io(s3_);
  client_credentials_ = s3_file_io(theirs.value());
  return ok_status();
}

Status Lake::open() {
  if (is_s3(place_)) {
    if (Status status = open_s3_settings(); !status.ok()) return status;
  }
  const char* crash_at = std::getenv("HALOCLINE_CRASH_AT");
  Result<std::unique_ptr<Warehouse>> warehouse = open_warehouse(disk_, place_, s3_, crash_at);
  if (!warehouse.ok()) return Status(warehouse.status().code(), "catalog.warehouse: " + warehouse.status().message());
  warehouse_ = warehouse.take();
  if (!is_s3(place_)) {
    std::error_code error;
    std::filesystem::create_directories(place_, error);
    if (error) return Status(Code::kIo, "cannot make the warehouse " + place_ + ": " + error.message());
  }
  Result<std::unique_ptr<iceberg::TableCatalog>> opened = iceberg::open_sqlite_catalog(database_, *warehouse_, clock_, crash_at);
  if (!opened.ok()) return opened.status();
  catalog_ = opened.take();
  return ok_status();
}

}  // namespace halocline
