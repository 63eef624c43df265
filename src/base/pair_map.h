// A map from pairs of 32-bit ids to a 32-bit id: open addressing with the key in the slot, so that a look-up is one
// cache line. Only grows; nothing is removed. For one thread; not copied with a snapshot.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "base/prefetch.h"

namespace halocline {

class PairMap {
 public:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFFu;

  PairMap() : slots_(kFirstSize) {}

  std::uint32_t find(std::uint32_t a, std::uint32_t b) const {
    for (std::size_t at = place(a, b);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.a == a && slot.b == b) return slot.value;
      if (slot.value == kNone) return kNone;
    }
  }

  // Tells the processor to fetch what find() will look at.
  void prefetch(std::uint32_t a, std::uint32_t b) const { prefetch_line(&slots_[place(a, b)]); }

  // Adds a pair that find() does not find.
  void insert(std::uint32_t a, std::uint32_t b, std::uint32_t value) {
    if (++size_ * 2 > slots_.size()) grow();
    put({a, b, value});
  }

 private:
  static constexpr std::size_t kFirstSize = 1024;

  struct Slot {
    std::uint32_t a = kNone, b = kNone, value = kNone;
  };

  std::size_t place(std::uint32_t a, std::uint32_t b) const { return hash_ids(a, b) & (slots_.size() - 1); }

  void put(const Slot& slot) {
    std::size_t at = place(slot.a, slot.b);
    while (slots_[at].value != kNone) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.value != kNone) put(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace halocline
