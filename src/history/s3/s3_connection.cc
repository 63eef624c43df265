#include "history/s3/s3_connection.h"

#include <mutex>
#include <utility>

#include "history/s3/s3_warehouse.h"

namespace halocline {

namespace fs = arrow::fs;

namespace {

constexpr double kConnectSeconds = 5, kStalledSeconds = 10;
constexpr std::int64_t kAttempts = 3;

fs::S3Options options_of(const S3Settings& settings) {
  fs::S3Options options = settings.credentials.given()
                              ? fs::S3Options::FromAccessKey(settings.credentials.access_key, settings.credentials.secret_key,
                                                             settings.credentials.session_token)
                              : fs::S3Options::Defaults();
  options.region = settings.region;
  if (const std::size_t scheme = settings.endpoint.find("://"); scheme != std::string::npos) {
    options.scheme = settings.endpoint.substr(0, scheme);
    options.endpoint_override = settings.endpoint.substr(scheme + 3);
    options.force_virtual_addressing = !settings.path_style;
  }
  options.tls_ca_file_path = settings.ca_file;
  options.connect_timeout = kConnectSeconds;
  options.request_timeout = kStalledSeconds;
  options.retry_strategy = fs::S3RetryStrategy::GetAwsStandardRetryStrategy(kAttempts);
  options.background_writes = false;
  options.allow_delayed_open = true;  // a small file is one request
  return options;
}

}  // namespace

class S3Library {
 public:
  static std::shared_ptr<const S3Library> get() {
    static std::mutex mutex;
    static std::weak_ptr<const S3Library> shared;
    const std::lock_guard lock(mutex);
    std::shared_ptr<const S3Library> library = shared.lock();
    if (library == nullptr) shared = library = std::make_shared<const S3Library>();
    return library;
  }

  S3Library() {
    fs::S3GlobalOptions options = fs::S3GlobalOptions::Defaults();
    options.install_sigpipe_handler = true;  // a connection that is gone is an error, and not the end
    begun_ = fs::InitializeS3(options);
  }
  ~S3Library() { static_cast<void>(fs::FinalizeS3()); }
  const arrow::Status& begun() const { return begun_; }

 private:
  arrow::Status begun_;
};

Result<S3Connection> connect_s3(const std::string& place, const S3Settings& given) {
  Result<std::string> root = canonical_s3_location(place);
  if (!root.ok()) return root.status();
  Result<S3Settings> settings = complete(given);
  if (!settings.ok()) return settings.status();
  std::shared_ptr<const S3Library> library = S3Library::get();
  if (!library->begun().ok()) return Status(Code::kInternal, "cannot begin with S3: " + library->begun().message());
  arrow::Result<std::shared_ptr<fs::S3FileSystem>> files = fs::S3FileSystem::Make(options_of(settings.value()));
  if (!files.ok()) return Status(Code::kInvalidArgument, "cannot use the S3 of " + root.value() + ": " + files.status().message());
  return S3Connection{std::move(library), *std::move(files), root.take()};
}

Status s3_failure(const char* what, const std::string& location, const arrow::Status& why) {
  return Status(Code::kIo, std::string("cannot ") + what + " " + location + ": " + why.message());
}

std::string s3_path(const std::string& location) { return location.substr(kS3Scheme.size()); }

}  // namespace halocline
