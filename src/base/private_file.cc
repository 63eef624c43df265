#include "base/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/disk.h"

namespace halocline {
namespace {

constexpr std::size_t kMostBytes = 64u << 10;

// Closed at the end of its scope.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Status write_private_file(const std::string& path, std::string_view bytes) {
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.fd < 0 && errno == EEXIST) return Status(Code::kAlreadyExists, "cannot create " + path + ": it exists");
  if (file.fd < 0) return errno_status(errno, "create " + path);
  if (::fchmod(file.fd, 0600) != 0) return errno_status(errno, "protect " + path);  // whatever the umask
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return errno_status(count == 0 ? ENOSPC : errno, "write " + path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file.fd) != 0) return errno_status(errno, "sync " + path);
  return PosixDisk().sync_directory(folder_of(path));
}

Result<std::string> read_private_file(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return errno_status(errno, "open " + path);
  struct stat info;
  if (::fstat(file.fd, &info) != 0) return errno_status(errno, "stat " + path);
  if ((info.st_mode & 077) != 0) {
    return Status(Code::kFailedPrecondition, path + " may be read or written by others than its owner: `chmod 600 " + path +
                                                 "`, and rotate the key if they may have");
  }
  std::string bytes(kMostBytes + 1, '\0');
  std::size_t used = 0;
  while (used < bytes.size()) {
    const ssize_t count = ::read(file.fd, bytes.data() + used, bytes.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_status(errno, "read " + path);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  if (used > kMostBytes) return Status(Code::kResourceExhausted, path + " is longer than a key can be");
  bytes.resize(used);
  return bytes;
}

}  // namespace halocline
