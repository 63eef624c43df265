#include "base/decimal.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace halocline {
namespace {

constexpr std::uint64_t kE8 = limits::kScale;
constexpr std::uint64_t kE16 = kE8 * kE8;
constexpr Int128 kMin128 = static_cast<Int128>(static_cast<UInt128>(1) << 127);

UInt128 magnitude(Int128 a) { return a < 0 ? -static_cast<UInt128>(a) : static_cast<UInt128>(a); }

Int128 with_sign(UInt128 value, bool negative) {
  CHECK(value < static_cast<UInt128>(kMin128), "a product does not fit in 128 bits");
  return negative ? -static_cast<Int128>(value) : static_cast<Int128>(value);
}

// Whether a quotient q with this remainder of a division by d rounds up, half to even.
bool rounds_up(UInt128 quotient, UInt128 remainder, UInt128 divisor) {
  const UInt128 rest = divisor - remainder;  // no overflow, unlike 2 * remainder
  return remainder > rest || (remainder == rest && (quotient & 1));
}

struct U256 {
  UInt128 high;
  UInt128 low;
};

U256 multiply(UInt128 a, UInt128 b) {
  const std::uint64_t a0 = static_cast<std::uint64_t>(a), a1 = static_cast<std::uint64_t>(a >> 64);
  const std::uint64_t b0 = static_cast<std::uint64_t>(b), b1 = static_cast<std::uint64_t>(b >> 64);
  const UInt128 p00 = static_cast<UInt128>(a0) * b0, p01 = static_cast<UInt128>(a0) * b1;
  const UInt128 p10 = static_cast<UInt128>(a1) * b0, p11 = static_cast<UInt128>(a1) * b1;
  const UInt128 middle = (p00 >> 64) + static_cast<std::uint64_t>(p01) + static_cast<std::uint64_t>(p10);
  return {p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64), (middle << 64) | static_cast<std::uint64_t>(p00)};
}

// Rounded quotient by schoolbook binary division: rare, so simple.
UInt128 divide_round(U256 n, UInt128 d) {
  CHECK(n.high < d, "a quotient does not fit in 128 bits");
  UInt128 remainder = n.high, quotient = 0;
  for (int bit = 127; bit >= 0; --bit) {
    const bool carry = remainder >> 127;
    remainder = (remainder << 1) | ((n.low >> bit) & 1);
    quotient <<= 1;
    if (carry || remainder >= d) {
      remainder -= d;
      quotient |= 1;
    }
  }
  return quotient + (rounds_up(quotient, remainder, d) ? 1 : 0);
}

// n / 1e8 with remainder, by divisions of 64-bit numbers by a constant only: n = high * 2^64 + low, taken in 32-bit
// pieces below a remainder under 2^27.
UInt128 divide_e8(UInt128 n, std::uint64_t* remainder) {
  const std::uint64_t high = static_cast<std::uint64_t>(n >> 64), low = static_cast<std::uint64_t>(n);
  if (high == 0) {
    *remainder = low % kE8;
    return low / kE8;
  }
  const std::uint64_t q_high = high / kE8;
  const std::uint64_t piece1 = ((high % kE8) << 32) | (low >> 32);
  const std::uint64_t piece0 = ((piece1 % kE8) << 32) | (low & 0xFFFF'FFFFu);
  *remainder = piece0 % kE8;
  return (static_cast<UInt128>(q_high) << 64) | ((piece1 / kE8) << 32) | (piece0 / kE8);
}

UInt128 divide_round_e8(UInt128 n) {
  std::uint64_t remainder = 0;
  const UInt128 quotient = divide_e8(n, &remainder);
  const bool up = remainder > kE8 / 2 || (remainder == kE8 / 2 && (quotient & 1));
  return quotient + (up ? 1 : 0);
}

std::optional<UInt128> parse_magnitude(std::string_view digits) {
  UInt128 value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    UInt128 next = 0;
    if (__builtin_mul_overflow(value, static_cast<UInt128>(10), &next)) return std::nullopt;
    if (__builtin_add_overflow(next, static_cast<UInt128>(c - '0'), &value)) return std::nullopt;
  }
  return value;
}

}  // namespace

