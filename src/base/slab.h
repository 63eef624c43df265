// Pieces of one size out of regions of 2 MiB, which the system is asked to back with huge pages. Of the time a look-up in large books
// takes, a good part is the processor's translation of addresses: with huge pages it needs few translations, and finds them in its caches.
// (Linux: admin-guide/mm/transhuge, MADV_HUGEPAGE; where it is off, these are pages like all others.)
//
// The first touch of a region takes the system up to some milliseconds, so the next one is touched ahead, on a thread of the process that
// is there for that. A region whose pieces are all free goes back to the system, but for the last one that has room. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

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
  // Pieces will be wanted before long.
  void prepare();
  // To the slab it was taken from.
  static void give(void* piece);

  // That pieces were taken from.
  std::size_t regions() const;
  // Of all slabs, the regions made ahead too.
  static std::uint64_t bytes_of_all();

 private:
  class Ahead;
  struct Region;
  struct FreePiece {
    FreePiece* next;
  };

  Region* make_region();
  void make_spare();
  static void unmap(Region* region);
  void link(Region* region);
  void unlink(Region* region);

  const std::size_t bytes_;
  const std::uint32_t pieces_;  // in a region
  mutable std::mutex mutex_;
  Region* with_room_ = nullptr;  // a list
  Region* spare_ = nullptr;      // made ahead
  std::size_t regions_ = 0;
};

}  // namespace halocline
