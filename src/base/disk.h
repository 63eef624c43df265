// The disk as the program sees it: the seam where tests put faults (journal/faulty_disk_test.h) and where PosixDisk
// makes system calls. Calls are as narrow as the system's own: a read or write may be short, nothing is retried but
// EINTR, and every failure is a Status that names the path. Paths are plain strings; "directory" arguments have no
// trailing slash.
//
//   PosixDisk disk;
//   Result<std::unique_ptr<File>> file = disk.open("/var/lib/halocline/journal/x", Access::kReadWrite);
//   if (!file.ok()) return file.status();
//   if (Status status = write_all(*file.value(), 0, bytes); !status.ok()) return status;
//   return file.value()->sync_data();
//
// Threads: a Disk may be used by any number of threads. A File too, as far as the operating system orders overlapping
// reads and writes (it doesn't: whoever reads beside a writer checks what it read).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace halocline {

enum class Access { kRead, kReadWrite };

// An open file; closed by the destructor, without a sync.
class File {
 public:
  virtual ~File() = default;

  // How many bytes were read: fewer than asked for at the end of the file, 0 beyond it, or just so.
  virtual Result<std::size_t> pread(std::uint64_t offset, std::span<std::byte> into) = 0;
  // How many bytes were written, at least 1. After a failure any part of `bytes` may be in the file.
  virtual Result<std::size_t> pwrite(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // Reserves room for the first `size` bytes and makes the file that long; new bytes read as zero. May do nothing where
  // the file system can't reserve: only writing proves the room.
  virtual Status preallocate(std::uint64_t size) = 0;
  // Returns when the contents (and the size, if it changed) are on the medium. After a failure nothing is known about
  // what is there, and a second call that succeeds proves nothing: the kernel may have dropped the pages.
  virtual Status sync_data() = 0;
  virtual Result<std::uint64_t> size() = 0;
  virtual const std::string& path() const = 0;
};

// A lock on a path, held until destroyed or until the process ends.
class Lock {
 public:
  virtual ~Lock() = default;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // An existing file; kNotFound when there is none.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Access access) = 0;
  // A new, empty file for reading and writing; kAlreadyExists when there is one.
  virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  // Replaces `to`. Durable after sync_directory, as are create and remove.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  virtual Status sync_directory(const std::string& directory) = 0;
  // The directory and those above it, durably. Existing ones are fine.
  virtual Status make_directory(const std::string& directory) = 0;
  // The names in it, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // Takes the lock file `path`, made if missing, with this process's id in it. kFailedPrecondition, naming the process
  // that holds it, when it is taken.
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
};

// The file system of this machine.
class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Access access) override;
  Result<std::unique_ptr<File>> create(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& directory) override;
  Status make_directory(const std::string& directory) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override;
};

// Writes all of it, however many calls that takes. After a failure any part may be in the file.
Status write_all(File& file, std::uint64_t offset, std::span<const std::byte> bytes);
// Writes a file from some place on, one piece behind the other, and syncs as it goes: whoever else waits for the disk, and a trade's
// acknowledgement does, waits for one step of it at most, not for all that the kernel has gathered.
class SteadyWriter {
 public:
  static constexpr std::uint64_t kStep = 1u << 20;  // bytes written and synced at once

  explicit SteadyWriter(File& file, std::uint64_t from = 0) : file_(file), end_(from), synced_(from) {}

  // After a failure any part may be in the file.
  Status append(std::span<const std::byte> bytes);
  // What is left is synced.
  Status finish() { return file_.sync_data(); }
  // Where the next piece goes.
  std::uint64_t end() const { return end_; }

 private:
  File& file_;
  std::uint64_t end_, synced_;
};
// Reads until `into` is full or the file ends; the number of bytes read.
Result<std::size_t> read_all(File& file, std::uint64_t offset, std::span<std::byte> into);

}  // namespace halocline
