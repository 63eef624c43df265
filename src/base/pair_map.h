// A map from pairs of 32-bit ids to a 32-bit id, with one table for each second id: look-ups with the same second id (a trade's
// five positions in its instrument) stay within a page of memory. As far as the first ids lie close together, from zero on, a table is
// an array of values by first id; the others are in an open-addressed hash table with the key in the slot. Either way a look-up is one
// cache line, and an entry takes 16 bytes or less in the array, 11 to 21 in the hash table. Only grows; nothing is removed. For one
// thread; not copied with a snapshot.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
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
    return a < table.values.size() ? table.values[a] : find_hashed(a, table);
  }

  // The same for several first ids.
  template <std::size_t kCount>
  std::array<std::uint32_t, kCount> find(const std::array<std::uint32_t, kCount>& as, std::uint32_t b) const {
    std::array<std::uint32_t, kCount> found;
    found.fill(kNone);
    if (b >= tables_.size()) return found;
    const Table& table = tables_[b];
    const std::span<const std::uint32_t> values = table.values;
    for (std::size_t i = 0; i < kCount; ++i) found[i] = as[i] < values.size() ? values[as[i]] : find_hashed(as[i], table);
    return found;
  }

  // Tells the processor to fetch what that will look at.
  template <std::size_t kCount>
  void prefetch(const std::array<std::uint32_t, kCount>& as, std::uint32_t b) const {
    if (b >= tables_.size()) return;
    const Table& table = tables_[b];
    const std::span<const std::uint32_t> values = table.values;
    for (const std::uint32_t a : as) a < values.size() ? prefetch_line(&values[a]) : prefetch_line(&table.slots[place(a, table)]);
  }

  // Adds a pair that find() does not find. `a` and `value` are below kNone.
  void insert(std::uint32_t a, std::uint32_t b, std::uint32_t value) {
    if (b >= tables_.size()) tables_.resize(b + 1);
    Table& table = tables_[b];
    if (a >= table.values.size() && (table.hashed + 1) * 4 > table.slots.size() * 3) grow(table);
    put({a, value}, table);
  }

 private:
  static constexpr std::size_t kFirstSize = 16;
  static constexpr std::size_t kPlacesAnEntry = 4;  // of the array, at most

  struct Slot {
    std::uint32_t a = kNone, value = kNone;
  };
  struct Table {
    std::vector<std::uint32_t> values;  // by first id, kNone where there is none
    std::vector<Slot> slots = std::vector<Slot>(kFirstSize);
    std::size_t placed = 0, hashed = 0;  // entries in either
  };

  static std::size_t place(std::uint32_t a, const Table& table) { return hash_ids(a, 0) & (table.slots.size() - 1); }

  static std::uint32_t find_hashed(std::uint32_t a, const Table& table) {
    for (std::size_t at = place(a, table);; at = (at + 1) & (table.slots.size() - 1)) {
      const Slot& slot = table.slots[at];
      if (slot.a == a) return slot.value;
      if (slot.value == kNone) return kNone;
    }
  }

  static void put(const Slot& slot, Table& table) {
    if (slot.a < table.values.size()) {
      table.values[slot.a] = slot.value;
      ++table.placed;
      return;
    }
    std::size_t at = place(slot.a, table);
    while (table.slots[at].value != kNone) at = (at + 1) & (table.slots.size() - 1);
    table.slots[at] = slot;
    ++table.hashed;
  }

  // Makes the array as long as it may be for the entries there are, and room for those that stay in the hash table.
  static void grow(Table& table) {
    std::vector<Slot> entries;
    entries.reserve(table.hashed);
    for (const Slot& slot : table.slots) {
      if (slot.value != kNone) entries.push_back(slot);
    }
    std::sort(entries.begin(), entries.end(), [](const Slot& x, const Slot& y) { return x.a < y.a; });
    std::size_t length = table.values.size(), leave = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::size_t places = std::size_t{entries[i].a} + 1;
      if (places <= kPlacesAnEntry * (table.placed + i + 1)) length = places, leave = i + 1;
    }
    table.values.resize(length, kNone);
    const bool roomy = (entries.size() - leave) * 2 <= table.slots.size();
    table.slots.assign(roomy ? table.slots.size() : table.slots.size() * 2, Slot{});
    table.hashed = 0;
    for (const Slot& slot : entries) put(slot, table);
  }

  std::vector<Table> tables_;
};

}  // namespace halocline
