#include "base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/folder_of.h"

namespace halocline {
namespace {

// A file descriptor and whose it is to close.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The result of a system call that is repeated when a signal interrupted it.
template <class Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Result<std::size_t> pread(std::uint64_t offset, std::span<std::byte> into) override {
    const ssize_t count =
        retried([&] { return ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset)); });
    if (count < 0) return errno_status(errno, "read " + path_ + " at " + std::to_string(offset));
    return static_cast<std::size_t>(count);
  }

  Result<std::size_t> pwrite(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const ssize_t count =
        retried([&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return errno_status(errno, "write " + path_ + " at " + std::to_string(offset));
    if (count == 0) return errno_status(ENOSPC, "write " + path_ + " at " + std::to_string(offset));
    return static_cast<std::size_t>(count);
  }

  Status preallocate(std::uint64_t size) override {
    if (retried([&] { return ::fallocate(fd_.get(), 0, 0, static_cast<off_t>(size)); }) == 0) return ok_status();
    const int error = errno;
    if (error != EOPNOTSUPP && error != ENOSYS) {
      return errno_status(error, "reserve " + std::to_string(size) + " bytes for " + path_);
    }
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return errno_status(errno, "lengthen " + path_);
    return ok_status();
  }

  Status sync_data() override {
    // Not retried: fdatasync has no partial result to resume, and an error is not to be tried away.
    if (::fdatasync(fd_.get()) != 0) return errno_status(errno, "sync " + path_);
    return ok_status();
  }

  Result<std::uint64_t> size() override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return errno_status(errno, "stat " + path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  const std::string& path() const override { return path_; }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixLock final : public Lock {
 public:
  explicit PosixLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;  // closing releases the flock
};

// Not std::filesystem: it throws, and errno is what the reader needs to see.
Status make_one_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0777) == 0) return ok_status();
  const int error = errno;
  struct stat info;
  if (error == EEXIST && ::stat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return ok_status();
  return errno_status(error, "make the directory " + directory);
}

}  // namespace

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& path, Access access) {
  const int flags = (access == Access::kRead ? O_RDONLY : O_RDWR) | O_CLOEXEC;
  const int fd = retried([&] { return ::open(path.c_str(), flags); });
  if (fd < 0) return errno_status(errno, "open " + path);
  if (access == Access::kRead) ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // only a hint
  return std::unique_ptr<File>(std::make_unique<PosixFile>(fd, path));
}

Result<std::unique_ptr<File>> PosixDisk::create(const std::string& path) {
  const int fd = retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
  if (fd < 0 && errno == EEXIST) return Status(Code::kAlreadyExists, "cannot create " + path + ": it exists");
  if (fd < 0) return errno_status(errno, "create " + path);
  return std::unique_ptr<File>(std::make_unique<PosixFile>(fd, path));
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_status(errno, "rename " + from + " to " + to);
  return ok_status();
}

Status PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return errno_status(errno, "remove " + path);
  return ok_status();
}

Status PosixDisk::sync_directory(const std::string& directory) {
  const Descriptor fd(retried([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (fd.get() < 0) return errno_status(errno, "open the directory " + directory);
  if (::fsync(fd.get()) != 0) return errno_status(errno, "sync the directory " + directory);
  return ok_status();
}

Status PosixDisk::make_directory(const std::string& directory) {
  struct stat info;
  if (::stat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return ok_status();
  const std::string parent = folder_of(directory);
  if (parent != directory && parent != "." && parent != "/") {
    if (Status status = make_directory(parent); !status.ok()) return status;
  }
  if (Status status = make_one_directory(directory); !status.ok()) return status;
  return sync_directory(parent);
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  if (stream == nullptr) return errno_status(errno, "list the directory " + directory);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return errno_status(errno, "list the directory " + directory);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::unique_ptr<Lock>> PosixDisk::lock(const std::string& path) {
  const int fd = retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); });
  if (fd < 0) return errno_status(errno, "open the lock file " + path);
  auto lock = std::make_unique<PosixLock>(fd);
  if (retried([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return errno_status(errno, "lock " + path);
    char holder[32] = {};
    const ssize_t count = ::pread(fd, holder, sizeof holder - 1, 0);
    const long pid = count > 0 ? std::strtol(holder, nullptr, 10) : 0;
    const std::string who = pid > 0 ? "process " + std::to_string(pid) : "another process";
    return Status(Code::kFailedPrecondition,
                  folder_of(path) + " is in use by " + who + ": stop it first, or use another directory");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // The id is for a person; a full disk must not keep the holder of the lock from starting.
  if (::ftruncate(fd, 0) == 0 && ::pwrite(fd, pid.data(), pid.size(), 0) < 0) static_cast<void>(::ftruncate(fd, 0));
  return std::unique_ptr<Lock>(std::move(lock));
}

Status write_all(File& file, std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    Result<std::size_t> written = file.pwrite(offset, bytes);
    if (!written.ok()) return written.status();
    CHECK(written.value() > 0 && written.value() <= bytes.size(), "pwrite of %zu bytes wrote %zu", bytes.size(),
          written.value());
    offset += written.value();
    bytes = bytes.subspan(written.value());
  }
  return ok_status();
}

Status SteadyWriter::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<const std::byte> some = bytes.first(std::min<std::uint64_t>(bytes.size(), synced_ + kStep - end_));
    if (Status status = write_all(file_, end_, some); !status.ok()) return status;
    end_ += some.size();
    bytes = bytes.subspan(some.size());
    if (end_ < synced_ + kStep) continue;
    if (Status status = file_.sync_data(); !status.ok()) return status;
    synced_ = end_;
  }
  return ok_status();
}

Result<std::size_t> read_all(File& file, std::uint64_t offset, std::span<std::byte> into) {
  std::size_t total = 0;
  while (total < into.size()) {
    Result<std::size_t> count = file.pread(offset + total, into.subspan(total));
    if (!count.ok()) return count.status();
    if (count.value() == 0) break;
    total += count.value();
  }
  return total;
}

}  // namespace halocline
