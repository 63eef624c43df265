#include "base/decimal.h"

#include <gtest/gtest.h>

#include <random>

#include "base/limits.h"

namespace halocline {
namespace {

constexpr Int128 k1e18 = 1'000'000'000'000'000'000;

TEST(Decimal, RoundsHalfToEven) {
  struct Case {
    Int128 a, b, expected;
  };
  const Case cases[] = {{5, 2, 2},  {7, 2, 4},  {-5, 2, -2}, {-7, 2, -4}, {1, 3, 0},   {2, 3, 1},
                        {-2, 3, -1}, {0, 7, 0}, {15, 10, 2}, {25, 10, 2}, {26, 10, 3}, {-25, 10, -2}};
  for (const Case& c : cases) EXPECT_EQ(to_digits(div_round(c.a, c.b)), to_digits(c.expected)) << to_digits(c.a);
  EXPECT_EQ(div_scale(150'000'000), 2);
  EXPECT_EQ(div_scale(250'000'000), 2);
  EXPECT_EQ(div_scale(-250'000'001), -3);
  EXPECT_EQ(div_scale(50'000'000), 0);
}

// The quotient q of a * b / d, half to even, is the one with |a * b - q * d| * 2 <= d; checked in 256 bits by parts.
TEST(Decimal, EveryWayOfDividingAgrees) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  auto wide = [&](int bits) {
    const auto value = (static_cast<UInt128>(random()) << 64 | random()) >> (128 - bits);
    return (random() & 1) ? static_cast<Int128>(value) : -static_cast<Int128>(value);
  };
  for (int i = 0; i < 200'000; ++i) {
    const Int128 a = wide(1 + static_cast<int>(random() % 126));
    EXPECT_EQ(div_scale(a), div_round(a, limits::kScale));
    const auto b = static_cast<std::int64_t>(wide(1 + static_cast<int>(random() % 40)));
    const Int128 small = wide(1 + static_cast<int>(random() % 80));
    EXPECT_EQ(mul_scale(small, b), div_round(small * b, limits::kScale));
    // Multiplying both sides by the same number takes the 256-bit path and must not change the quotient.
    const Int128 factor = static_cast<Int128>(1) << 60;
    EXPECT_EQ(mul_div(a, factor, limits::kScale * factor), div_round(a, limits::kScale)) << to_digits(a);
    const auto price = static_cast<std::int64_t>(wide(50));
    const auto multiplier = static_cast<std::int64_t>(1 + random() % 1'000'000'000'000);
    const Int128 quantity = wide(60);
    EXPECT_EQ(value_of(quantity, price, multiplier),
              mul_div(quantity, static_cast<Int128>(price) * multiplier, static_cast<Int128>(limits::kScale) * limits::kScale));
  }
}

TEST(Decimal, TextIsExact) {
  struct Case {
    const char* text;
    Int128 value;
    const char* shortest;
  };
  const Case cases[] = {{"0", 0, "0"},
                        {"1.5", 150'000'000, "1.5"},
                        {"-0.00000001", -1, "-0.00000001"},
                        {"+12.30", 1'230'000'000, "12.3"},
                        {"1000000000000000000.00000001", k1e18 * 100'000'000 + 1, "1000000000000000000.00000001"},
                        {"0.1000000000", 10'000'000, "0.1"}};
  for (const Case& c : cases) {
    ASSERT_TRUE(parse_decimal128(c.text)) << c.text;
    EXPECT_EQ(to_digits(*parse_decimal128(c.text)), to_digits(c.value)) << c.text;
    EXPECT_EQ(to_decimal(c.value), c.shortest);
  }
  for (const char* bad : {"", "-", ".", "1.", ".5", "1e5", "1,5", " 1", "1 ", "0.000000001", "--1", "nan",
                          "99999999999999999999999999999999999999999"}) {
    EXPECT_FALSE(parse_decimal128(bad)) << bad;
  }
  EXPECT_FALSE(parse_decimal("92233720368.54775808"));
  EXPECT_EQ(parse_decimal("92233720368.54775807"), INT64_MAX);
}

}  // namespace
}  // namespace halocline
