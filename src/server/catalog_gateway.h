// The catalog of Iceberg tables as `halocline serve` runs it: the warehouse, the database, and the REST API over HTTP in front.
// The configuration's [catalog] section says where.
#pragma once

#include <memory>

#include "base/clock.h"
#include "command/gateway.h"
#include "server/config.h"

namespace halocline {

// start() opens the database in the data directory, which it makes when missing; its failures are the catalog's
// (history/catalog/sqlite_catalog.h) and those of the HTTP gateway. `clock` outlives it.
std::unique_ptr<Gateway> make_catalog_gateway(const Config& config, const Clock& clock);

}  // namespace halocline
