// Files in a table's folder that nothing names: what crashes and broken connections leave behind, of any writer.
//
//   Result<std::size_t> removed = remove_orphans(warehouse, table, now - 3 * kDay);
//
// Any thread.
#pragma once

#include <cstddef>

#include "base/status.h"
#include "command/command.h"
#include "history/catalog/table_catalog.h"
#include "history/warehouse.h"

namespace halocline {

// Removes files that were written before `before` and are not part of the table: of none of its snapshots, no metadata file of its log,
// no statistics. A writer that is at work has files that no snapshot names yet: `before` is to be as long ago as no commit takes. How
// many went.
// The folder looked through is the table's location. Nothing is removed when anything cannot be read.
Result<std::size_t> remove_orphans(Warehouse& warehouse, const iceberg::LoadedTable& table, Nanos before);

}  // namespace halocline
