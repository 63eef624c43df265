#include "history/s3/s3_archive.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <arrow/io/interfaces.h>

#include "history/s3/s3_connection.h"

namespace halocline {
namespace {

namespace fs = arrow::fs;

// For pread() and size().
class S3File final : public File {
 public:
  S3File(std::string path, std::shared_ptr<arrow::io::RandomAccessFile> file, std::uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}

  Result<std::size_t> pread(std::uint64_t offset, std::span<std::byte> into) override {
    if (offset >= size_ || into.empty()) return std::size_t{0};
    const std::uint64_t count = std::min<std::uint64_t>(into.size(), size_ - offset);
    const arrow::Result<std::int64_t> got =
        file_->ReadAt(static_cast<std::int64_t>(offset), static_cast<std::int64_t>(count), into.data());
    if (!got.ok()) return s3_failure("read", path_, got.status());
    return static_cast<std::size_t>(*got);
  }
  Result<std::uint64_t> size() override { return size_; }
  const std::string& path() const override { return path_; }

  Result<std::size_t> pwrite(std::uint64_t, std::span<const std::byte>) override { return never_changed(); }
  Status preallocate(std::uint64_t) override { return never_changed(); }
  Status sync_data() override { return never_changed(); }

 private:
  Status never_changed() const { return Status(Code::kUnsupported, path_ + " is in the archive and is not changed"); }

  const std::string path_;
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;
  const std::uint64_t size_;
};

class S3Upload final : public SegmentArchive::Upload {
 public:
  S3Upload(S3Connection connection, std::string path, std::shared_ptr<arrow::io::OutputStream> stream)
      : connection_(std::move(connection)), path_(std::move(path)), stream_(std::move(stream)) {}
  ~S3Upload() override {
    if (!stream_->closed()) static_cast<void>(stream_->Abort());
  }

  Status append(std::span<const std::byte> bytes) override {
    const arrow::Status written = stream_->Write(bytes.data(), static_cast<std::int64_t>(bytes.size()));
    return written.ok() ? ok_status() : s3_failure("write", path_, written);
  }
  // The object comes into being with it.
  Status finish() override {
    const arrow::Status closed = stream_->Close();
    return closed.ok() ? ok_status() : s3_failure("write", path_, closed);
  }

 private:
  const S3Connection connection_;
  const std::string path_;
  const std::shared_ptr<arrow::io::OutputStream> stream_;
};

class S3Archive final : public SegmentArchive {
 public:
  explicit S3Archive(S3Connection connection) : connection_(std::move(connection)) {}

  const std::string& place() const override { return connection_.root; }

  Result<std::vector<std::string>> list() override {
    fs::FileSelector within;
    within.base_dir = s3_path(place());
    within.allow_not_found = true;
    const arrow::Result<std::vector<fs::FileInfo>> found = connection_.files->GetFileInfo(within);
    if (!found.ok()) return s3_failure("look through", place(), found.status());
    std::vector<std::string> names;
    for (const fs::FileInfo& one : *found) {
      if (one.type() == fs::FileType::File) names.push_back(one.base_name());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<std::unique_ptr<Upload>> create(const std::string& name) override {
    arrow::Result<std::shared_ptr<arrow::io::OutputStream>> stream = connection_.files->OpenOutputStream(s3_path(path(name)), nullptr);
    if (!stream.ok()) return s3_failure("write", path(name), stream.status());
    return std::unique_ptr<Upload>(std::make_unique<S3Upload>(connection_, path(name), *std::move(stream)));
  }

  Result<std::unique_ptr<File>> open(const std::string& name) override {
    const arrow::Result<fs::FileInfo> info = connection_.files->GetFileInfo(s3_path(path(name)));
    if (!info.ok()) return s3_failure("open", path(name), info.status());
    if (info->type() != fs::FileType::File) return Status(Code::kNotFound, "there is no " + path(name));
    arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> file = connection_.files->OpenInputFile(*info);
    if (!file.ok()) return s3_failure("open", path(name), file.status());
    return std::unique_ptr<File>(std::make_unique<S3File>(path(name), *std::move(file), static_cast<std::uint64_t>(info->size())));
  }

  Status remove(const std::string& name) override {
    const arrow::Status removed = connection_.files->DeleteFile(s3_path(path(name)));
    return removed.ok() ? ok_status() : s3_failure("remove", path(name), removed);
  }

 private:
  const S3Connection connection_;
};

}  // namespace

Result<std::unique_ptr<SegmentArchive>> open_s3_archive(const std::string& place, const S3Settings& settings) {
  Result<S3Connection> connection = connect_s3(place, settings);
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<SegmentArchive>(std::make_unique<S3Archive>(connection.take()));
}

}  // namespace halocline
