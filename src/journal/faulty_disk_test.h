// A disk in memory that can do everything a real one can do wrong. For tests only.
//
// Writes are in the "page cache" (readable at once) until a sync. A power failure keeps, of every unsynced 512-byte
// sector, the content after any one of the writes to it or before all of them, and of the directory its state after any
// one of the changes since it was synced. Any number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/disk.h"

namespace halocline {

enum class DiskOp { kOpen, kCreate, kRead, kWrite, kPreallocate, kSync, kRename, kRemove, kSyncDirectory, kList, kLock, kMakeDirectory };

class FaultyDisk final : public Disk {
 public:
  static constexpr std::size_t kSector = 512;
  using Bytes = std::vector<std::byte>;

  explicit FaultyDisk(std::uint64_t seed) : random_(seed) {}

  // Faults. `after` counts calls of that kind from now: 0 is the next one.
  void fail(DiskOp op, int error, int after = 0, bool for_ever = false) { faults_.push_back({op, error, after, for_ever}); }
  void heal() { faults_.clear(); }
  // After so many more calls the power is off: that call (if a write: in part) and every later one fails.
  void power_off_after(int calls) { calls_left_ = calls; }
  bool powered() const { return powered_; }
  // Reads and writes return fewer bytes than asked for.
  void short_io(bool on) { short_io_ = on; }
  // Bytes that files may take in all.
  void room(std::uint64_t bytes) { room_ = bytes; }
  // The next write of at least kSector bytes goes `distance` further, or nowhere.
  void misdirect_next_write(std::int64_t distance) { misdirect_ = distance, misdirecting_ = true; }
  void lose_next_write() { losing_ = true; }
  int calls() const { return calls_; }

  // The machine fails and starts again.
  void power_cycle() {
    const std::lock_guard lock(mutex_);
    if (!snapshots_.empty()) {
      const std::size_t kept = random_() % (snapshots_.size() + 1);
      if (kept > 0) durable_names_ = snapshots_[kept - 1];
    }
    snapshots_.clear();
    names_ = durable_names_;
    for (auto& [name, inode] : names_) settle(*inode);
    restart_process();
  }
  // The process dies; the machine goes on.
  void kill() {
    const std::lock_guard lock(mutex_);
    restart_process();
  }

  // The bytes of a file, to look at or to damage behind the program's back.
  Bytes& bytes(const std::string& path) { return names_.at(path)->current; }
  bool exists(const std::string& path) const { return names_.count(path) > 0; }
  void put(const std::string& path, Bytes content) {
    auto inode = std::make_shared<Inode>();
    inode->current = inode->durable = std::move(content);
    names_[path] = durable_names_[path] = inode;
  }
  void erase(const std::string& path) {
    names_.erase(path);
    durable_names_.erase(path);
  }
  std::map<std::string, Bytes> contents() const {
    std::map<std::string, Bytes> all;
    for (const auto& [name, inode] : names_) all[name] = inode->current;
    return all;
  }
  // Exactly these files, all durable.
  void restore(const std::map<std::string, Bytes>& all) {
    names_.clear();
    durable_names_.clear();
    snapshots_.clear();
    locked_.clear();
    for (const auto& [name, content] : all) put(name, content);
  }

