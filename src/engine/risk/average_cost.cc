#include "engine/risk/average_cost.h"

namespace halocline {
namespace {

Int128 absolute(Int128 x) { return x < 0 ? -x : x; }

}  // namespace

Money AverageCost::folded_wide(Int128 quantity, Money cost, Int128 s, Money n) {
  if (quantity == 0 || (s > 0) == (quantity > 0)) return cost + n;
  const Int128 closing = absolute(s), open = absolute(quantity);
  if (closing > open) return n - mul_div(n, open, closing);
  return closing == open ? 0 : cost - mul_div(cost, closing, open);
}

Int128 average_price(Money cost, Int128 quantity, std::int64_t multiplier) {
  if (quantity == 0) return 0;
  // quantity is within 1e19 and the multiplier within 1e14 at their scales: the product fits easily.
  const Int128 divisor = quantity * multiplier;
  const Int128 scale = static_cast<Int128>(limits::kScale) * limits::kScale;
  return divisor > 0 ? mul_div(cost, scale, divisor) : mul_div(-cost, scale, -divisor);
}

}  // namespace halocline
