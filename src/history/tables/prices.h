// `prices`: one row for each journaled price of an instrument and rate of a currency. docs/formats/tables.md has the columns. Any thread.
#pragma once

#include "base/status.h"
#include "command/command.h"
#include "command/outcome.h"
#include "history/tables/append_table.h"

namespace halocline::prices {

TableDefinition definition();

// For commands of the table, Price, FxRate and Currency; nothing for others.
Status append(AppendTable& table, Seq seq, Nanos time, const Command& command, Outcome outcome);

}  // namespace halocline::prices
