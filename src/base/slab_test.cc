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

TEST(SlabTest, WhatIsReservedIsTakenFirst) {
  constexpr std::uint64_t kRegions = 12;
  ASSERT_TRUE(Slab::reserve(kRegions * Slab::kRegionBytes - 1).ok());
  ASSERT_GE(Slab::bytes_ready(), kRegions * Slab::kRegionBytes);
  Slab slab(kBytes);
  std::vector<void*> pieces;
  for (std::size_t i = 0; i < kRegions * kPerRegion; ++i) {
    pieces.push_back(slab.take_ready());
    ASSERT_NE(pieces.back(), nullptr) << i;
    std::memset(pieces.back(), static_cast<int>(i % 251), kBytes);
  }
  EXPECT_EQ(slab.regions(), kRegions);
  EXPECT_GE(Slab::bytes_of_all(), kRegions * Slab::kRegionBytes);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    ASSERT_EQ(static_cast<const unsigned char*>(pieces[i])[kBytes - 1], i % 251);
    Slab::give(pieces[i]);
  }
  EXPECT_EQ(slab.regions(), 1u);
  ASSERT_TRUE(Slab::reserve(kRegions * Slab::kRegionBytes).ok());
  EXPECT_GE(Slab::bytes_ready(), kRegions * Slab::kRegionBytes);
}

TEST(SlabTest, MoreThanTheMachineHasIsRefused) {
  const Status refused = Slab::reserve(std::uint64_t{1} << 60);
  EXPECT_EQ(refused.code(), Code::kResourceExhausted);
  EXPECT_NE(refused.message().find("cannot reserve 1099511627776 MiB of memory"), std::string::npos) << refused.message();
}

}  // namespace
}  // namespace halocline
