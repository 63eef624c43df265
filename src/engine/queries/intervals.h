// Closed intervals of numbers, each somebody's, found by a value they hold. In order of their low ends in blocks of a few cache lines, over
// which a tree knows the highest end below it; within a block each knows the highest end up to it. What a look costs is proportional to the
// intervals found, to those between them, and to the depth of that tree.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/decimal.h"
#include "base/prefetch.h"
#include "command/query.h"

namespace halocline::queries {

// The nearest number of 64 bits.
std::int64_t narrow(Int128 value);

class Intervals {
 public:
  using Owner = std::uint64_t;

  void add(Int128 low, Int128 high, Owner owner);
  // One that was added.
  void remove(Int128 low, Owner owner);
  // Appends the owners of the intervals that hold the value.
  void find(Int128 value, std::vector<Owner>& found) const {
    if (blocks_.size() != 1) return find_in_blocks(value, found);
    const std::vector<Near>& few = blocks_[0].near;
    if (few.size() > kFew || !is_near(value)) return find_in(blocks_[0], value, found);
    find_in_few(few, static_cast<std::int64_t>(value), found);
  }
  // The same for each of some values, of which nulls find nothing; `next(place)` is called when all of one are there.
  template <class Next>
  void find_all(std::span<const Value> values, std::vector<Owner>& found, Next next) const {
    const std::span<const Near> few = blocks_.size() == 1 && blocks_[0].near.size() <= kFew ? blocks_[0].near : std::span<const Near>();
    for (std::size_t place = 0; place < values.size(); ++place) {
      const Value& value = values[place];
      if (!few.empty() && !value.null && is_near(value.number)) [[likely]] {
        find_in_few(few, static_cast<std::int64_t>(value.number), found);
      } else if (!value.null) {
        find(value.number, found);
      }
      next(place);
    }
  }
  // From a value that no interval holds to the nearest end of one, or the most that 64 bits hold where that is further.
  Int128 distance(Int128 value) const;
  bool empty() const { return blocks_.empty(); }
  // Has what find() reads of few intervals brought nearer: first the one, and, when that has come, the other.
  void fetch_block() const { prefetch_line(blocks_.data()); }
  void fetch_near() const;

 private:
  static constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(), kMost = std::numeric_limits<std::int64_t>::max();
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kFew = 4;  // that are all looked at

  struct One {
    Int128 low, high;
    Owner owner;
  };
  // What a look reads: ends beyond 64 bits are cut to them, and so is the value. Where the value is cut, the interval itself decides.
  struct Near {
    std::int64_t low, high;
    std::int64_t reach;  // the highest end of all up to this one
    Owner owner;
  };
  // In ascending order of low end, then owner; at most kBlock, and few for few.
  struct Block {
    std::vector<Near> near;
    std::vector<One> all;
  };
  struct First {
    Int128 low;
    Owner owner;
  };

  // Whether the value is not cut.
  static bool is_near(Int128 value) {
    const auto near = static_cast<std::int64_t>(value);
    return near == value && near != kLeast && near != kMost;
  }
  [[gnu::always_inline]] static void find_in_few(std::span<const Near> few, std::int64_t near, std::vector<Owner>& found) {
    for (const Near& one : few) {
      if (one.low <= near && one.high >= near) found.push_back(one.owner);
    }
  }
  static std::vector<One>::iterator place(Block& block, Int128 low, Owner owner);
  static Int128 highest(const Block& block);
  static void bring_near(Block& block);
  static void find_in(const Block& block, Int128 value, std::vector<Owner>& found);
  void find_in_blocks(Int128 value, std::vector<Owner>& found) const;
  std::size_t block_of(Int128 low, Owner owner) const;
  std::size_t split(std::size_t block, Int128 low, Owner owner);
  void refresh(std::size_t block);
  void rebuild();
  // How many blocks begin at or below the value.
  std::size_t blocks_up_to(Int128 value) const;
  // The highest high end in the blocks before this one.
  Int128 highest_before(std::size_t block) const;
  // The last block up to `from` with a high end of at least `value`; kNone for none.
  std::size_t last_reaching(std::size_t from, Int128 value) const;

  static constexpr std::size_t kNone = ~std::size_t{0};

  std::vector<Block> blocks_;     // while there is one alone, nothing else is looked at to find in it
  std::vector<First> firsts_;     // of each block
  std::vector<Int128> highest_;   // a tree: the block's own from leaves_ on, at i the higher of 2i and 2i + 1
  std::size_t leaves_ = 0;        // a power of two
};

}  // namespace halocline::queries
