// Pieces of one size out of regions of 2 MiB, which the system is asked to back with huge pages. Of the time a look-up in large books
// takes, a good part is the processor's translation of addresses: with huge pages it needs few translations, and finds them in its caches.
// (Linux: admin-guide/mm/transhuge, MADV_HUGEPAGE; where it is off, these are pages like all others.)
//
// The first touch of a region takes the system up to some milliseconds. So regions are touched ahead, and slabs of any size of piece take
// theirs from what is ready: from the reserve that reserve() made before anybody waits, later from the few that a thread of the process
// keeps ahead. A region whose pieces are all free goes back there or to the system, but for the last one that has room. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/status.h"

namespace halocline {

class Slab {
 public:
  static constexpr std::size_t kRegionBytes = std::size_t{2} << 20;
  static constexpr std::size_t kAlignment = 64;

  // Pieces of `bytes`, aligned to the largest power of two that divides it, 64 at most; far smaller than a region.
  explicit Slab(std::size_t bytes);
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab();  // all pieces are given back

  // Of any content. Like operator new it throws std::bad_alloc when the system has no memory.
  void* take();
  // The same where no region has to be touched for it; else nullptr.
  void* take_ready();
  // To the slab it was taken from.
  static void give(void* piece);

  // Touches regions until so many bytes of them are ready, rounded up: slabs take them before any other. From the first call that
  // asks for some on, a few are kept ahead, as after keep_ahead(). kResourceExhausted: the machine has not so much memory.
  static Status reserve(std::uint64_t bytes);
  // Regions will be wanted before long.
  static void keep_ahead();

  // That pieces were taken from.
  std::size_t regions() const;
  // Of all slabs.
  static std::uint64_t bytes_of_all();
  // Touched, and of no slab yet.
  static std::uint64_t bytes_ready();

 private:
  class Ready;
  struct Region;
  struct FreePiece {
    FreePiece* next;
  };

  void* take_from(Region& region);
  Region& begin_region(void* memory);
  void link(Region* region);
  void unlink(Region* region);

  const std::size_t bytes_;
  const std::uint32_t pieces_;  // in a region
  mutable std::mutex mutex_;
  Region* with_room_ = nullptr;  // a list
  std::size_t regions_ = 0;
};

}  // namespace halocline
