// `nodes`: at each commit a row for each node of which a measure changed since the one before. docs/formats/tables.md has the columns.
// One thread.
#pragma once

#include "base/status.h"
#include "history/tables/append_table.h"
#include "history/tables/books.h"

namespace halocline::nodes {

TableDefinition definition();

// As the books are at this command.
Status write_changes(Books& books, Seq seq, Nanos time, AppendTable& table);

}  // namespace halocline::nodes
