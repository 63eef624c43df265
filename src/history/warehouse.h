// Where tables lie: files by location, "file:///var/lib/halocline/warehouse/…". Files are written once, whole, and never changed.
//
//   FolderWarehouse warehouse(disk, "/var/lib/halocline/warehouse");
//   Status written = warehouse.write(warehouse.root() + "/trades/metadata/00000-….metadata.json", text);
//
// Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/status.h"
#include "journal/crash_point.h"

namespace halocline {

struct WarehouseFile {
  std::string location;
  std::int64_t written = 0;  // when, nanoseconds since 1970 UTC, by the clock of whoever keeps it
};

class Warehouse {
 public:
  virtual ~Warehouse() = default;

  // The location everything is below, without a slash at its end.
  virtual const std::string& root() const = 0;
  // The location as this warehouse writes it ("/w/t/", "file:/w/t" and "file:///w/t" are one place). kInvalidArgument when it
  // is not below root(), or leads out of it.
  virtual Result<std::string> canonical(std::string_view location) const = 0;

  // The locations below are canonical ones, or what canonical() makes of them is taken; its failure is theirs.

  // A new file; when this returns it survives a power failure. kAlreadyExists when there is one.
  virtual Status write(const std::string& location, std::string_view bytes) = 0;
  // kNotFound when there is none, kResourceExhausted when it is larger than `most`.
  virtual Result<std::string> read(const std::string& location, std::size_t most) = 0;
  // Whether there is such a file.
  virtual Result<bool> exists(const std::string& location) = 0;
  // Fine when it is gone already.
  virtual Status remove(const std::string& location) = 0;
  // Every file below, in any order; none when there is nothing. Files that come or go meanwhile may be among them or not.
  virtual Result<std::vector<WarehouseFile>> list(const std::string& location) = 0;
  // Everything below; fine when there is nothing.
  virtual Status remove_all(const std::string& location) = 0;
};

// Whether one of the canonical locations is within the other, or they are the same.
bool overlap(const std::string& a, const std::string& b);

// A folder of this machine.
class FolderWarehouse final : public Warehouse {
 public:
  // `folder` is an absolute path; it is made when a file comes. `disk` outlives this.
  FolderWarehouse(Disk& disk, const std::string& folder);

  const std::string& root() const override { return root_; }
  Result<std::string> canonical(std::string_view location) const override;
  Status write(const std::string& location, std::string_view bytes) override;
  Result<std::string> read(const std::string& location, std::size_t most) override;
  Result<bool> exists(const std::string& location) override;
  Status remove(const std::string& location) override;
  Result<std::vector<WarehouseFile>> list(const std::string& location) override;
  Status remove_all(const std::string& location) override;

  // Where the crash test ends the process (journal/crash_point.h): the text of the variable. Before anything else.
  Status crash_at(const char* text) { return crash_points_.arm(text); }

 private:
  // The path of a location.
  Result<std::string> path_of(const std::string& location) const;

  Disk& disk_;
  std::string root_;
  CrashPoints crash_points_;
};

}  // namespace halocline
