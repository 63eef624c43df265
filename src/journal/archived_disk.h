// The disk, with the journal's archived segments in the journal's directory, as if they were still there: whoever reads a journal
// (recovery, readers, searches, inspection) finds all of it. They can be opened for reading and are listed; nothing else is changed.
//
//   PosixDisk posix;
//   Result<std::unique_ptr<ArchivedDisk>> disk = ArchivedDisk::open(posix, "data/journal", open_archive);
//   JournalReader::open(*disk.value(), "data/journal", 1);
//
// Where the archive is stands in the journal's directory, in the file ARCHIVE. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "journal/segment_archive.h"

namespace halocline {

class ArchivedDisk final : public Disk {
 public:
  // Who knows the archive at a place (server/iceberg.h).
  using Opener = std::function<Result<std::unique_ptr<SegmentArchive>>(const std::string& place)>;
  // With the archive that the directory names, if any. `disk` outlives it. kIo; kDataLoss: the file ARCHIVE says nothing. Fails as the
  // opener does.
  static Result<std::unique_ptr<ArchivedDisk>> open(Disk& disk, const std::string& journal_directory, const Opener& opener);
  // Writes down, durably, that the archive of the directory is there from now on; the directory is made when it does not exist.
  static Status set_place(Disk& disk, const std::string& journal_directory, const std::string& place);

  ArchivedDisk(Disk& disk, std::string journal_directory, std::unique_ptr<SegmentArchive> archive)
      : disk_(disk), directory_(std::move(journal_directory)), archive_(std::move(archive)) {}

  SegmentArchive* archive() const { return archive_.get(); }  // nullptr: there is none
  // The numbers of the segments that are in the journal's directory itself, and of those in the archive; ascending.
  Result<std::vector<std::uint32_t>> local_segments();
  Result<std::vector<std::uint32_t>> archived_segments();

  Result<std::unique_ptr<File>> open(const std::string& path, Access access) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<std::unique_ptr<File>> create(const std::string& path) override { return disk_.create(path); }
  Status rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status sync_directory(const std::string& directory) override { return disk_.sync_directory(directory); }
  Status make_directory(const std::string& directory) override { return disk_.make_directory(directory); }
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override { return disk_.lock(path); }

 private:
  Disk& disk_;
  const std::string directory_;
  const std::unique_ptr<SegmentArchive> archive_;
};

}  // namespace halocline
