#include "engine/risk/average_cost.h"

namespace halocline {
namespace {

Int128 absolute(Int128 x) { return x < 0 ? -x : x; }

}  // namespace

void AverageCost::fold(Int128 s, Money n) {
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

Int128 average_price(Money cost, Int128 quantity, std::int64_t multiplier) {
  if (quantity == 0) return 0;
  // quantity is within 1e19 and the multiplier within 1e14 at their scales: the product fits easily.
  const Int128 divisor = quantity * multiplier;
  const Int128 scale = static_cast<Int128>(100'000'000) * 100'000'000;
  return divisor > 0 ? mul_div(cost, scale, divisor) : mul_div(-cost, scale, -divisor);
}

}  // namespace halocline
