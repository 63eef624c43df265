#include "history/s3/s3_warehouse.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <arrow/io/interfaces.h>

#include "history/s3/s3_connection.h"

namespace halocline {
namespace {

namespace fs = arrow::fs;

constexpr std::string_view kSchemes[] = {kS3Scheme, "s3a://", "s3n://"};  // as Hadoop writes it
constexpr std::size_t kLeastBucketName = 3, kMostBucketName = 63;  // S3 user guide, "Bucket naming rules"

bool is_bucket(std::string_view name) {
  return name.size() >= kLeastBucketName && name.size() <= kMostBucketName && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

class S3Warehouse final : public Warehouse {
 public:
  explicit S3Warehouse(S3Connection connection) : connection_(std::move(connection)) {}

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
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(s3_path(place.value()));
    if (!info.ok()) return s3_failure("write", place.value(), info.status());
    if (info->type() == fs::FileType::File) return Status(Code::kAlreadyExists, "there is a " + place.value() + " already");
    const arrow::Status written = put(s3_path(place.value()), bytes);
    if (!written.ok()) return s3_failure("write", place.value(), written);
    crash_points_.pass(CrashPoint::kAfterFile);
    return ok_status();
  }

  Result<std::string> read(const std::string& location, std::size_t most) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(s3_path(place.value()));
    if (!info.ok()) return s3_failure("read", place.value(), info.status());
    if (info->type() != fs::FileType::File) return Status(Code::kNotFound, "there is no " + place.value());
    const auto size = static_cast<std::size_t>(info->size());
    if (size > most) {
      return Status(Code::kResourceExhausted, place.value() + " has " + std::to_string(size) + " bytes; at most " + std::to_string(most) +
                                                  " are read");
    }
    std::string text(size, '\0');
    const arrow::Status got = get(*info, text);
    return got.ok() ? Result<std::string>(std::move(text)) : s3_failure("read", place.value(), got);
  }

  Result<bool> exists(const std::string& location) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(s3_path(place.value()));
    if (!info.ok()) return s3_failure("look at", place.value(), info.status());
    return info->type() == fs::FileType::File;
  }

  Status remove(const std::string& location) override {
    const Result<bool> there = exists(location);
    if (!there.ok()) return there.status();
    if (!there.value()) return ok_status();
    const std::string place = canonical(location).take();
    const arrow::Status removed = files_->DeleteFile(s3_path(place));
    return removed.ok() ? ok_status() : s3_failure("remove", place, removed);
  }

  // However many pages the S3 answers with.
  Result<std::vector<WarehouseFile>> list(const std::string& location) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    fs::FileSelector below;
    below.base_dir = s3_path(place.value());
    below.allow_not_found = true;
    below.recursive = true;
    const arrow::Result<std::vector<fs::FileInfo>> found = files_->GetFileInfo(below);
    if (!found.ok()) return s3_failure("look through", place.value(), found.status());
    std::vector<WarehouseFile> files;
    for (const fs::FileInfo& one : *found) {
      if (one.type() != fs::FileType::File) continue;
      files.push_back({std::string(kS3Scheme) + one.path(), static_cast<std::int64_t>(one.mtime().time_since_epoch().count())});
    }
    return files;
  }

  Status remove_all(const std::string& location) override {
    const Result<std::string> place = canonical(location);
    if (!place.ok()) return place.status();
    const arrow::Result<fs::FileInfo> info = files_->GetFileInfo(s3_path(place.value()));
    if (!info.ok()) return s3_failure("remove", place.value(), info.status());
    if (info->type() == fs::FileType::NotFound) return ok_status();
    if (info->type() == fs::FileType::File) return remove(place.value());
    const arrow::Status removed = files_->DeleteDir(s3_path(place.value()));
    return removed.ok() ? ok_status() : s3_failure("remove", place.value(), removed);
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

  const S3Connection connection_;
  fs::FileSystem* const files_ = connection_.files.get();
  const std::string& root_ = connection_.root;
  CrashPoints crash_points_;
};

Result<std::unique_ptr<Warehouse>> open_s3(const std::string& place, const S3Settings& settings, const char* crash_at) {
  Result<S3Connection> connection = connect_s3(place, settings);
  if (!connection.ok()) return connection.status();
  auto warehouse = std::make_unique<S3Warehouse>(connection.take());
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
  const std::string whole = std::string(kS3Scheme) + std::string(rest);
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
