#include "journal/segment_archive.h"

#include <algorithm>
#include <utility>

namespace halocline {
namespace {

constexpr char kUnfinished[] = ".new";  // behind the name; whoever writes that one anew removes it

class FolderUpload final : public SegmentArchive::Upload {
 public:
  FolderUpload(Disk& disk, std::string folder, std::string path, std::unique_ptr<File> file)
      : disk_(disk), folder_(std::move(folder)), path_(std::move(path)), file_(std::move(file)), steady_(*file_) {}
  ~FolderUpload() override {
    if (file_ != nullptr) static_cast<void>(disk_.remove(file_->path()));  // what is left of it, the next attempt removes
  }

  Status append(std::span<const std::byte> bytes) override { return steady_.append(bytes); }
  Status finish() override {
    if (Status status = steady_.finish(); !status.ok()) return status;
    if (Status status = disk_.rename(file_->path(), path_); !status.ok()) return status;
    file_.reset();
    return disk_.sync_directory(folder_);
  }

 private:
  Disk& disk_;
  const std::string folder_, path_;
  std::unique_ptr<File> file_;
  SteadyWriter steady_;
};

}  // namespace

Result<std::vector<std::string>> FolderArchive::list() {
  Result<std::vector<std::string>> names = disk_.list(folder_);
  if (names.status().code() == Code::kNotFound) return std::vector<std::string>();
  if (!names.ok()) return names.status();
  std::erase_if(names.value(), [](const std::string& name) { return name.ends_with(kUnfinished); });
  return names;
}

Result<std::unique_ptr<SegmentArchive::Upload>> FolderArchive::create(const std::string& name) {
  if (Status status = disk_.make_directory(folder_); !status.ok()) return status;
  const std::string unfinished = path(name) + kUnfinished;
  if (Status gone = disk_.remove(unfinished); !gone.ok() && gone.code() != Code::kNotFound) return gone;
  Result<std::unique_ptr<File>> file = disk_.create(unfinished);
  if (!file.ok()) return file.status();
  return std::unique_ptr<Upload>(std::make_unique<FolderUpload>(disk_, folder_, path(name), file.take()));
}

Result<std::unique_ptr<File>> FolderArchive::open(const std::string& name) { return disk_.open(path(name), Access::kRead); }

Status FolderArchive::remove(const std::string& name) {
  if (Status status = disk_.remove(path(name)); !status.ok()) return status;
  return disk_.sync_directory(folder_);
}

}  // namespace halocline
