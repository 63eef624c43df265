#include "base/slab.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <new>
#include <thread>
#include <utility>

#include "base/check.h"

namespace halocline {
namespace {

constexpr int kNiceness = 10;

std::atomic<std::uint64_t> all_mapped{0};

}  // namespace

// The thread that makes regions ahead. It lives as long as the process.
class Slab::Ahead {
 public:
  static Ahead& get() {
    static Ahead* const ahead = new Ahead;
    return *ahead;
  }

  void want(Slab& slab) {
    const std::lock_guard lock(mutex_);
    wanted_.push_back(&slab);
    changed_.notify_all();
  }

  // Nothing is made for it from here on.
  void forget(Slab& slab) {
    std::unique_lock lock(mutex_);
    std::erase(wanted_, &slab);
    changed_.wait(lock, [&] { return at_work_for_ != &slab; });
  }

 private:
  Ahead() {
    std::thread([this] { work(); }).detach();
  }

  void work() {
    pthread_setname_np(pthread_self(), "memory-ahead");
    static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness));  // else it is as urgent as those it works for
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return !wanted_.empty(); });
      at_work_for_ = wanted_.front();
      wanted_.pop_front();
      lock.unlock();
      at_work_for_->make_spare();
      lock.lock();
      at_work_for_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Slab*> wanted_;
  Slab* at_work_for_ = nullptr;
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
  Ahead::get().forget(*this);
  if (spare_ != nullptr) unmap(spare_);
  while (with_room_ != nullptr) {
    Region* const region = with_room_;
    CHECK(region->taken == 0, "a slab ends before its pieces");
    unlink(region);
    unmap(region);
  }
}

void* Slab::take() {
  bool begun = false;
  void* piece = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (with_room_ == nullptr) {
      begun = true;
      link(spare_ != nullptr ? std::exchange(spare_, nullptr) : make_region());
      ++regions_;
    }
    Region& region = *with_room_;
    piece = region.free;
    if (piece != nullptr) {
      region.free = region.free->next;
    } else {
      piece = reinterpret_cast<std::byte*>(&region) + sizeof(Region) + bytes_ * region.fresh++;
    }
    ++region.taken;
    if (region.full(pieces_)) unlink(&region);
  }
  if (begun) Ahead::get().want(*this);
  return piece;
}

void Slab::prepare() { Ahead::get().want(*this); }

void Slab::make_spare() {
  {
    const std::lock_guard lock(mutex_);
    if (spare_ != nullptr) return;
  }
  Region* region = nullptr;
  try {
    region = make_region();
  } catch (const std::bad_alloc&) {
    return;  // whoever needs it will be told
  }
  madvise(region, kRegionBytes, MADV_POPULATE_WRITE);  // where the system knows how; else the first touch does it
  const std::lock_guard lock(mutex_);
  spare_ = region;
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
  unmap(region);
}

std::size_t Slab::regions() const {
  const std::lock_guard lock(mutex_);
  return regions_;
}

std::uint64_t Slab::bytes_of_all() { return all_mapped.load(std::memory_order_relaxed); }

Slab::Region* Slab::make_region() {
  // Twice as much has an aligned half in it.
  void* const mapped = mmap(nullptr, 2 * kRegionBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before = (kRegionBytes - reinterpret_cast<std::uintptr_t>(mapped) % kRegionBytes) % kRegionBytes;
  if (before != 0) munmap(begin, before);
  munmap(begin + before + kRegionBytes, kRegionBytes - before);
  std::byte* const region = begin + before;
  madvise(region, kRegionBytes, MADV_HUGEPAGE);  // refused where there are none: pages like all others, then
  all_mapped.fetch_add(kRegionBytes, std::memory_order_relaxed);
  return new (region) Region{this, nullptr, nullptr, nullptr, 0, 0};
}

void Slab::unmap(Region* region) {
  munmap(region, kRegionBytes);
  all_mapped.fetch_sub(kRegionBytes, std::memory_order_relaxed);
}

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
