// The average-cost method: splits P&L into realised and unrealised by folding trades in their order.
// docs/semantics.md, "Positions".
#pragma once

#include <cstdint>

#include "base/decimal.h"

namespace halocline {

struct AverageCost {
  Int128 quantity = 0;  // q
  Money cost = 0;       // K
  Money realised = 0;

  // The next trade: signed quantity, signed notional and fees.
  void fold(Int128 signed_quantity, Money signed_notional, Money fees);
};

// R(K * 1e16 / (q * multiplier)), 0 when q is 0.
Int128 average_price(Money cost, Int128 quantity, std::int64_t multiplier);

}  // namespace halocline
