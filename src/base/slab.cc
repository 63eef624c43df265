#include "base/slab.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "base/background_thread.h"
#include "base/check.h"

namespace halocline {
namespace {

constexpr int kNiceness = 10;
constexpr std::size_t kAhead = 8;   // regions
constexpr std::size_t kKeptOf = 4;  // of as many in slabs, one that was given back is kept
constexpr std::size_t kPageBytes = 4'096;

std::atomic<std::uint64_t> all_in_slabs{0};

// A region that nobody has touched.
void* map_region() {
  constexpr std::size_t kBytes = Slab::kRegionBytes;
  // Twice as much has an aligned half in it.
  void* const mapped = mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before = (kBytes - reinterpret_cast<std::uintptr_t>(mapped) % kBytes) % kBytes;
  if (before != 0) munmap(begin, before);
  munmap(begin + before + kBytes, kBytes - before);
  madvise(begin + before, kBytes, MADV_HUGEPAGE);  // refused where there are none: pages like all others, then
  return begin + before;
}

// Not by MADV_POPULATE_WRITE, which keeps the other threads of the process from mapping anything as long as it takes.
void touch(void* region) {
  auto* const bytes = static_cast<volatile std::byte*>(region);
  for (std::size_t at = 0; at < Slab::kRegionBytes; at += kPageBytes) bytes[at] = std::byte{0};
}

}  // namespace

// The regions that are touched and of no slab, and the thread that keeps some ahead. Both live as long as the process.
class Slab::Ready {
 public:
  static Ready& get() {
    static Ready* const ready = new Ready;
    return *ready;
  }

  // nullptr: none is ready.
  void* take() {
    const std::lock_guard lock(mutex_);
    void* region = nullptr;
    if (!regions_.empty()) {
      region = regions_.back();
      regions_.pop_back();
    }
    ask_for_more();
    return region;
  }

  void give(void* region) {
    {
      const std::lock_guard lock(mutex_);
      if (regions_.size() < most_kept()) return regions_.push_back(region);
    }
    munmap(region, kRegionBytes);
  }

  void fill(std::size_t regions) {
    while (size() < regions) {
      void* const region = map_region();
      touch(region);
      const std::lock_guard lock(mutex_);
      regions_.push_back(region);
    }
  }

  void keep_ahead() {
    const std::lock_guard lock(mutex_);
    if (keep_ == 0) std::thread([this] { work(); }).detach();
    keep_ = kAhead;
    ask_for_more();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return regions_.size();
  }

 private:
  // Of those given back. What a checkpoint made the books copy is wanted again by the next one.
  std::size_t most_kept() const {
    return std::max<std::size_t>(keep_, all_in_slabs.load(std::memory_order_relaxed) / kRegionBytes / kKeptOf);
  }
  // With the lock held.
  void ask_for_more() {
    if (regions_.size() >= keep_ || wanted_) return;
    wanted_ = true;
    changed_.notify_one();
  }

  void work() {
    work_in_background("memory-ahead", kNiceness);
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return wanted_; });
        wanted_ = false;
      }
      try {
        fill(kAhead);
      } catch (const std::bad_alloc&) {  // whoever needs one will be told
      }
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<void*> regions_;
  std::size_t keep_ = 0;
  bool wanted_ = false;
};

// At the beginning of its 2 MiB, which are aligned to their size, so that a piece leads to it.
struct alignas(Slab::kAlignment) Slab::Region {
  Slab* slab;
  Region* next;
  Region* previous;
  FreePiece* free;       // that were given back
  std::uint32_t fresh;   // the next that was never taken
  std::uint32_t taken;

  bool full(std::uint32_t pieces) const { return free == nullptr && fresh == pieces; }
};

Slab::Slab(std::size_t bytes)
    : bytes_((bytes + alignof(FreePiece) - 1) / alignof(FreePiece) * alignof(FreePiece)),
      pieces_(static_cast<std::uint32_t>((kRegionBytes - sizeof(Region)) / bytes_)) {
  CHECK(pieces_ > 1, "pieces of %zu bytes", bytes);
}

Slab::~Slab() {
  while (with_room_ != nullptr) {
    Region* const region = with_room_;
    CHECK(region->taken == 0, "a slab ends before its pieces");
    unlink(region);
    all_in_slabs.fetch_sub(kRegionBytes, std::memory_order_relaxed);
    Ready::get().give(region);
  }
}

void* Slab::take() {
  const std::lock_guard lock(mutex_);
  if (with_room_ != nullptr) return take_from(*with_room_);
  void* const ready = Ready::get().take();
  return take_from(begin_region(ready != nullptr ? ready : map_region()));
}

void* Slab::take_ready() {
  const std::lock_guard lock(mutex_);
  if (with_room_ != nullptr) return take_from(*with_room_);
  void* const ready = Ready::get().take();
  return ready != nullptr ? take_from(begin_region(ready)) : nullptr;
}

void* Slab::take_from(Region& region) {
  void* piece = region.free;
  if (piece != nullptr) {
    region.free = region.free->next;
  } else {
    piece = reinterpret_cast<std::byte*>(&region) + sizeof(Region) + bytes_ * region.fresh++;
  }
  ++region.taken;
  if (region.full(pieces_)) unlink(&region);
  return piece;
}

Slab::Region& Slab::begin_region(void* memory) {
  auto* const region = new (memory) Region{this, nullptr, nullptr, nullptr, 0, 0};
  link(region);
  ++regions_;
  all_in_slabs.fetch_add(kRegionBytes, std::memory_order_relaxed);
  return *region;
}

void Slab::give(void* piece) {
  auto* const region = reinterpret_cast<Region*>(reinterpret_cast<std::uintptr_t>(piece) / kRegionBytes * kRegionBytes);
  Slab& slab = *region->slab;
  {
    const std::lock_guard lock(slab.mutex_);
    if (region->full(slab.pieces_)) slab.link(region);
    region->free = new (piece) FreePiece{region->free};
    const bool last_with_room = slab.with_room_ == region && region->next == nullptr;
    if (--region->taken != 0 || last_with_room) return;
    slab.unlink(region);
    --slab.regions_;
  }
  all_in_slabs.fetch_sub(kRegionBytes, std::memory_order_relaxed);
  Ready::get().give(region);
}

Status Slab::reserve(std::uint64_t bytes) {
  if (bytes == 0) return ok_status();
  const auto machine = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  try {
    if (bytes > machine) throw std::bad_alloc();
    Ready::get().fill((bytes + kRegionBytes - 1) / kRegionBytes);
  } catch (const std::bad_alloc&) {
    return Status(Code::kResourceExhausted, "cannot reserve " + std::to_string(bytes >> 20) + " MiB of memory; this machine has " +
                                                std::to_string(machine >> 20) + " MiB");
  }
  keep_ahead();
  return ok_status();
}

void Slab::keep_ahead() { Ready::get().keep_ahead(); }

std::size_t Slab::regions() const {
  const std::lock_guard lock(mutex_);
  return regions_;
}

std::uint64_t Slab::bytes_of_all() { return all_in_slabs.load(std::memory_order_relaxed); }

std::uint64_t Slab::bytes_ready() { return Ready::get().size() * kRegionBytes; }

void Slab::link(Region* region) {
  region->previous = nullptr;
  region->next = with_room_;
  if (with_room_ != nullptr) with_room_->previous = region;
  with_room_ = region;
}

void Slab::unlink(Region* region) {
  (region->previous != nullptr ? region->previous->next : with_room_) = region->next;
  if (region->next != nullptr) region->next->previous = region->previous;
}

}  // namespace halocline
