#include "server/lake.h"

#include <cstdlib>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "history/catalog/remote_catalog.h"
#include "history/catalog/sqlite_catalog.h"
#include "history/http/curl_client.h"
#include "history/s3/s3_warehouse.h"
#include "server/table_places.h"

namespace halocline {
namespace {

constexpr std::size_t kMostCredentialBytes = 65'536;

// What a file of credentials holds; nothing without a file. `key` is the configuration's, for messages.
Result<S3Credentials> read_credentials(Disk& disk, const std::string& path, const char* key) {
  if (path.empty()) return S3Credentials{};
  const std::string unusable = "cannot use " + path + " as catalog." + key + ": ";
  Result<std::unique_ptr<File>> file = disk.open(path, Access::kRead);
  if (!file.ok()) return Status(Code::kInvalidArgument, unusable + file.status().message());
  std::string text(kMostCredentialBytes, '\0');
  const Result<std::size_t> got = read_all(*file.value(), 0, std::as_writable_bytes(std::span(text)));
  if (!got.ok()) return got.status();
  text.resize(got.value());
  Result<S3Credentials> credentials = parse_s3_credentials(text);
  return credentials.ok() ? std::move(credentials) : Status(Code::kInvalidArgument, unusable + credentials.status().message());
}

}  // namespace

Result<S3Settings> s3_settings_of(const Config& config, Disk& disk) {
  const auto& settings = config.catalog;
  Result<S3Credentials> ours = read_credentials(disk, settings.s3_credentials_file, "s3_credentials_file");
  if (!ours.ok()) return ours.status();
  return complete({settings.s3_endpoint, settings.s3_region, settings.s3_path_style, settings.s3_ca_file, ours.take()});
}

Lake::Lake(const Config& config, Disk& disk, const Clock& clock)
    : config_(config),
      database_(config.server.data_directory + "/catalog.db"),
      place_(settings_.warehouse.empty() ? config.server.data_directory + "/warehouse" : settings_.warehouse),
      disk_(disk),
      clock_(clock) {}

Status Lake::open_s3_settings() {
  Result<S3Settings> settings = s3_settings_of(config_, disk_);
  if (!settings.ok()) return settings.status();
  const Result<S3Credentials> theirs = read_credentials(disk_, settings_.s3_client_credentials_file, "s3_client_credentials_file");
  if (!theirs.ok()) return theirs.status();
  s3_ = settings.take();
  file_io_ = s3_file_io(s3_);
  client_credentials_ = s3_file_io(theirs.value());
  return ok_status();
}

Status Lake::open_remote() {
  // Tables may lie in an S3 there; nobody knows before the first one comes.
  if (Status status = open_s3_settings(); !status.ok()) return status;
  const bool oauth2 = !settings_.uri_oauth2_file.empty();
  std::string uri = settings_.uri, token_address = settings_.uri_oauth2_address;
  while (uri.ends_with('/')) uri.pop_back();
  if (token_address.empty()) token_address = uri + "/v1/oauth/tokens";
  const std::pair<const char*, const std::string&> addresses[] = {{"uri", uri}, {"uri_oauth2_address", token_address}};
  std::unique_ptr<HttpClient>* const clients[] = {&client_, &token_client_};
  const bool secrets = oauth2 || !settings_.uri_token_file.empty();
  for (std::size_t i = 0; i < (oauth2 ? 2 : 1); ++i) {
    const std::string key = std::string("catalog.") + addresses[i].first + ": ";
    Result<std::unique_ptr<HttpClient>> client = make_http_client({addresses[i].second, settings_.uri_ca_file});
    if (!client.ok()) return Status(client.status().code(), key + client.status().message());
    if (secrets && !is_private(addresses[i].second) && !settings_.allow_plaintext_remote) {
      return Status(Code::kInvalidArgument, key + "a secret would go to another machine without TLS; use https://, or "
                                                  "catalog.allow_plaintext_remote = true if the network itself is safe");
    }
    *clients[i] = client.take();
  }
  const iceberg::ClientCredentials credentials{settings_.uri_oauth2_file, settings_.uri_oauth2_scope};
  authorization_ = oauth2    ? iceberg::client_credentials(disk_, *token_client_, clock_, credentials)
                   : secrets ? iceberg::bearer_token(disk_, settings_.uri_token_file)
                             : iceberg::no_authorization();
  auto places = std::make_unique<TablePlaces>(disk_, s3_, std::getenv("HALOCLINE_CRASH_AT"));
  iceberg::RemoteCatalogOptions options{settings_.warehouse, {}};
  options.placed = [at = places.get()](const std::string& where, const iceberg::Properties& config) { return at->add(where, config); };
  auto remote = std::make_unique<iceberg::RemoteCatalog>(*client_, *authorization_, std::move(options));
  const Status attached = remote->attach();
  if (attached.code() == Code::kIo) {
    log_line(LogLevel::kWarn, "catalog.away", {{"uri", settings_.uri}, {"why", attached.message()}});
  } else if (!attached.ok()) {
    return attached;
  }
  warehouse_ = std::move(places), remote_ = std::move(remote);
  return ok_status();
}

Status Lake::open() {
  if (!settings_.uri.empty()) return open_remote();
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
  own_catalog_ = opened.take();
  if (const Status removed = own_catalog_->remove_unfinished(); !removed.ok()) {
    log_line(LogLevel::kWarn, "catalog.unfinished", {{"why", removed.message()}});
  }
  return ok_status();
}

}  // namespace halocline
