// The catalog of Iceberg tables as `halocline serve` lets others in: the REST API over HTTP, in front of the lake's catalog.
// The configuration's [catalog] section says where.
#pragma once

#include <memory>

#include "base/disk.h"
#include "command/gateway.h"
#include "server/config.h"
#include "server/lake.h"

namespace halocline {

// The lake is open before start(), whose failures are those of the HTTP gateway, and kInvalidArgument for a token file that is of no
// use. All references outlive it.
std::unique_ptr<Gateway> make_catalog_gateway(const Config& config, Disk& disk, Lake& lake);

}  // namespace halocline
