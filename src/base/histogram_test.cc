#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace halocline {
namespace {

constexpr double kPercents[] = {0, 1, 10, 50, 90, 99, 99.9, 99.99, 100};

std::int64_t exact_percentile(const std::vector<std::int64_t>& sorted, double percent) {
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

TEST(Histogram, NothingCounted) {
  auto histogram = std::make_unique<Histogram>();
  EXPECT_EQ(histogram->count(), 0u);
  EXPECT_EQ(histogram->percentile(50), 0);
  EXPECT_EQ(histogram->max(), 0);
}

TEST(Histogram, AgreesWithExactPercentilesWithinOnePercent) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::lognormal_distribution<double> spread(11, 2.5);  // around 60 us, from tens of ns to seconds
    auto histogram = std::make_unique<Histogram>();
    std::vector<std::int64_t> values;
    for (int i = 0; i < 100'000; ++i) {
      values.push_back(static_cast<std::int64_t>(std::min(spread(random), 100e9)));
      histogram->record(values.back());
    }
    std::sort(values.begin(), values.end());
    EXPECT_EQ(histogram->count(), values.size());
    EXPECT_EQ(histogram->max(), values.back());
    for (const double percent : kPercents) {
      const double exact = static_cast<double>(exact_percentile(values, percent));
      EXPECT_NEAR(static_cast<double>(histogram->percentile(percent)), exact, exact * 0.01) << percent;
    }
  }
}

TEST(Histogram, EveryPowerOfTwoAndItsNeighboursWithinOnePercent) {
  for (int bit = 0; bit < 37; ++bit) {
    for (const std::int64_t off : {-1, 0, 1}) {
      const std::int64_t value = (std::int64_t{1} << bit) + off;
      auto histogram = std::make_unique<Histogram>();
      histogram->record(value);
      histogram->record(200'000'000'000);  // so that the maximum does not hide the bucket's own answer
      EXPECT_NEAR(static_cast<double>(histogram->percentile(50)), static_cast<double>(value), static_cast<double>(value) * 0.01);
    }
  }
}

TEST(Histogram, SmallValuesAreExactNegativeOnesAreZeroAndLongOnesTheLongest) {
  auto histogram = std::make_unique<Histogram>();
  histogram->record(-5);
  EXPECT_EQ(histogram->percentile(100), 0);
  histogram->record(127, 9);
  EXPECT_EQ(histogram->percentile(50), 127);
  histogram->record(1'000'000'000'000'000, 90);
  EXPECT_EQ(histogram->percentile(50), 1'000'000'000'000'000);
  EXPECT_EQ(histogram->count(), 100u);
}

TEST(Histogram, MergeIsTheSameAsCountingInOne) {
  auto a = std::make_unique<Histogram>(), b = std::make_unique<Histogram>(), both = std::make_unique<Histogram>();
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() % 5'000'000);
    (i % 3 == 0 ? a : b)->record(value);
    both->record(value);
  }
  a->merge(*b);
  EXPECT_EQ(a->count(), both->count());
  EXPECT_EQ(a->max(), both->max());
  for (const double percent : kPercents) EXPECT_EQ(a->percentile(percent), both->percentile(percent)) << percent;
}

TEST(Histogram, IsReadWhileItIsWritten) {
  auto histogram = std::make_unique<Histogram>();
  std::thread writer([&] {
    for (int i = 0; i < 50'000; ++i) histogram->record(i);
  });
  std::uint64_t last = 0;
  while (last < 50'000) {
    const std::uint64_t count = histogram->count();
    ASSERT_GE(count, last);
    ASSERT_LE(histogram->percentile(99), 50'000);
    last = count;
  }
  writer.join();
  EXPECT_EQ(histogram->count(), 50'000u);
}

}  // namespace
}  // namespace halocline
