#include "base/slab.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace halocline {
namespace {

constexpr std::size_t kBytes = 8'256;
constexpr std::size_t kPerRegion = (Slab::kRegionBytes - Slab::kAlignment) / kBytes;

TEST(SlabTest, PiecesLieApartAndAligned) {
  Slab slab(kBytes);
  std::vector<void*> pieces;
  std::set<std::uintptr_t> places;
  for (std::size_t i = 0; i < 3 * kPerRegion; ++i) {
    pieces.push_back(slab.take());
    std::memset(pieces.back(), static_cast<int>(i % 251), kBytes);
    places.insert(reinterpret_cast<std::uintptr_t>(pieces.back()));
  }
  EXPECT_EQ(slab.regions(), 3u);
  std::uintptr_t before = 0;
  for (const std::uintptr_t place : places) {
    EXPECT_EQ(place % Slab::kAlignment, 0u);
    EXPECT_GE(place, before + kBytes);
    before = place;
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(pieces[i]);
    EXPECT_EQ(bytes[0], i % 251);
    EXPECT_EQ(bytes[kBytes - 1], i % 251);
    Slab::give(pieces[i]);
  }
}

TEST(SlabTest, WhatIsFreeIsTakenAgainAndEmptyRegionsGoBack) {
  Slab slab(kBytes);
  std::vector<void*> pieces;
  for (std::size_t i = 0; i < 4 * kPerRegion; ++i) pieces.push_back(slab.take());
  void* const one = pieces[kPerRegion + 3];
  Slab::give(one);
  EXPECT_EQ(slab.take(), one);
  EXPECT_EQ(slab.regions(), 4u);
  for (void* piece : pieces) Slab::give(piece);
  EXPECT_EQ(slab.regions(), 1u);
  Slab::give(slab.take());
  EXPECT_EQ(slab.regions(), 1u);
}

TEST(SlabTest, PiecesAreGivenBackByOtherThreads) {
  Slab slab(kBytes);
  for (int round = 0; round < 10; ++round) {
    std::vector<void*> pieces;
    for (std::size_t i = 0; i < 2 * kPerRegion; ++i) pieces.push_back(slab.take());
    std::thread other([&] {
      for (std::size_t i = 0; i < pieces.size(); i += 2) Slab::give(pieces[i]);
    });
    for (std::size_t i = 1; i < pieces.size(); i += 2) Slab::give(pieces[i]);
    std::vector<void*> more;
    for (std::size_t i = 0; i < kPerRegion; ++i) more.push_back(slab.take());
    other.join();
    EXPECT_EQ(std::set<void*>(more.begin(), more.end()).size(), more.size());
    for (void* piece : more) Slab::give(piece);
  }
  EXPECT_EQ(slab.regions(), 1u);
}

}  // namespace
}  // namespace halocline