Int128 div_round(Int128 a, Int128 b) {
  CHECK(b > 0);
  const UInt128 n = magnitude(a), d = static_cast<UInt128>(b);
  const UInt128 quotient = n / d;
  return with_sign(quotient + (rounds_up(quotient, n % d, d) ? 1 : 0), a < 0);
}

Int128 mul_div(Int128 a, Int128 b, Int128 divisor) {
  CHECK(divisor > 0);
  Int128 product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return div_round(product, divisor);
  const bool negative = (a < 0) != (b < 0);
  return with_sign(divide_round(multiply(magnitude(a), magnitude(b)), static_cast<UInt128>(divisor)), negative);
}

Int128 div_scale(Int128 a) { return with_sign(divide_round_e8(magnitude(a)), a < 0); }

Int128 detail::mul_scale_wide(Int128 a, std::int64_t b) {
  Int128 product = 0;
  if (!__builtin_mul_overflow(a, static_cast<Int128>(b), &product)) return div_scale(product);
  return mul_div(a, b, kE8);
}

Money detail::value_of_parts(Int128 quantity, std::int64_t price, std::int64_t multiplier) {
  // A whole multiplier (nearly always) leaves one division by 1e8; R(x * m * 1e8 / 1e16) is the same number.
  Int128 product = 0;
  if (!__builtin_mul_overflow(quantity, static_cast<Int128>(price), &product)) {
    if (multiplier == limits::kScale) return div_scale(product);
    Int128 scaled = 0;
    if (multiplier % limits::kScale == 0 &&
        !__builtin_mul_overflow(product, static_cast<Int128>(multiplier / limits::kScale), &scaled)) {
      return div_scale(scaled);
    }
  }
  return mul_div(quantity, static_cast<Int128>(price) * multiplier, static_cast<Int128>(kE16));
}

std::string to_digits(Int128 value) {
  UInt128 rest = magnitude(value);
  char text[41];
  char* p = text + sizeof text;
  do {
    *--p = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) *--p = '-';
  return std::string(p, text + sizeof text);
}

std::string to_decimal(Int128 e8) {
  const UInt128 size = magnitude(e8);
  std::string text = (e8 < 0 ? "-" : "") + to_digits(static_cast<Int128>(size / kE8));
  std::uint64_t fraction = static_cast<std::uint64_t>(size % kE8);
  if (fraction == 0) return text;
  char decimals[9];
  for (int i = 7; i >= 0; --i) {
    decimals[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  int length = 8;
  while (decimals[length - 1] == '0') --length;
  return text + "." + std::string(decimals, decimals + length);
}

std::optional<Int128> parse_decimal128(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  std::string_view whole = text.substr(0, dot);
  std::string_view decimals = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  if (whole.empty() || (dot != std::string_view::npos && decimals.empty()) || text.size() > 128) return std::nullopt;
  while (decimals.size() > 8) {
    if (decimals.back() != '0') return std::nullopt;
    decimals.remove_suffix(1);
  }
  std::string digits(whole);
  digits += decimals;
  digits.append(8 - decimals.size(), '0');
  const std::optional<UInt128> size = parse_magnitude(digits);
  if (!size || *size >= static_cast<UInt128>(kMin128)) return std::nullopt;
  return negative ? -static_cast<Int128>(*size) : static_cast<Int128>(*size);
}

std::optional<std::int64_t> parse_decimal(std::string_view text) {
  const std::optional<Int128> wide = parse_decimal128(text);
  if (!wide || *wide != static_cast<Int128>(static_cast<std::int64_t>(*wide))) return std::nullopt;
  return static_cast<std::int64_t>(*wide);
}

std::optional<Int128> parse_digits(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  const std::optional<UInt128> size = parse_magnitude(text);
  if (!size || *size >= static_cast<UInt128>(kMin128)) return std::nullopt;
  return negative ? -static_cast<Int128>(*size) : static_cast<Int128>(*size);
}

}  // namespace halocline
