// The quick ways of AverageCost::folded() against the definition: docs/semantics.md, "Positions".
#include "engine/risk/average_cost.h"

#include <gtest/gtest.h>

#include <random>

#include "base/limits.h"

namespace halocline {
namespace {

Int128 absolute(Int128 x) { return x < 0 ? -x : x; }

Money by_definition(Int128 quantity, Money cost, Int128 traded, Money notional) {
  if (quantity == 0 || (traded > 0) == (quantity > 0)) return cost + notional;
  if (absolute(traded) <= absolute(quantity)) return cost - mul_div(cost, absolute(traded), absolute(quantity));
  return notional - mul_div(notional, absolute(quantity), absolute(traded));
}

// Whole shares and fractions, small and so large that products need 128 bits and more, both sides, and closing all there is.
TEST(AverageCost, FoldsAsDefined) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto number = [&](int most_bits) {
    const std::uint64_t bits = random() >> (64 - 1 - random() % static_cast<std::uint64_t>(most_bits));
    return random() % 2 == 0 ? static_cast<Int128>(bits) : -static_cast<Int128>(bits);
  };
  for (int i = 0; i < 200'000; ++i) {
    const bool whole = random() % 2 == 0;
    const Int128 unit = whole ? limits::kScale : 1;
    const Int128 quantity = number(whole ? 36 : 63) * unit;
    const Int128 traded = random() % 16 == 0 ? -quantity : number(whole ? 36 : 63) * unit;
    const Money cost = number(63) * (random() % 8 == 0 ? 1'000 : 1), notional = number(63);
    if (traded == 0) continue;
    const Money folded = AverageCost::folded(quantity, cost, traded, notional);
    ASSERT_TRUE(folded == by_definition(quantity, cost, traded, notional))
        << "quantity " << to_digits(quantity) << ", cost " << to_digits(cost) << ", traded " << to_digits(traded) << ", notional "
        << to_digits(notional) << ", folded " << to_digits(folded);
  }
}

// Halves are rounded to even, in whole shares as in fractions.
TEST(AverageCost, RoundsHalvesToEven) {
  for (const Int128 unit : {Int128{1}, Int128{limits::kScale}}) {
    for (int cost = -9; cost <= 9; ++cost) {
      const int half = cost / 2;
      const int to_even = cost % 2 == 0 ? half : half % 2 == 0 ? half : half + (cost > 0 ? 1 : -1);
      EXPECT_TRUE(AverageCost::folded(2 * unit, cost, -unit, 0) == cost - to_even) << cost;
    }
  }
}

}  // namespace
}  // namespace halocline
