// The average-cost method: splits P&L into realised and unrealised by folding trades in their order.
// docs/semantics.md, "Positions".
#pragma once

#include <cstdint>

#include "base/decimal.h"
#include "base/limits.h"

namespace halocline {

// Realised P&L needs no sum of its own: in each step it changes by as much as cash + cost do, so it is cash + cost.
struct AverageCost {
  Int128 quantity = 0;  // q
  Money cost = 0;       // K

  // The next trade: signed quantity and signed notional.
  void fold(Int128 signed_quantity, Money signed_notional) {
    cost = folded(quantity, cost, signed_quantity, signed_notional);
    quantity += signed_quantity;
  }

  // The cost after that trade: what fold() does, of values in registers.
  static Money folded(Int128 quantity, Money cost, Int128 signed_quantity, Money signed_notional);

 private:
  static Money folded_wide(Int128 quantity, Money cost, Int128 signed_quantity, Money signed_notional);
};

namespace average_cost {

// R(a * b / d) for b < d: the quotient fits.
inline std::uint64_t mul_div_narrow(std::uint64_t a, std::uint64_t b, std::uint64_t d) {
  // Of whole shares the same ratio in smaller numbers: their product is often within 64 bits, and its division takes half the time.
  constexpr std::uint64_t kE8 = limits::kScale;
  if (const std::uint64_t part = b / kE8, whole = d / kE8; part * kE8 == b && whole * kE8 == d) b = part, d = whole;
  const UInt128 product = static_cast<UInt128>(a) * b;
  const auto low = static_cast<std::uint64_t>(product), high = static_cast<std::uint64_t>(product >> 64);
  std::uint64_t quotient = 0, remainder = 0;
  if (high == 0) {
    quotient = low / d, remainder = low % d;
  } else {
#if defined(__x86_64__)
    asm("divq %[d]" : "=a"(quotient), "=d"(remainder) : [d] "r"(d), "a"(low), "d"(high) : "cc");  // for what is else a call
#else
    quotient = static_cast<std::uint64_t>(product / d), remainder = low - quotient * d;
#endif
  }
  const std::uint64_t rest = d - remainder;
  return quotient + (remainder > rest || (remainder == rest && (quotient & 1)) ? 1 : 0);
}

inline std::uint64_t size_of(std::int64_t x) { return x < 0 ? -static_cast<std::uint64_t>(x) : static_cast<std::uint64_t>(x); }

}  // namespace average_cost

// Where everything fits in 64 bits and the position does not change sides, which is nearly always, without a call.
inline Money AverageCost::folded(Int128 quantity, Money cost, Int128 signed_quantity, Money signed_notional) {
  using average_cost::size_of;
  const auto q = static_cast<std::int64_t>(quantity), s = static_cast<std::int64_t>(signed_quantity), k = static_cast<std::int64_t>(cost);
  if (q != quantity || s != signed_quantity || k != cost) return folded_wide(quantity, cost, signed_quantity, signed_notional);
  if (q == 0 || (s > 0) == (q > 0)) return cost + signed_notional;
  if (size_of(s) >= size_of(q)) return folded_wide(quantity, cost, signed_quantity, signed_notional);
  const auto part = static_cast<Int128>(average_cost::mul_div_narrow(size_of(k), size_of(s), size_of(q)));
  return k < 0 ? cost + part : cost - part;
}

// R(K * 1e16 / (q * multiplier)), 0 when q is 0.
Int128 average_price(Money cost, Int128 quantity, std::int64_t multiplier);

}  // namespace halocline
