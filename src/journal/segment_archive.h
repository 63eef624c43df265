// Where segments go that a start no longer needs: a folder, or whatever keeps files that are written once and read at any place. Only
// names and bytes; what is in them is archived_segment.h's. Any thread; one of a name is written at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/status.h"

namespace halocline {

class SegmentArchive {
 public:
  // A file that is being written. It is there, whole and durable, when finish() has returned; before, nobody sees it.
  class Upload {
   public:
    virtual ~Upload() = default;
    virtual Status append(std::span<const std::byte> bytes) = 0;
    virtual Status finish() = 0;
  };

  virtual ~SegmentArchive() = default;

  // For messages: what an operator calls it, and a file in it.
  virtual const std::string& place() const = 0;
  std::string path(const std::string& name) const { return place() + "/" + name; }

  // The names of the finished ones, sorted. None when the place does not exist.
  virtual Result<std::vector<std::string>> list() = 0;
  // Replaces one of this name when it is finished.
  virtual Result<std::unique_ptr<Upload>> create(const std::string& name) = 0;
  // For pread() and size(); kNotFound when there is none.
  virtual Result<std::unique_ptr<File>> open(const std::string& name) = 0;
  virtual Status remove(const std::string& name) = 0;
};

// A folder of a file system, made when the first is written. `disk` outlives it.
class FolderArchive final : public SegmentArchive {
 public:
  FolderArchive(Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}

  const std::string& place() const override { return folder_; }
  Result<std::vector<std::string>> list() override;
  Result<std::unique_ptr<Upload>> create(const std::string& name) override;
  Result<std::unique_ptr<File>> open(const std::string& name) override;
  Status remove(const std::string& name) override;

 private:
  Disk& disk_;
  const std::string folder_;
};

}  // namespace halocline
