// A map from pairs of 32-bit ids to a 32-bit id, with one table for each second id: look-ups with the same second id (a trade's
// five positions in its instrument) stay within a few pages of memory. Open addressing with the key in the slot, so that a look-up is
// one cache line. Only grows; nothing is removed. For one thread; not copied with a snapshot.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "base/prefetch.h"

namespace halocline {

class PairMap {
 public:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFFu;

  std::uint32_t find(std::uint32_t a, std::uint32_t b) const {
    if (b >= tables_.size()) return kNone;
    const Table& table = tables_[b];
    for (std::size_t at = place(a, table);; at = (at + 1) & table.mask) {
      const Slot& slot = table.slots[at];
      if (slot.a == a) return slot.value;
      if (slot.value == kNone) return kNone;
    }
  }

  // Tells the processor to fetch what find() will look at.
  void prefetch(std::uint32_t a, std::uint32_t b) const {
    if (b < tables_.size()) prefetch_line(&tables_[b].slots[place(a, tables_[b])]);
  }

  // Adds a pair that find() does not find. `a` is below kNone.
  void insert(std::uint32_t a, std::uint32_t b, std::uint32_t value) {
    if (b >= tables_.size()) tables_.resize(b + 1);
    Table& table = tables_[b];
    if (++table.size * 4 > table.slots.size() * 3) grow(table);
    put({a, value}, table);
  }

 private:
  static constexpr std::size_t kFirstSize = 16;

  struct Slot {
    std::uint32_t a = kNone, value = kNone;
  };
  struct Table {
    std::vector<Slot> slots = std::vector<Slot>(kFirstSize);
    std::size_t mask = kFirstSize - 1;
    std::size_t size = 0;
  };

  static std::size_t place(std::uint32_t a, const Table& table) { return hash_ids(a, 0) & table.mask; }

  static void put(const Slot& slot, Table& table) {
    std::size_t at = place(slot.a, table);
    while (table.slots[at].value != kNone) at = (at + 1) & table.mask;
    table.slots[at] = slot;
  }

  static void grow(Table& table) {
    std::vector<Slot> old(table.slots.size() * 2);
    old.swap(table.slots);
    table.mask = table.slots.size() - 1;
    for (const Slot& slot : old) {
      if (slot.value != kNone) put(slot, table);
    }
  }

  std::vector<Table> tables_;
};

}  // namespace halocline
