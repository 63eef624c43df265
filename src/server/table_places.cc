#include "server/table_places.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "history/s3/s3_warehouse.h"

namespace halocline {
namespace {

constexpr std::size_t kMostPlaces = 4'096;

// What of a table's config leads to an S3. Iceberg, "S3 FileIO".
constexpr const char* kS3Keys[] = {"s3.endpoint", "s3.region", "client.region", "s3.path-style-access",
                                   "s3.access-key-id", "s3.secret-access-key", "s3.session-token"};

std::string value_of(const iceberg::Properties& config, const char* key) {
  const auto one = config.find(key);
  return one == config.end() ? std::string() : one->second;
}

S3Settings settings_with(S3Settings settings, const iceberg::Properties& config) {
  const auto take = [&](const char* key, std::string& to) {
    if (std::string value = value_of(config, key); !value.empty()) to = std::move(value);
  };
  take("s3.endpoint", settings.endpoint);
  take("client.region", settings.region);
  take("s3.region", settings.region);
  if (const std::string style = value_of(config, "s3.path-style-access"); !style.empty()) settings.path_style = style == "true";
  if (!value_of(config, "s3.access-key-id").empty()) {  // a pair of the catalog's, all of it
    settings.credentials = {value_of(config, "s3.access-key-id"), value_of(config, "s3.secret-access-key"),
                            value_of(config, "s3.session-token")};
  }
  return settings;
}

// The path of a folder of this machine; nothing when it is none.
std::string folder_of(std::string_view location) {
  if (location.starts_with("file:")) location.remove_prefix(5);
  if (location.starts_with("//")) location.remove_prefix(2);
  return location.starts_with('/') ? std::string(location) : std::string();
}

}  // namespace

TablePlaces::TablePlaces(Disk& disk, S3Settings s3, const char* crash_at) : disk_(disk), s3_(std::move(s3)), crash_at_(crash_at) {}

Status TablePlaces::add(const std::string& location, const iceberg::Properties& config) {
  iceberg::Properties counts;
  if (is_s3(location)) {
    for (const char* key : kS3Keys) {
      if (const auto one = config.find(key); one != config.end()) counts.insert(*one);
    }
  }
  {
    const std::shared_lock lock(mutex_);
    const auto known = places_.find(location);
    if (known != places_.end() && known->second.config == counts) return ok_status();
    if (known == places_.end() && places_.size() >= kMostPlaces) {
      return Status(Code::kResourceExhausted, "the catalog's tables are in too many places");
    }
  }
  std::string folder = is_s3(location) ? location : folder_of(location);
  while (folder.ends_with('/')) folder.pop_back();
  // What is looked through for lost files is a table's own folder, and never the root of everything.
  const bool deep = std::count(folder.begin(), folder.end(), '/') >= (is_s3(location) ? 3 : 2);
  if (!deep) {
    return Status(Code::kInvalidArgument, "the catalog puts a table at \"" + location +
                                              "\", where this program keeps no files: it writes to folders below / and to s3://bucket/…");
  }
  Result<std::unique_ptr<Warehouse>> files =
      open_warehouse(disk_, folder.substr(0, folder.rfind('/')), settings_with(s3_, counts), crash_at_);
  if (!files.ok()) return files.status();
  Result<std::string> at = files.value()->canonical(folder);
  if (!at.ok()) return at.status();
  const std::lock_guard lock(mutex_);
  places_.insert_or_assign(location, Place{std::move(counts), at.take(), files.take()});
  return ok_status();
}

Result<std::shared_ptr<Warehouse>> TablePlaces::place_of(std::string_view location) const {
  const std::shared_lock lock(mutex_);
  for (const auto& [where, place] : places_) {
    const Result<std::string> canonical = place.files->canonical(location);
    if (canonical.ok() && (canonical.value() + "/").starts_with(place.at + "/")) return place.files;
  }
  return Status(Code::kInvalidArgument, "location \"" + std::string(location) + "\" is in the folder of no table that was loaded");
}

Result<std::string> TablePlaces::canonical(std::string_view location) const {
  const Result<std::shared_ptr<Warehouse>> place = place_of(location);
  return place.ok() ? place.value()->canonical(location) : place.status();
}

Status TablePlaces::write(const std::string& location, std::string_view bytes) {
  const Result<std::shared_ptr<Warehouse>> place = place_of(location);
  return place.ok() ? place.value()->write(location, bytes) : place.status();
}

Result<std::string> TablePlaces::read(const std::string& location, std::size_t most) {
  const Result<std::shared_ptr<Warehouse>> place = place_of(location);
  return place.ok() ? place.value()->read(location, most) : place.status();
}

Result<bool> TablePlaces::exists(const std::string& location) {
  const Result<std::shared_ptr<Warehouse>> place = place_of(location);
  return place.ok() ? place.value()->exists(location) : place.status();
}

Status TablePlaces::remove(const std::string& location) {
  const Result<std::shared_ptr<Warehouse>> place = place_of(location);
  return place.ok() ? place.value()->remove(location) : place.status();
}

Result<std::vector<WarehouseFile>> TablePlaces::list(const std::string& location) {
  const Result<std::shared_ptr<Warehouse>> place = place_of(location);
  return place.ok() ? place.value()->list(location) : place.status();
}

Status TablePlaces::remove_all(const std::string& location) {
  const Result<std::shared_ptr<Warehouse>> place = place_of(location);
  return place.ok() ? place.value()->remove_all(location) : place.status();
}

}  // namespace halocline
