#include "history/warehouse.h"

#include <chrono>
#include <filesystem>
#include <span>
#include <system_error>

namespace halocline {
namespace {

constexpr std::string_view kScheme = "file:";

// An absolute path out of "file:///a", "file:/a" or "/a", without empty parts; kInvalidArgument for anything else.
Result<std::string> plain_path(std::string_view location) {
  const Status refused(Code::kInvalidArgument, "location \"" + std::string(location) + "\" is no path of this machine: write file:///…");
  std::string_view rest = location;
  if (rest.starts_with(kScheme)) {
    rest.remove_prefix(kScheme.size());
    if (rest.starts_with("//") && !rest.starts_with("///")) return refused;  // a host
  }
  if (!rest.starts_with("/") || rest.find('\0') != std::string_view::npos) return refused;
  std::string path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part == "..") return refused;
    if (!part.empty() && part != ".") path += "/" + std::string(part);
    rest.remove_prefix(part.size());
  }
  return path;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

bool overlap(const std::string& a, const std::string& b) { return a == b || a.starts_with(b + "/") || b.starts_with(a + "/"); }

FolderWarehouse::FolderWarehouse(Disk& disk, const std::string& folder) : disk_(disk) {
  Result<std::string> path = plain_path(folder);
  CHECK(path.ok() && !path.value().empty(), "warehouse folder %s", folder.c_str());
  root_ = "file://" + path.value();
}

Result<std::string> FolderWarehouse::canonical(std::string_view location) const {
  Result<std::string> path = plain_path(location);
  if (!path.ok()) return path.status();
  std::string whole = "file://" + path.value();
  if (whole.starts_with(root_ + "/")) return whole;
  return Status(Code::kInvalidArgument, "location \"" + std::string(location) + "\" is not in the warehouse " + root_);
}

Result<std::string> FolderWarehouse::path_of(const std::string& location) const {
  Result<std::string> whole = canonical(location);
  if (!whole.ok()) return whole.status();
  return whole.value().substr(std::string_view("file://").size());
}

Status FolderWarehouse::write(const std::string& location, std::string_view bytes) {
  const Result<std::string> path = path_of(location);
  if (!path.ok()) return path.status();
  const std::string folder = folder_of(path.value());
  if (Status status = disk_.make_directory(folder); !status.ok()) return status;
  const auto fill = [&]() -> Status {
    Result<std::unique_ptr<File>> file = disk_.create(path.value());
    if (!file.ok()) return file.status();
    const auto whole = std::as_bytes(std::span(bytes));
    const std::size_t half = whole.size() / 2;
    SteadyWriter steady(*file.value());
    Status status = steady.append(whole.first(half));
    crash_points_.pass(CrashPoint::kInFile);
    if (status.ok()) status = steady.append(whole.subspan(half));
    return status.ok() ? steady.finish() : status;
  };
  Status status = fill();
  if (status.ok()) status = disk_.sync_directory(folder);
  if (status.ok()) crash_points_.pass(CrashPoint::kAfterFile);
  if (!status.ok() && status.code() != Code::kAlreadyExists) static_cast<void>(disk_.remove(path.value()));  // nobody was told of it
  return status;
}

Result<std::string> FolderWarehouse::read(const std::string& location, std::size_t most) {
  const Result<std::string> path = path_of(location);
  if (!path.ok()) return path.status();
  Result<std::unique_ptr<File>> file = disk_.open(path.value(), Access::kRead);
  if (!file.ok()) return file.status();
  const Result<std::uint64_t> size = file.value()->size();
  if (!size.ok()) return size.status();
  if (size.value() > most) {
    return Status(Code::kResourceExhausted, location + " has " + std::to_string(size.value()) + " bytes; at most " + std::to_string(most) +
                                                " are read");
  }
  std::string text(size.value(), '\0');
  const Result<std::size_t> got = read_all(*file.value(), 0, std::as_writable_bytes(std::span(text)));
  if (!got.ok()) return got.status();
  text.resize(got.value());
  return text;
}

Result<bool> FolderWarehouse::exists(const std::string& location) {
  const Result<std::string> path = path_of(location);
  if (!path.ok()) return path.status();
  std::error_code error;
  const bool there = std::filesystem::is_regular_file(path.value(), error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return Status(Code::kIo, "cannot look at " + path.value() + ": " + error.message());
  }
  return there;
}

Status FolderWarehouse::remove(const std::string& location) {
  const Result<std::string> path = path_of(location);
  if (!path.ok()) return path.status();
  Status status = disk_.remove(path.value());
  return status.code() == Code::kNotFound ? ok_status() : status;
}

Result<std::vector<WarehouseFile>> FolderWarehouse::list(const std::string& location) {
  const Result<std::string> path = path_of(location);
  if (!path.ok()) return path.status();
  std::vector<WarehouseFile> files;
  std::error_code error;
  auto entry = std::filesystem::recursive_directory_iterator(path.value(), error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone) || gone) continue;
    const std::filesystem::file_time_type written = entry->last_write_time(gone);
    if (gone) continue;
    const auto since_1970 = std::chrono::file_clock::to_sys(written).time_since_epoch();
    files.push_back({"file://" + entry->path().string(), std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count()});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Status(Code::kIo, "cannot look through " + path.value() + ": " + error.message());
  }
  return files;
}

Status FolderWarehouse::remove_all(const std::string& location) {
  const Result<std::string> path = path_of(location);
  if (!path.ok()) return path.status();
  std::error_code error;
  std::filesystem::remove_all(path.value(), error);
  return error ? Status(Code::kIo, "cannot remove " + path.value() + ": " + error.message()) : ok_status();
}

}  // namespace halocline
