// Fixed-point numbers: int64 at scale 1e-8 for quantities, prices, rates and fees; int128 at the same scale for money.
// Everything here is exact: products are formed in up to 256 bits and rounded once, half to even.
// Pure functions, safe on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace halocline {

using Int128 = __int128;
using UInt128 = unsigned __int128;

// Money: an amount in some currency, at scale 1e-8.
using Money = Int128;

// R(a / b), half to even. Needs b > 0.
Int128 div_round(Int128 a, Int128 b);

// R(a * b / divisor), half to even, exact for any a and b. Needs divisor > 0 and a result that fits in 128 bits (CHECKed).
Int128 mul_div(Int128 a, Int128 b, Int128 divisor);

// R(a / 1e8), half to even; quicker than div_round.
Int128 div_scale(Int128 a);

namespace detail {
Int128 mul_scale_wide(Int128 a, std::int64_t b);
}

// R(a * b / 1e8): a number at 1e-8 times a number at 1e-8. Needs a result that fits in 128 bits (CHECKed).
inline Int128 mul_scale(Int128 a, std::int64_t b) {
  constexpr std::uint64_t kE8 = limits::kScale;
  constexpr std::uint64_t kMostFastFactor = 90'000'000'000;
  if (b == limits::kScale || a == 0) return a;
  // Nearly every amount and rate: a = q * 1e8 + r, so a * b / 1e8 = q * b + r * b / 1e8, with r * b within 64 bits.
  const auto narrow = static_cast<std::int64_t>(a);
  if (a != narrow || narrow == INT64_MIN || static_cast<std::uint64_t>(b) > kMostFastFactor) return detail::mul_scale_wide(a, b);
  const auto size = static_cast<std::uint64_t>(narrow < 0 ? -narrow : narrow);
  const std::uint64_t whole = size / kE8;
  const std::uint64_t rest = (size - whole * kE8) * static_cast<std::uint64_t>(b);
  const std::uint64_t part = rest / kE8;
  const std::uint64_t remainder = rest - part * kE8;
  const UInt128 quotient = static_cast<UInt128>(whole) * static_cast<std::uint64_t>(b) + part;
  const std::uint64_t odd = static_cast<std::uint64_t>(quotient) & 1;
  const auto rounded = static_cast<Int128>(quotient + (remainder + odd > kE8 / 2 ? 1 : 0));  // half only when odd
  return narrow < 0 ? -rounded : rounded;
}

namespace detail {
Money value_of_parts(Int128 quantity, std::int64_t price, std::int64_t multiplier);
}

// R(quantity * price * multiplier / 1e16): the value of a quantity at a price. Bounds: base/limits.h.
inline Money value_of(Int128 quantity, std::int64_t price, std::int64_t multiplier) {
  // A whole number of shares at multiplier 1 needs no division at all.
  const auto narrow = static_cast<std::int64_t>(quantity), whole = narrow / limits::kScale;
  if (multiplier == limits::kScale && quantity == narrow && whole * limits::kScale == narrow) return static_cast<Int128>(whole) * price;
  return detail::value_of_parts(quantity, price, multiplier);
}

// The shortest decimal text: "-1.5", "0", "150.25000001".
std::string to_decimal(Int128 e8);
// The integer itself, in decimal digits.
std::string to_digits(Int128 value);

// Reads "[+-]digits[.digits]" with at most 8 decimals (more are taken only when they are zeros).
// Nothing for anything else, or when it does not fit.
std::optional<Int128> parse_decimal128(std::string_view text);
std::optional<std::int64_t> parse_decimal(std::string_view text);
// Reads "[-]digits".
std::optional<Int128> parse_digits(std::string_view text);

}  // namespace halocline
