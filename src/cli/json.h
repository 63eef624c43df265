// Any message of the API as JSON for scripts, by its descriptor, so that a new field needs no code here.
//   price_e8: 150000000      →  "price": "1.5"                       decimals stay text: no reader loses digits
//   time_ns: 1763980933…     →  "time": "2026-11-24T10:42:13.5Z"     (…_after_ns, p50_ns and other durations stay "…_ns" numbers)
//   kind: TRADER             →  "kind": "trader"                     kinds, measures as on the command line; other enums as in the API
// Fields are there also when they are empty, so that a script can rely on them.
#pragma once

#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

namespace halocline::cli {

using Json = nlohmann::ordered_json;

Json to_json(const google::protobuf::Message& message);
// One line on stdout. Text that is not UTF-8 is replaced.
void print_json(const Json& json);

}  // namespace halocline::cli
