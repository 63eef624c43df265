#include "history/s3/s3_warehouse.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

#include <arrow/filesystem/s3fs.h>
#include <arrow/io/interfaces.h>

namespace halocline {
namespace {

namespace fs = arrow::fs;

constexpr std::string_view kScheme = "s3://";
constexpr std::string_view kSchemes[] = {kScheme, "s3a://", "s3n://"};  // as Hadoop writes it
constexpr double kConnectSeconds = 5, kStalledSeconds = 10;
constexpr std::int64_t kAttempts = 3;
constexpr std::size_t kLeastBucketName = 3, kMostBucketName = 63;  // S3 user guide, "Bucket naming rules"

// The library, begun with the first warehouse and ended with the last one: it does not bear to be ended by the destructor of a static.
class Library {
 public:
  static std::shared_ptr<const Library> get() {
    static std::mutex mutex;
    static std::weak_ptr<const Library> shared;
    const std::lock_guard lock(mutex);
    std::shared_ptr<const Library> library = shared.lock();
    if (library == nullptr) shared = library = std::make_shared<const Library>();
    return library;
  }

  Library() {
    fs::S3GlobalOptions options = fs::S3GlobalOptions::Defaults();
    options.install_sigpipe_handler = true;  // a connection that is gone is an error, and not the end
    begun_ = fs::InitializeS3(options);
  }
  ~Library() { static_cast<void>(fs::FinalizeS3()); }
  const arrow::Status& begun() const { return begun_; }

 private:
  arrow::Status begun_;
};

Status failed(const char* what, const std::string& location, const arrow::Status& why) {
  return Status(Code::kIo, std::string("cannot ") + what + " " + location + ": " + why.message());
}

// The bucket and key of a canonical location, as Arrow has them.
std::string path_of(const std::string& location) { return location.substr(kScheme.size()); }

bool is_bucket(std::string_view name) {
  return name.size() >= kLeastBucketName && name.size() <= kMostBucketName && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

class S3Warehouse final : public Warehouse {
 public:
  S3Warehouse(std::shared_ptr<const Library> library, std::shared_ptr<fs::FileSystem> files, std::string root)
      : library_(std::move(library)), files_(std::move(files)), root_(std::move(root)) {}

  Status crash_at(const char* text) { return crash_points_.arm(text); }

  const std::string& root() const override { return root_; }

  Result<std::string> canonical(std::string_view location) const override {
    Result<std::string> whole = canonical_s3_location(location);
    if (!whole.ok() || whole.value().starts_with(root_ + "/")) return whole;
    return Status(Code::kInvalidArgument, "location \"" + std::string(location) + "\" is not in the warehouse " + root_);
  }

  Status write(const std::string& location, std::string_view bytes) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(path_of(place.value()));
    if (!info.ok()) return failed("write", place.value(), info.status());
    if (info->type() == fs::FileType::File) return Status(Code::kAlreadyExists, "there is a " + place.value() + " already");
    const arrow::Status written = put(path_of(place.value()), bytes);
    if (!written.ok()) return failed("write", place.value(), written);
    crash_points_.pass(CrashPoint::kAfterFile);
    return ok_status();
  }

  Result<std::string> read(const std::string& location, std::size_t most) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(path_of(place.value()));
    if (!info.ok()) return failed("read", place.value(), info.status());
    if (info->type() != fs::FileType::File) return Status(Code::kNotFound, "there is no " + place.value());
    const auto size = static_cast<std::size_t>(info->size());
    if (size > most) {
      return Status(Code::kResourceExhausted, place.value() + " has " + std::to_string(size) + " bytes; at most " + std::to_string(most) +
                                                  " are read");
    }
    std::string text(size, '\0');
    const arrow::Status got = get(*info, text);
    return got.ok() ? Result<std::string>(std::move(text)) : failed("read", place.value(), got);
  }

  Result<bool> exists(const std::string& location) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(path_of(place.value()));
    if (!info.ok()) return failed("look at", place.value(), info.status());
    return info->type() == fs::FileType::File;
  }

  Status remove(const std::string& location) override {
    const Result<bool> there = exists(location);
    if (!there.ok()) return there.status();
    if (!there.value()) return ok_status();
    const std::string place = canonical(location).take();
    const arrow::Status removed = files_->DeleteFile(path_of(place));
    return removed.ok() ? ok_status() : failed("remove", place, removed);
  }

