#include "engine/queries/intervals.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>

#include "base/check.h"

namespace halocline::queries {
namespace {

constexpr Int128 kBelowAll = -(static_cast<Int128>(1) << 126) - 1;
constexpr std::size_t kFetched = 8;

// How many of those, in ascending order of low end, begin at or below the value. Without a branch, which would be guessed wrong every
// other time.
template <class Ones, class Number>
std::size_t count_up_to(const Ones& ones, Number value) {
  if (ones.empty()) return 0;
  const auto* from = ones.data();
  for (std::size_t left = ones.size(); left > 1;) {
    const std::size_t half = left / 2;
    from += from[half - 1].low <= value ? half : 0;
    left -= half;
  }
  return static_cast<std::size_t>(from - ones.data()) + (from->low <= value ? 1 : 0);
}

}  // namespace

std::int64_t narrow(Int128 value) {
  const auto low = static_cast<std::int64_t>(value);
  using Limits = std::numeric_limits<std::int64_t>;
  return low == value ? low : value < 0 ? Limits::min() : Limits::max();
}

std::vector<Intervals::One>::iterator Intervals::place(Block& block, Int128 low, Owner owner) {
  return std::find_if(block.all.begin(), block.all.end(), [&](const One& one) {
    return one.low > low || (one.low == low && one.owner >= owner);
  });
}

Int128 Intervals::highest(const Block& block) {
  return std::max_element(block.all.begin(), block.all.end(), [](const One& a, const One& b) { return a.high < b.high; })->high;
}

// After a change of the block.
void Intervals::bring_near(Block& block) {
  block.near.clear();
  std::int64_t reach = kLeast;
  for (const One& one : block.all) {
    const std::int64_t high = narrow(one.high);
    reach = std::max(reach, high);
    block.near.push_back({narrow(one.low), high, reach, one.owner});
  }
}

void Intervals::find_in(const Block& block, Int128 value, std::vector<Owner>& found) {
  const std::int64_t near = narrow(value);
  if (near == kLeast || near == kMost) {  // cut, perhaps
    for (const One& one : block.all) {
      if (one.low <= value && one.high >= value) found.push_back(one.owner);
    }
    return;
  }
  const Near* const begin = block.near.data();
  const Near* const end = begin + count_up_to(block.near, near);
  const Near* one = end;
  while (one != begin && one[-1].reach >= near) --one;
  const std::size_t before = found.size();
  found.resize(before + static_cast<std::size_t>(end - one));
  Owner* next = found.data() + before;
  for (; one != end; ++one) {
    *next = one->owner;
    next += one->high >= near ? 1 : 0;
  }
  found.resize(static_cast<std::size_t>(next - found.data()));
}

// The last one that begins at or below; the first when there is none.
std::size_t Intervals::block_of(Int128 low, Owner owner) const {
  const auto after = std::upper_bound(firsts_.begin(), firsts_.end(), First{low, owner}, [](const First& a, const First& b) {
    return a.low != b.low ? a.low < b.low : a.owner < b.owner;
  });
  return after == firsts_.begin() ? 0 : static_cast<std::size_t>(after - firsts_.begin()) - 1;
}

void Intervals::add(Int128 low, Int128 high, Owner owner) {
  if (blocks_.empty()) {
    blocks_.push_back({{}, {One{low, high, owner}}});
    bring_near(blocks_.back());
    firsts_.push_back({low, owner});
    return rebuild();
  }
  std::size_t block = block_of(low, owner);
  const bool splits = blocks_[block].all.size() == kBlock;
  if (splits) block = split(block, low, owner);
  Block& into = blocks_[block];
  into.all.insert(place(into, low, owner), One{low, high, owner});
  bring_near(into);
  firsts_[block] = {into.all[0].low, into.all[0].owner};
  splits ? rebuild() : refresh(block);
}

// The block's upper half becomes a block of its own. Which of the two takes the new one. Adding in ascending order leaves full blocks.
std::size_t Intervals::split(std::size_t block, Int128 low, Owner owner) {
  Block& full = blocks_[block];
  const bool at_end = place(full, low, owner) == full.all.end();
  const auto keeps = full.all.begin() + static_cast<std::ptrdiff_t>(at_end ? kBlock : kBlock / 2);
  Block upper{{}, {keeps, full.all.end()}};
  full.all.erase(keeps, full.all.end());
  bring_near(full), bring_near(upper);
  const First first = upper.all.empty() ? First{low, owner} : First{upper.all[0].low, upper.all[0].owner};
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(block) + 1, std::move(upper));
  firsts_.insert(firsts_.begin() + static_cast<std::ptrdiff_t>(block) + 1, first);
  return block_of(low, owner);
}

