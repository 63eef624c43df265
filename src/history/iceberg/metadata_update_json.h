// Updates and requirements as JSON. Iceberg REST spec, TableUpdate and TableRequirement.
//
// Reading remembers the first thing that is wrong (history/iceberg/json.h): kInvalidArgument for wrong members,
// kUnsupported for an update or requirement that is not known. Any thread.
#pragma once

#include <vector>

#include "history/iceberg/json.h"
#include "history/iceberg/metadata_update.h"

namespace halocline::iceberg {

std::vector<MetadataUpdate> read_updates(const Json& array, Status& first);
std::vector<Requirement> read_requirements(const Json& array, Status& first);

Json to_json(const MetadataUpdate& update);
Json to_json(const Requirement& requirement);

}  // namespace halocline::iceberg
