// Remembers which nodes the names last looked up meant: a trade's four names are nearly always among them, and a look-up here costs
// a few comparisons of words instead of a walk through the index. Names of at most 16 bytes; others go to the catalog.
// One thread; good for one Catalog object.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/hash.h"
#include "catalog/catalog.h"

namespace halocline {

class NameMemo {
 public:
  explicit NameMemo(const Catalog& catalog) : catalog_(catalog) {}

  // As Catalog::find_node.
  std::uint32_t find(NodeKind kind, std::string_view name) {
    if (name.size() > 16 || name.size() < 2) return catalog_.find_node(kind, name);
    const auto [low, high] = words(name);
    // Two places for a name, so that two names do not push each other out by turns.
    const std::size_t place = hash_mix(low ^ static_cast<std::uint64_t>(kind), high ^ 0xe7037ed1a0b428dbull) % kEntries;
    for (const std::size_t at : {place, place ^ 1}) {
      const Entry& entry = entries_[at];
      const bool known = entry.low == low && entry.high == high && entry.length == name.size() && entry.kind == kind &&
                         entry.version == catalog_.names_version();
      if (known) return entry.node;
    }
    const std::uint32_t node = catalog_.find_node(kind, name);
    if (node == kNoId) return kNoId;
    const bool first_is_free = entries_[place].version != catalog_.names_version();
    entries_[first_is_free ? place : place ^ 1] = {low, high, catalog_.names_version(), node, kind, static_cast<std::uint8_t>(name.size())};
    return node;
  }

 private:
  static constexpr std::size_t kEntries = 4096;

  struct Entry {
    std::uint64_t low = 0, high = 0;
    std::uint64_t version = 0;
    std::uint32_t node = kNoId;
    NodeKind kind{};
    std::uint8_t length = 0;
  };

  // The bytes of 2 to 16 as two words; together with the length they are the name.
  static std::pair<std::uint64_t, std::uint64_t> words(std::string_view name) {
    std::uint64_t low = 0, high = 0;
    const char* p = name.data();
    const std::size_t n = name.size();
    if (n >= 8) {
      std::memcpy(&low, p, 8);
      std::memcpy(&high, p + n - 8, 8);
    } else if (n >= 4) {
      std::memcpy(&low, p, 4);
      std::memcpy(&high, p + n - 4, 4);
    } else {
      std::memcpy(&low, p, 2);
      std::memcpy(&high, p + n - 2, 2);
    }
    return {low, high};
  }

  const Catalog& catalog_;
  std::array<Entry, kEntries> entries_{};
};

}  // namespace halocline
