// The rows of a continuous query's answer: all of them, or the first of an order when there is a LIMIT. Tells what changed since it
// was last asked: at most one event a row.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <absl/container/btree_set.h>
#include <absl/types/compare.h>

#include "base/status.h"
#include "command/event_memory.h"
#include "command/query.h"

namespace halocline::queries {

// The key of a row, or of two joined (kNoId: the missing side). Their order is that of the ids.
struct KeyOfRows {
  std::uint64_t big_endian = 0;

  operator std::string_view() const { return {reinterpret_cast<const char*>(&big_endian), sizeof big_endian}; }
};
inline KeyOfRows key_of_rows(std::uint32_t left, std::uint32_t right) {
  return {__builtin_bswap64(static_cast<std::uint64_t>(left) << 32 | right)};
}

// What ends a query that keeps more than it may.
Status too_many_rows();
Status too_many_bytes();

// Empties what may have held very many once, when clear() would cost the size its table grew to then, each time.
template <class Map>
void forget_all(Map& map) {
  constexpr std::size_t kSmallTable = 1'024;
  map.bucket_count() > kSmallTable ? void(map = Map()) : map.clear();
}

class ResultSet {
 public:
  explicit ResultSet(std::optional<std::uint64_t> limit) : limit_(limit) {}

  // A row as it is now; `order` are the bytes it is ordered by, all different.
  void put(const std::string& key, std::string order, std::string row);
  // The row is no more; nothing happens when there was none.
  void erase(const std::string& key, RowReason reason);
  // What became different since the last call, in the order of the keys, in the memory.
  std::span<const RowEvent> drain(EventMemory& memory);
  void forget_changes() { forget_all(changed_); }

  // The rows of the answer in its order.
  std::vector<KeptRow> rows() const;
  std::size_t size() const { return rows_.size(); }  // those outside the limit too
  std::size_t bytes() const { return bytes_; }

 private:
  struct Row {
    std::string order;
    std::string row;
    bool inside = false;  // part of the answer
  };
  struct Change {
    std::optional<std::string> before;
    RowReason reason = RowReason::kChanged;
  };
  using Named = std::pair<const std::string, Row>;
  // Where a row stands in the order: its first bytes, as numbers, decide most comparisons without a look at the row.
  struct Place {
    explicit Place(Named& of);

    std::array<std::uint64_t, 2> first;
    Named* row;
  };
  struct Earlier {
    absl::weak_ordering operator()(const Place& a, const Place& b) const;
  };
  using Places = absl::btree_set<Place, Earlier>;

  void note(const std::string& key, const Row* row, RowReason reason);
  void enter(Named& row);
  void leave(Named& row);
  static std::size_t size_of(const std::string& key, const Row& row) { return key.size() + row.order.size() + row.row.size() + 200; }

  const std::optional<std::uint64_t> limit_;
  std::unordered_map<std::string, Row> rows_;
  Places inside_, outside_;  // with a limit: the first of the order, and the others
  std::unordered_map<std::string, Change> changed_;
  std::size_t bytes_ = 0;
};

}  // namespace halocline::queries
