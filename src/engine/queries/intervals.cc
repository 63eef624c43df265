#include "engine/queries/intervals.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace halocline::queries {
namespace {

constexpr Int128 kBelowAll = -(static_cast<Int128>(1) << 126) - 1;

}  // namespace

std::size_t Intervals::Block::place(Int128 low, Owner owner) const {
  std::size_t at = 0;
  while (at < size() && (lows[at] < low || (lows[at] == low && owners[at] < owner))) ++at;
  return at;
}

void Intervals::Block::insert(std::size_t at, Int128 low, Int128 high, Owner owner) {
  const auto place = static_cast<std::ptrdiff_t>(at);
  lows.insert(lows.begin() + place, low);
  highs.insert(highs.begin() + place, high);
  owners.insert(owners.begin() + place, owner);
}

void Intervals::Block::erase(std::size_t at) {
  const auto place = static_cast<std::ptrdiff_t>(at);
  lows.erase(lows.begin() + place);
  highs.erase(highs.begin() + place);
  owners.erase(owners.begin() + place);
}

Int128 Intervals::Block::highest() const { return *std::max_element(highs.begin(), highs.end()); }

// The last one that begins at or below; the first when there is none.
std::size_t Intervals::block_of(Int128 low, Owner owner) const {
  const auto after = std::upper_bound(firsts_.begin(), firsts_.end(), First{low, owner}, [](const First& a, const First& b) {
    return a.low != b.low ? a.low < b.low : a.owner < b.owner;
  });
  return after == firsts_.begin() ? 0 : static_cast<std::size_t>(after - firsts_.begin()) - 1;
}

void Intervals::add(Int128 low, Int128 high, Owner owner) {
  if (blocks_.empty()) {
    blocks_.push_back(std::make_unique<Block>());
    firsts_.push_back({low, owner});
    blocks_[0]->insert(0, low, high, owner);
    return rebuild();
  }
  std::size_t block = block_of(low, owner);
  const bool splits = blocks_[block]->size() == kBlock;
  if (splits) block = split(block, low, owner);
  Block& into = *blocks_[block];
  into.insert(into.place(low, owner), low, high, owner);
  firsts_[block] = {into.lows[0], into.owners[0]};
  splits ? rebuild() : refresh(block);
}

// The block's upper half becomes a block of its own. Which of the two takes the new one. Adding in ascending order leaves full blocks.
std::size_t Intervals::split(std::size_t block, Int128 low, Owner owner) {
  Block& full = *blocks_[block];
  auto upper = std::make_unique<Block>();
  const std::size_t keeps = full.place(low, owner) == kBlock ? kBlock : kBlock / 2;
  for (std::size_t i = keeps; i < kBlock; ++i) upper->insert(i - keeps, full.lows[i], full.highs[i], full.owners[i]);
  while (full.size() > keeps) full.erase(full.size() - 1);
  const First first = upper->size() == 0 ? First{low, owner} : First{upper->lows[0], upper->owners[0]};
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(block) + 1, std::move(upper));
  firsts_.insert(firsts_.begin() + static_cast<std::ptrdiff_t>(block) + 1, first);
  return block_of(low, owner);
}

void Intervals::remove(Int128 low, Owner owner) {
  CHECK(!blocks_.empty(), "an interval that is not there is removed");
  const std::size_t block = block_of(low, owner);
  Block& of = *blocks_[block];
  const std::size_t at = of.place(low, owner);
  CHECK(at < of.size() && of.lows[at] == low && of.owners[at] == owner, "an interval that is not there is removed");
  of.erase(at);
  if (of.size() != 0) {
    firsts_[block] = {of.lows[0], of.owners[0]};
    return refresh(block);
  }
  blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(block));
  firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(block));
  rebuild();
}

void Intervals::refresh(std::size_t block) {
  std::size_t i = leaves_ + block;
  highest_[i] = blocks_[block]->highest();
  for (i /= 2; i > 0; i /= 2) highest_[i] = std::max(highest_[2 * i], highest_[2 * i + 1]);
}

void Intervals::rebuild() {
  leaves_ = std::bit_ceil(std::max<std::size_t>(1, blocks_.size()));
  highest_.assign(2 * leaves_, kBelowAll);
  for (std::size_t i = 0; i < blocks_.size(); ++i) highest_[leaves_ + i] = blocks_[i]->highest();
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

void Intervals::find(Int128 value, std::vector<Owner>& found) const {
  const auto after = std::upper_bound(firsts_.begin(), firsts_.end(), value, [](Int128 v, const First& first) { return v < first.low; });
  if (after == firsts_.begin()) return;
  std::size_t block = last_reaching(static_cast<std::size_t>(after - firsts_.begin()) - 1, value);
  while (block != kNone) {
    const Block& of = *blocks_[block];
    const std::size_t size = of.size();
    for (std::size_t i = 0; i < size && of.lows[i] <= value; ++i) {
      if (of.highs[i] >= value) found.push_back(of.owners[i]);
    }
    block = block == 0 ? kNone : last_reaching(block - 1, value);
  }
}

}  // namespace halocline::queries
