#include "journal/archived_disk.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "journal/archived_segment.h"
#include "journal/recovery.h"
#include "journal/segment.h"

namespace halocline {
namespace {

constexpr char kPointer[] = "/ARCHIVE";
constexpr std::size_t kMostBytes = 4'096;

}  // namespace

Result<std::unique_ptr<ArchivedDisk>> ArchivedDisk::open(Disk& disk, const std::string& journal_directory, const Opener& opener) {
  const std::string path = journal_directory + kPointer;
  Result<std::unique_ptr<File>> file = disk.open(path, Access::kRead);
  if (file.status().code() == Code::kNotFound) return std::make_unique<ArchivedDisk>(disk, journal_directory, nullptr);
  if (!file.ok()) return file.status();
  std::string place(kMostBytes, '\0');
  const Result<std::size_t> read = read_all(*file.value(), 0, std::as_writable_bytes(std::span(place)));
  if (!read.ok()) return read.status();
  place.resize(std::min(read.value(), place.find('\n')));
  if (place.empty()) return Status(Code::kDataLoss, path + " does not say where the archive is: write its place into it");
  Result<std::unique_ptr<SegmentArchive>> archive = opener(place);
  if (!archive.ok()) return Status(archive.status().code(), path + ": " + archive.status().message());
  return std::make_unique<ArchivedDisk>(disk, journal_directory, archive.take());
}

Status ArchivedDisk::set_place(Disk& disk, const std::string& journal_directory, const std::string& place) {
  const std::string path = journal_directory + kPointer, unfinished = path + ".new", line = place + "\n";
  if (line.size() > kMostBytes) return Status(Code::kInvalidArgument, "the archive's path has more than 4,095 bytes");
  if (Status status = disk.make_directory(journal_directory); !status.ok()) return status;
  if (Status gone = disk.remove(unfinished); !gone.ok() && gone.code() != Code::kNotFound) return gone;
  Result<std::unique_ptr<File>> file = disk.create(unfinished);
  if (!file.ok()) return file.status();
  if (Status status = write_all(*file.value(), 0, std::as_bytes(std::span(line))); !status.ok()) return status;
  if (Status status = file.value()->sync_data(); !status.ok()) return status;
  if (Status status = disk.rename(unfinished, path); !status.ok()) return status;
  return disk.sync_directory(journal_directory);
}

Result<std::vector<std::uint32_t>> ArchivedDisk::local_segments() { return list_segments(disk_, directory_); }

Result<std::vector<std::uint32_t>> ArchivedDisk::archived_segments() {
  std::vector<std::uint32_t> numbers;
  if (archive_ == nullptr) return numbers;
  const Result<std::vector<std::string>> names = archive_->list();
  if (!names.ok()) return names.status();
  for (const std::string& name : names.value()) {
    if (const auto number = archived_number(name)) numbers.push_back(*number);
  }
  return numbers;
}

Result<std::unique_ptr<File>> ArchivedDisk::open(const std::string& path, Access access) {
  Result<std::unique_ptr<File>> file = disk_.open(path, access);
  if (archive_ == nullptr || access != Access::kRead || file.status().code() != Code::kNotFound) return file;
  if (path.size() <= directory_.size() + 1 || !path.starts_with(directory_) || path[directory_.size()] != '/') return file;
  const std::optional<std::uint32_t> number = segment_number(path.substr(directory_.size() + 1));
  if (!number) return file;
  Result<std::unique_ptr<ArchivedSegment>> archived = ArchivedSegment::open(*archive_, *number);
  if (archived.status().code() == Code::kNotFound) return file;
  if (!archived.ok()) return archived.status();
  return std::unique_ptr<File>(archived.take());
}

Result<std::vector<std::string>> ArchivedDisk::list(const std::string& directory) {
  Result<std::vector<std::string>> names = disk_.list(directory);
  if (archive_ == nullptr || directory != directory_ || !names.ok()) return names;
  const Result<std::vector<std::uint32_t>> archived = archived_segments();
  if (!archived.ok()) return archived.status();
  for (const std::uint32_t number : archived.value()) names.value().push_back(segment_name(number));
  std::sort(names.value().begin(), names.value().end());
  names.value().erase(std::unique(names.value().begin(), names.value().end()), names.value().end());
  return names;
}

}  // namespace halocline
