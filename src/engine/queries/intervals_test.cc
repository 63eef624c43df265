// What is found are the intervals that hold the value, whatever was added and removed before: compared with a list of them all.
#include "engine/queries/intervals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace halocline::queries {
namespace {

struct Known {
  Int128 low, high;
  std::uint64_t owner;
};

void expect_found(const Intervals& intervals, const std::vector<Known>& known, Int128 value) {
  std::vector<std::uint64_t> expected, found;
  for (const Known& one : known) {
    if (one.low <= value && value <= one.high) expected.push_back(one.owner);
  }
  intervals.find(value, found);
  std::vector<std::uint64_t> all;
  std::vector<std::size_t> ends;
  const std::vector<Value> values{Value{}, Value::of(value), Value{}, Value::of(value)};
  intervals.find_all(values, all, [&](std::size_t) { ends.push_back(all.size()); });
  ASSERT_EQ(ends, (std::vector{0 * found.size(), found.size(), found.size(), 2 * found.size()})) << to_digits(value);
  ASSERT_TRUE(std::equal(found.begin(), found.end(), all.begin()) && std::equal(found.rbegin(), found.rend(), all.rbegin()));
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  ASSERT_EQ(found, expected) << to_digits(value);
  if (!expected.empty()) return;
  UInt128 nearest = std::numeric_limits<std::int64_t>::max();
  for (const Known& one : known) {
    const Int128 low = std::min(value, one.low > value ? one.low : one.high), high = std::max(value, one.low > value ? one.low : one.high);
    nearest = std::min(nearest, static_cast<UInt128>(high) - static_cast<UInt128>(low));
  }
  ASSERT_EQ(intervals.distance(value), static_cast<Int128>(nearest)) << to_digits(value);
}

// Ends come from `end`, values between and beside them.
template <class End>
void play(std::uint64_t seed, End end) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Intervals intervals;
  std::vector<Known> known;
  for (std::uint64_t step = 0; step < 1'200; ++step) {
    if (known.empty() || random() % 4 != 0) {
      const Int128 a = end(random), b = end(random);
      known.push_back({std::min(a, b), std::max(a, b), step});
      intervals.add(known.back().low, known.back().high, step);
    } else {
      const auto one = known.begin() + static_cast<std::ptrdiff_t>(random() % known.size());
      intervals.remove(one->low, one->owner);
      known.erase(one);
    }
    if (step % 10 != 0 && known.size() > 6) continue;
    for (int look = 0; look < 5; ++look) expect_found(intervals, known, end(random) + static_cast<Int128>(random() % 3) - 1);
    if (::testing::Test::HasFatalFailure()) return;
  }
  for (const Known& one : known) intervals.remove(one.low, one.owner);
  EXPECT_TRUE(intervals.empty());
}

TEST(IntervalsTest, ThoseThatHoldTheValueAreFound) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    play(seed, [](auto& random) { return static_cast<Int128>(random() % 40) - 20; });
    play(seed, [](auto& random) { return static_cast<Int128>(random() % 1'000'000); });
  }
}

TEST(IntervalsTest, NumbersBeyond64BitsAreToldApart) {
  constexpr Int128 kMost = std::numeric_limits<std::int64_t>::max(), kLeast = std::numeric_limits<std::int64_t>::min();
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    play(seed, [&](auto& random) { return (random() % 2 == 0 ? kMost : kLeast) + static_cast<Int128>(random() % 20) - 10; });
    play(seed, [](auto& random) {
      const Int128 wide = (static_cast<Int128>(1) << 126) - static_cast<Int128>(random() % 50) * (static_cast<Int128>(1) << 121);
      return random() % 2 == 0 ? wide : -wide;
    });
  }
}

}  // namespace
}  // namespace halocline::queries
