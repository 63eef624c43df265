// `alerts`: one row for each step of an alert's life. docs/formats/tables.md has the columns. Any thread.
#pragma once

#include "base/status.h"
#include "command/alert.h"
#include "history/tables/append_table.h"

namespace halocline::alerts {

TableDefinition definition();

Status append(AppendTable& table, const AlertEvent& event);

}  // namespace halocline::alerts
