// `trade_events`, the ledger: one row for each journaled command that concerns a trade, and what became of it.
// docs/formats/tables.md has the columns. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "command/command.h"
#include "command/outcome.h"
#include "history/tables/append_table.h"

namespace halocline::trade_events {

TableDefinition definition();

struct Row {
  Seq seq = 0;
  Nanos time = 0;  // knowledge time
  Outcome outcome = Outcome::kNone;
  Seq first_seq = 0;             // of a DUPLICATE
  const Trade* trade = nullptr;  // the command, or what of it is a trade
  const TradeReport* report = nullptr;  // when it is one
  std::string_view fix_session;  // empty: it did not come by FIX
  std::uint32_t fix_number = 0;
};

Status append(AppendTable& table, const Row& row);

}  // namespace halocline::trade_events
