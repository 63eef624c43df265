// Schemas, partition specs and sort orders as JSON. Iceberg spec, appendix C: "Schemas", "Partition Specs", "Sort Orders".
//
// Reading remembers the first thing that is wrong (history/iceberg/json.h); it checks the form, not the meaning. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "history/iceberg/json.h"
#include "history/iceberg/partitioning.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

Json to_json(const Schema& schema);
Json to_json(const PartitionSpec& spec);
Json to_json(const SortOrder& order);

Schema read_schema(const Json& json, Status& first);
PartitionSpec read_spec(const Json& json, Status& first);
SortOrder read_order(const Json& json, Status& first);

}  // namespace halocline::iceberg
