// The average-cost method: splits P&L into realised and unrealised by folding trades in their order.
// docs/semantics.md, "Positions".
#pragma once

#include <cstdint>

#include "base/decimal.h"

namespace halocline {

// Realised P&L needs no sum of its own: in each step it changes by as much as cash + cost do, so it is cash + cost.
struct AverageCost {
  Int128 quantity = 0;  // q
  Money cost = 0;       // K

  // The next trade: signed quantity and signed notional.
  void fold(Int128 signed_quantity, Money signed_notional);

 private:
  bool fold_narrow(Int128 signed_quantity, Money signed_notional);
};

// R(K * 1e16 / (q * multiplier)), 0 when q is 0.
Int128 average_price(Money cost, Int128 quantity, std::int64_t multiplier);

}  // namespace halocline