  Result<std::unique_ptr<File>> open(const std::string& path, Access) override {
    const std::lock_guard lock(mutex_);
    if (Status status = call(DiskOp::kOpen, path); !status.ok()) return status;
    if (names_.count(path) == 0) return errno_status(ENOENT, "open " + path);
    return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, names_[path], path));
  }
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (Status status = call(DiskOp::kCreate, path); !status.ok()) return status;
    if (names_.count(path) > 0) return Status(Code::kAlreadyExists, "cannot create " + path + ": it exists");
    names_[path] = std::make_shared<Inode>();
    snapshots_.push_back(names_);
    return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, names_[path], path));
  }
  Status rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    if (Status status = call(DiskOp::kRename, from); !status.ok()) return status;
    if (names_.count(from) == 0) return errno_status(ENOENT, "rename " + from);
    names_[to] = names_[from];
    names_.erase(from);
    snapshots_.push_back(names_);
    return ok_status();
  }
  Status remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (Status status = call(DiskOp::kRemove, path); !status.ok()) return status;
    if (names_.erase(path) == 0) return errno_status(ENOENT, "remove " + path);
    snapshots_.push_back(names_);
    return ok_status();
  }
  Status sync_directory(const std::string& directory) override {
    const std::lock_guard lock(mutex_);
    if (Status status = call(DiskOp::kSyncDirectory, directory); !status.ok()) return status;
    durable_names_ = names_;
    snapshots_.clear();
    return ok_status();
  }
  Status make_directory(const std::string& directory) override {
    const std::lock_guard lock(mutex_);
    return call(DiskOp::kMakeDirectory, directory);
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    const std::lock_guard lock(mutex_);
    if (Status status = call(DiskOp::kList, directory); !status.ok()) return status;
    std::vector<std::string> found;
    for (const auto& [name, inode] : names_) {
      if (name.compare(0, directory.size() + 1, directory + "/") == 0) found.push_back(name.substr(directory.size() + 1));
    }
    return found;
  }
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override {
    const std::lock_guard guard(mutex_);
    if (Status status = call(DiskOp::kLock, path); !status.ok()) return status;
    if (!locked_.insert(path).second) return Status(Code::kFailedPrecondition, path + " is in use by process 1");
    return std::unique_ptr<Lock>(std::make_unique<HeldLock>(*this, path, boot_));
  }

 private:
  struct Inode {
    Bytes current;
    Bytes durable;
    std::map<std::uint64_t, std::vector<std::array<std::byte, kSector>>> unsynced;  // by sector: after each write
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  struct Fault {
    DiskOp op;
    int error;
    int after;
    bool for_ever;
  };

  class HeldLock final : public Lock {
   public:
    HeldLock(FaultyDisk& disk, std::string path, int boot) : disk_(disk), path_(std::move(path)), boot_(boot) {}
    ~HeldLock() override {
      const std::lock_guard lock(disk_.mutex_);
      if (disk_.boot_ == boot_) disk_.locked_.erase(path_);
    }

   private:
    FaultyDisk& disk_;
    std::string path_;
    int boot_;
  };

  class OpenFile final : public File {
   public:
    OpenFile(FaultyDisk& disk, std::shared_ptr<Inode> inode, std::string path)
        : disk_(disk), inode_(std::move(inode)), path_(std::move(path)) {}
    Result<std::size_t> pread(std::uint64_t offset, std::span<std::byte> into) override {
      const std::lock_guard lock(disk_.mutex_);
      if (Status status = disk_.call(DiskOp::kRead, path_); !status.ok()) return status;
      if (offset >= inode_->current.size()) return std::size_t{0};
      const std::size_t count = disk_.shortened(std::min<std::size_t>(into.size(), inode_->current.size() - offset));
      std::memcpy(into.data(), inode_->current.data() + offset, count);
      return count;
    }
    Result<std::size_t> pwrite(std::uint64_t offset, std::span<const std::byte> bytes) override {
      const std::lock_guard lock(disk_.mutex_);
      return disk_.write(*inode_, path_, offset, bytes);
    }
    Status preallocate(std::uint64_t size) override {
      const std::lock_guard lock(disk_.mutex_);
      if (Status status = disk_.call(DiskOp::kPreallocate, path_); !status.ok()) return status;
      if (disk_.used() + size - inode_->current.size() > disk_.room_) return errno_status(ENOSPC, "reserve " + path_);
      if (inode_->current.size() < size) inode_->current.resize(size);
      return ok_status();
    }
    Status sync_data() override {
      const std::lock_guard lock(disk_.mutex_);
      Status status = disk_.call(DiskOp::kSync, path_);
      // As Linux does: after an error the pages count as clean, and are lost unless written again.
      inode_->durable.resize(inode_->current.size());
      if (status.ok()) {
        for (const auto& [sector, versions] : inode_->unsynced) disk_.apply(*inode_, sector, versions.back());
      }
      if (disk_.powered_) inode_->unsynced.clear();
      return status;
    }
    Result<std::uint64_t> size() override {
      const std::lock_guard lock(disk_.mutex_);
      return std::uint64_t{inode_->current.size()};
    }
    const std::string& path() const override { return path_; }

   private:
    FaultyDisk& disk_;
    std::shared_ptr<Inode> inode_;
    std::string path_;
  };

  void restart_process() {
    locked_.clear();
    ++boot_;
    powered_ = true;
    calls_left_ = -1;
    misdirecting_ = losing_ = false;
  }

  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [name, inode] : names_) sum += inode->current.size();
    return sum;
  }

  std::size_t shortened(std::size_t count) {
    return short_io_ && count > 1 ? 1 + random_() % count : count;
  }

  // Counts a call and decides whether it fails.
  Status call(DiskOp op, const std::string& path) {
    ++calls_;
    if (calls_left_ == 0) powered_ = false;
    if (calls_left_ > 0) --calls_left_;
    if (!powered_) return errno_status(EIO, "use " + path + " without power");
    for (std::size_t i = 0; i < faults_.size(); ++i) {
      Fault& fault = faults_[i];
      if (fault.op != op || fault.after-- > 0) continue;
      fault.after = 0;
      const int error = fault.error;
      if (!fault.for_ever) faults_.erase(faults_.begin() + static_cast<std::ptrdiff_t>(i));
      return errno_status(error, "use " + path);
    }
    return ok_status();
  }

  Result<std::size_t> write(Inode& inode, const std::string& path, std::uint64_t offset, std::span<const std::byte> bytes) {
    const bool was_powered = powered_;
    Status status = call(DiskOp::kWrite, path);
    std::size_t count = shortened(bytes.size());
    if (!status.ok()) {
      if (!was_powered) return status;
      count = random_() % (bytes.size() + 1);  // a failed write leaves any part
    }
    if (bytes.size() >= kSector && misdirecting_) {
      misdirecting_ = false;
      offset += static_cast<std::uint64_t>(misdirect_);
      count = bytes.size();
    }
    if (bytes.size() >= kSector && losing_) {
      losing_ = false;
      return bytes.size();
    }
    const std::uint64_t end = offset + count;
    if (end > inode.current.size() && used() + end - inode.current.size() > room_) return errno_status(ENOSPC, "write " + path);
    if (end > inode.current.size()) inode.current.resize(end);
    std::memcpy(inode.current.data() + offset, bytes.data(), count);
    for (std::uint64_t sector = offset / kSector; sector * kSector < end; ++sector) {
      std::array<std::byte, kSector> content{};
      const std::size_t length = std::min<std::size_t>(kSector, inode.current.size() - sector * kSector);
      std::memcpy(content.data(), inode.current.data() + sector * kSector, length);
      inode.unsynced[sector].push_back(content);
    }
    if (!status.ok()) return status;
    return count;
  }

  void apply(Inode& inode, std::uint64_t sector, const std::array<std::byte, kSector>& content) {
    const std::uint64_t start = sector * kSector;
    if (start >= inode.durable.size()) return;
    std::memcpy(inode.durable.data() + start, content.data(), std::min<std::size_t>(kSector, inode.durable.size() - start));
  }

  void settle(Inode& inode) {
    if (random_() % 2 == 0) inode.durable.resize(std::max(inode.durable.size(), inode.current.size()));
    for (const auto& [sector, versions] : inode.unsynced) {
      const std::size_t kept = random_() % (versions.size() + 1);
      if (kept > 0) apply(inode, sector, versions[kept - 1]);
    }
    inode.unsynced.clear();
    inode.current = inode.durable;
  }

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  Names names_;
  Names durable_names_;
  std::vector<Names> snapshots_;  // after each change since the directory was synced
  std::set<std::string> locked_;
  std::vector<Fault> faults_;
  int boot_ = 0;
  int calls_ = 0;
  int calls_left_ = -1;
  bool powered_ = true;
  bool short_io_ = false;
  bool misdirecting_ = false;
  std::int64_t misdirect_ = 0;
  bool losing_ = false;
  std::uint64_t room_ = UINT64_MAX / 4;
};

}  // namespace halocline
