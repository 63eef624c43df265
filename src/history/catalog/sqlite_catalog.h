// The catalog with its state in one SQLite file: docs/formats/catalog.md. Metadata files lie in the warehouse; the database says
// which one of each table is current, and a commit moves that pointer in one transaction, with all tables of it.
//
// It must be the only process with the file: it takes the database's exclusive lock. Changes of one table wait for each other; besides that
// nobody waits for the warehouse of another call, only for its few reads and at most one sync of the database.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "history/catalog/table_catalog.h"
#include "history/warehouse.h"

namespace halocline::iceberg {

// `path` is the database, made when missing (its folder is there). `warehouse` and `clock` outlive the catalog. `crash_at` is where the
// crash test ends the process (journal/crash_point.h).
// kFailedPrecondition: another process has it. kUnsupported: a newer program wrote it. kDataLoss: it is damaged.
Result<std::unique_ptr<TableCatalog>> open_sqlite_catalog(const std::string& path, Warehouse& warehouse, const Clock& clock,
                                                          const char* crash_at = nullptr);

}  // namespace halocline::iceberg
