// Reference data as commands: who may change what, and what a move of a book or a new sector does to the sums.
// docs/semantics.md, "Reference data".
#pragma once

#include "engine/limits/limit_watch.h"
#include "engine/risk/exposure.h"
#include "engine/risk/price_board.h"
#include "engine/state/state.h"
#include "engine/state/trade_book.h"

namespace halocline {

class ReferenceDesk {
 public:
  ReferenceDesk(State& state, Exposure& exposure, PriceBoard& prices, TradeBook& trades, LimitWatch& limits)
      : state_(state), exposure_(exposure), prices_(prices), trades_(trades), limits_(limits) {}

  Outcome apply(const Firm& firm);
  Outcome apply(const Currency& currency);
  Outcome apply(const Desk& desk);
  Outcome apply(const Book& book);
  Outcome apply(const Trader& trader);
  Outcome apply(const Counterparty& counterparty);
  Outcome apply(const Instrument& instrument);
  Outcome apply(const Rename& rename);

 private:
  std::uint32_t add_node(NodeKind kind, std::string_view name, std::uint32_t parent, std::uint32_t of);
  std::uint32_t add_currency(std::string_view code, std::int64_t rate);
  Outcome add_instrument(const Instrument& instrument, std::uint32_t currency);
  Outcome change_instrument(std::uint32_t id, const Instrument& instrument, std::uint32_t currency);
  std::uint32_t named_node(NodeKind kind, std::string_view name);
  void move_instrument(std::uint32_t id, std::uint32_t from_node, std::uint32_t to_node);

  State& state_;
  Exposure& exposure_;
  PriceBoard& prices_;
  TradeBook& trades_;
  LimitWatch& limits_;
};

}  // namespace halocline
