// Closed intervals of numbers, each somebody's, found by a value they hold. In order of their low ends in blocks of a few cache lines, over
// which a tree knows the highest end below it: what a look costs is proportional to the intervals found and to the depth of that tree.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/decimal.h"

namespace halocline::queries {

class Intervals {
 public:
  using Owner = std::uint64_t;

  void add(Int128 low, Int128 high, Owner owner);
  // One that was added.
  void remove(Int128 low, Owner owner);
  // Appends the owners of the intervals that hold the value.
  void find(Int128 value, std::vector<Owner>& found) const;
  bool empty() const { return blocks_.empty(); }

 private:
  static constexpr std::size_t kBlock = 64;

  // In ascending order of low end, then owner.
  struct Block {
    std::vector<Int128> lows, highs;  // at most kBlock each; few for few
    std::vector<Owner> owners;

    std::size_t size() const { return owners.size(); }
    std::size_t place(Int128 low, Owner owner) const;
    void insert(std::size_t at, Int128 low, Int128 high, Owner owner);
    void erase(std::size_t at);
    Int128 highest() const;
  };
  struct First {
    Int128 low;
    Owner owner;
  };

  std::size_t block_of(Int128 low, Owner owner) const;
  std::size_t split(std::size_t block, Int128 low, Owner owner);
  void refresh(std::size_t block);
  void rebuild();
  // The last block up to `from` with a high end of at least `value`; kNone for none.
  std::size_t last_reaching(std::size_t from, Int128 value) const;

  static constexpr std::size_t kNone = ~std::size_t{0};

  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<First> firsts_;     // of each block
  std::vector<Int128> highest_;   // a tree: the block's own from leaves_ on, at i the higher of 2i and 2i + 1
  std::size_t leaves_ = 0;        // a power of two
};

}  // namespace halocline::queries
