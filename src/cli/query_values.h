// The values of queries as people and scripts see them, and parameters from the command line.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "cli/json.h"
#include "halocline/v1/queries.pb.h"

namespace halocline::cli {

// "NULL", "true", "12.5", "2026-11-24T10:42:13Z", "60 s".
std::string query_text(const v1::QueryValue& value);
// null, booleans and ints as JSON has them; decimals, times and intervals as text: no reader loses digits.
Json query_json(const v1::QueryValue& value);
bool is_number(v1::QueryType type);

// "desk=rates" → name and value: true, false, null, whole and decimal numbers are what they look like, all else is text; in
// quotes ('12', "null") it is text in any case. kInvalidArgument when there is no "=" or no name.
using Parameters = google::protobuf::Map<std::string, v1::QueryValue>;
Status parse_parameters(const std::vector<std::string>& texts, Parameters& parameters);

}  // namespace halocline::cli