  // However many pages the S3 answers with.
  Result<std::vector<WarehouseFile>> list(const std::string& location) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    fs::FileSelector below;
    below.base_dir = path_of(place.value());
    below.allow_not_found = true;
    below.recursive = true;
    const arrow::Result<std::vector<fs::FileInfo>> found = files_->GetFileInfo(below);
    if (!found.ok()) return failed("look through", place.value(), found.status());
    std::vector<WarehouseFile> files;
    for (const fs::FileInfo& one : *found) {
      if (one.type() != fs::FileType::File) continue;
      files.push_back({std::string(kScheme) + one.path(), static_cast<std::int64_t>(one.mtime().time_since_epoch().count())});
    }
    return files;
  }

  Status remove_all(const std::string& location) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(path_of(place.value()));
    if (!info.ok()) return failed("remove", place.value(), info.status());
    if (info->type() == fs::FileType::NotFound) return ok_status();
    if (info->type() == fs::FileType::File) return remove(place.value());
    const arrow::Status removed = files_->DeleteDir(path_of(place.value()));
    return removed.ok() ? ok_status() : failed("remove", place.value(), removed);
  }

 private:
  // The object comes into being when the stream is closed.
  arrow::Status put(const std::string& path, std::string_view bytes) {
    ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<arrow::io::OutputStream> stream, files_->OpenOutputStream(path, nullptr));
    const auto half = static_cast<std::int64_t>(bytes.size() / 2);
    arrow::Status status = stream->Write(bytes.data(), half);
    crash_points_.pass(CrashPoint::kInFile);
    if (status.ok()) status = stream->Write(bytes.data() + half, static_cast<std::int64_t>(bytes.size()) - half);
    if (status.ok()) return stream->Close();
    static_cast<void>(stream->Abort());
    return status;
  }

  arrow::Status get(const fs::FileInfo& info, std::string& into) {
    ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<arrow::io::RandomAccessFile> file, files_->OpenInputFile(info));
    ARROW_ASSIGN_OR_RAISE(const std::int64_t got, file->ReadAt(0, static_cast<std::int64_t>(into.size()), into.data()));
    if (static_cast<std::size_t>(got) != into.size()) return arrow::Status::IOError("it ended after ", got, " bytes");
    return arrow::Status::OK();
  }

  const std::shared_ptr<const Library> library_;
  const std::shared_ptr<fs::FileSystem> files_;
  const std::string root_;
  CrashPoints crash_points_;
};

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

Result<std::unique_ptr<Warehouse>> open_s3(const std::string& place, const S3Settings& given, const char* crash_at) {
  Result<std::string> root = canonical_s3_location(place);
  if (!root.ok()) return root.status();
  Result<S3Settings> settings = complete(given);
  if (!settings.ok()) return settings.status();
  std::shared_ptr<const Library> library = Library::get();
  if (!library->begun().ok()) return Status(Code::kInternal, "cannot begin with S3: " + library->begun().message());
  arrow::Result<std::shared_ptr<fs::S3FileSystem>> files = fs::S3FileSystem::Make(options_of(settings.value()));
  if (!files.ok()) return Status(Code::kInvalidArgument, "cannot use the S3 of " + root.value() + ": " + files.status().message());
  auto warehouse = std::make_unique<S3Warehouse>(std::move(library), *std::move(files), root.take());
  if (Status status = warehouse->crash_at(crash_at); !status.ok()) return status;
  return std::unique_ptr<Warehouse>(std::move(warehouse));
}

}  // namespace

bool is_s3(std::string_view place) {
  return std::any_of(std::begin(kSchemes), std::end(kSchemes), [&](std::string_view scheme) { return place.starts_with(scheme); });
}

Result<std::string> canonical_s3_location(std::string_view location) {
  const Status refused(Code::kInvalidArgument, "location \"" + std::string(location) + "\" is no place in an S3: write s3://bucket/…");
  if (!is_s3(location)) return refused;
  std::string_view rest = location.substr(location.find("://") + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (!is_bucket(rest.substr(0, rest.find('/'))) || rest.find('\0') != std::string_view::npos) return refused;
  const std::string whole = std::string(kScheme) + std::string(rest);
  while (true) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part.empty() || part == "." || part == "..") return refused;
    if (part.size() == rest.size()) return whole;
    rest.remove_prefix(part.size() + 1);
  }
}

Result<std::unique_ptr<Warehouse>> open_warehouse(Disk& disk, const std::string& place, const S3Settings& settings, const char* crash_at) {
  if (is_s3(place)) return open_s3(place, settings, crash_at);
  if (place.find("://") != std::string::npos) {
    return Status(Code::kInvalidArgument, "\"" + place + "\" is no place for a warehouse: write the path of a folder, or s3://bucket/…");
  }
  std::error_code error;
  const std::string folder = std::filesystem::absolute(place, error).lexically_normal().string();
  if (error) return Status(Code::kIo, "cannot find the warehouse " + place + ": " + error.message());
  auto warehouse = std::make_unique<FolderWarehouse>(disk, folder);
  if (Status status = warehouse->crash_at(crash_at); !status.ok()) return status;
  return std::unique_ptr<Warehouse>(std::move(warehouse));
}

}  // namespace halocline
