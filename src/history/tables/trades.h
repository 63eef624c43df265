// `trades`: the current version of each trade, one row a trade. docs/formats/tables.md has the columns. One thread.
#pragma once

#include "base/status.h"
#include "history/tables/books.h"
#include "history/tables/upsert_table.h"

namespace halocline::trades {

TableDefinition definition();

// Of the trades that changed since the last time.
Status write_changes(Books& books, UpsertTable& table);

}  // namespace halocline::trades
