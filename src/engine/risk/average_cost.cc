#include "engine/risk/average_cost.h"

namespace halocline {
namespace {

Int128 absolute(Int128 x) { return x < 0 ? -x : x; }

}  // namespace

// R(a * b / d) for b < d: the quotient fits.
std::uint64_t mul_div_narrow(std::uint64_t a, std::uint64_t b, std::uint64_t d) {
  const UInt128 product = static_cast<UInt128>(a) * b;
#if defined(__x86_64__)
  std::uint64_t quotient = 0, remainder = 0;  // one instruction for what is else a call
  asm("divq %[d]" : "=a"(quotient), "=d"(remainder) : [d] "r"(d), "a"(static_cast<std::uint64_t>(product)),
      "d"(static_cast<std::uint64_t>(product >> 64)) : "cc");
#else
  const auto quotient = static_cast<std::uint64_t>(product / d);
  const std::uint64_t remainder = static_cast<std::uint64_t>(product) - quotient * d;
#endif
  const std::uint64_t rest = d - remainder;
  return quotient + (remainder > rest || (remainder == rest && (quotient & 1)) ? 1 : 0);
}

std::uint64_t size_of(std::int64_t x) { return x < 0 ? -static_cast<std::uint64_t>(x) : static_cast<std::uint64_t>(x); }

void AverageCost::fold(Int128 s, Money n) {
  if (fold_narrow(s, n)) return;
  if (quantity == 0 || (s > 0) == (quantity > 0)) {
    quantity += s;
    cost += n;
    return;
  }
  const Int128 closing = absolute(s), open = absolute(quantity);
  if (closing <= open) {
    cost -= closing == open ? cost : mul_div(cost, closing, open);
  } else {
    cost = n - mul_div(n, open, closing);
  }
  quantity += s;
}

// The same where everything fits in 64 bits and the position does not change sides: nearly always.
bool AverageCost::fold_narrow(Int128 s, Money n) {
  const auto q = static_cast<std::int64_t>(quantity), traded = static_cast<std::int64_t>(s), k = static_cast<std::int64_t>(cost);
  if (q != quantity || traded != s || k != cost) return false;
  if (q == 0 || (traded > 0) == (q > 0)) {
    cost += n;
  } else {
    if (size_of(traded) >= size_of(q)) return false;
    const auto part = static_cast<Int128>(mul_div_narrow(size_of(k), size_of(traded), size_of(q)));
    cost -= k < 0 ? -part : part;
  }
  quantity += s;
  return true;
}

Int128 average_price(Money cost, Int128 quantity, std::int64_t multiplier) {
  if (quantity == 0) return 0;
  // quantity is within 1e19 and the multiplier within 1e14 at their scales: the product fits easily.
  const Int128 divisor = quantity * multiplier;
  const Int128 scale = static_cast<Int128>(100'000'000) * 100'000'000;
  return divisor > 0 ? mul_div(cost, scale, divisor) : mul_div(-cost, scale, -divisor);
}

}  // namespace halocline