void Intervals::remove(Int128 low, Owner owner) {
  CHECK(!blocks_.empty(), "an interval that is not there is removed");
  const std::size_t block = block_of(low, owner);
  Block& of = blocks_[block];
  const auto at = place(of, low, owner);
  CHECK(at != of.all.end() && at->low == low && at->owner == owner, "an interval that is not there is removed");
  of.all.erase(at);
  if (!of.all.empty()) {
    bring_near(of);
    firsts_[block] = {of.all[0].low, of.all[0].owner};
    return refresh(block);
  }
  blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(block));
  firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(block));
  rebuild();
}

void Intervals::refresh(std::size_t block) {
  std::size_t i = leaves_ + block;
  highest_[i] = highest(blocks_[block]);
  for (i /= 2; i > 0; i /= 2) highest_[i] = std::max(highest_[2 * i], highest_[2 * i + 1]);
}

void Intervals::rebuild() {
  leaves_ = std::bit_ceil(std::max<std::size_t>(1, blocks_.size()));
  highest_.assign(2 * leaves_, kBelowAll);
  for (std::size_t i = 0; i < blocks_.size(); ++i) highest_[leaves_ + i] = highest(blocks_[i]);
  for (std::size_t i = leaves_ - 1; i > 0; --i) highest_[i] = std::max(highest_[2 * i], highest_[2 * i + 1]);
}

std::size_t Intervals::last_reaching(std::size_t from, Int128 value) const {
  std::size_t i = leaves_ + from;
  if (highest_[i] >= value) return from;
  // Up until something on the left reaches so high, then down on the right.
  while (i > 1 && (i % 2 == 0 || highest_[i - 1] < value)) i /= 2;
  if (i <= 1) return kNone;
  for (--i; i < leaves_;) i = highest_[2 * i + 1] >= value ? 2 * i + 1 : 2 * i;
  return i - leaves_;
}

Int128 Intervals::highest_before(std::size_t block) const {
  Int128 highest = kBelowAll;
  for (std::size_t i = leaves_ + block; i > 1; i /= 2) {
    if (i % 2 == 1) highest = std::max(highest, highest_[i - 1]);
  }
  return highest;
}

std::size_t Intervals::blocks_up_to(Int128 value) const {
  return count_up_to(firsts_, value);
}

Int128 Intervals::distance(Int128 value) const {
  const std::size_t after = blocks_up_to(value);
  Int128 above = after == firsts_.size() ? std::numeric_limits<Int128>::max() : firsts_[after].low, below = kBelowAll;
  if (after != 0) {
    below = highest_before(after - 1);
    for (const One& one : blocks_[after - 1].all) {
      if (one.low <= value) below = std::max(below, one.high);
      else above = std::min(above, one.low);
    }
  }
  const auto gap = [](Int128 from, Int128 to) { return static_cast<UInt128>(to) - static_cast<UInt128>(from); };
  if (below == kBelowAll) below = std::numeric_limits<Int128>::min();
  return static_cast<Int128>(std::min({gap(value, above), gap(below, value), static_cast<UInt128>(kMost)}));
}

void Intervals::fetch_near() const {
  if (blocks_.size() != 1) return;
  const std::vector<Near>& near = blocks_[0].near;
  for (std::size_t i = 0; i < std::min(near.size(), kFetched); i += kLine / sizeof(Near)) prefetch_line(&near[i]);
}

void Intervals::find_in_blocks(Int128 value, std::vector<Owner>& found) const {
  const std::size_t after = blocks_up_to(value);
  if (after == 0) return;
  std::size_t block = last_reaching(after - 1, value);
  while (block != kNone) {
    find_in(blocks_[block], value, found);
    block = block == 0 ? kNone : last_reaching(block - 1, value);
  }
}

}  // namespace halocline::queries
