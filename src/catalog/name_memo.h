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
    const auto version = static_cast<std::uint32_t>(catalog_.names_version());
    const std::uint64_t rest = static_cast<std::uint64_t>(version) << 16 | static_cast<std::uint64_t>(kind) << 8 | name.size();
    Entry* const set = entries_[hash_ids(low ^ static_cast<std::uint64_t>(kind), high) % kSets].data();
    for (std::size_t i = 0; i < kWays; ++i) {
      if (set[i].low == low && set[i].high == high && set[i].rest == rest) return set[i].node;
    }
    const std::uint32_t node = catalog_.find_node(kind, name);
    if (node == kNoId) return node;
    // The first way that is free, so that look-ups nearly always end at the first and the processor knows it beforehand.
    std::size_t way = 0;
    while (way < kWays && static_cast<std::uint32_t>(set[way].rest >> 16) == version && set[way].node != kNoId) ++way;
    set[way < kWays ? way : next_way_++ % kWays] = {low, high, rest, node};
    return node;
  }

 private:
  static constexpr std::size_t kSets = 2048;
  static constexpr std::size_t kWays = 4;  // so that names of the same set do not push each other out by turns

  struct Entry {
    std::uint64_t low = 0, high = 0;
    std::uint64_t rest = 0;  // the catalog's version, the kind, the length
    std::uint32_t node = kNoId;
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
  std::array<std::array<Entry, kWays>, kSets> entries_{};
  std::size_t next_way_ = 0;
};

}  // namespace halocline
