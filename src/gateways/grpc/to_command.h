// Requests to commands, for everything but batches (batch.h). The commands' texts point into the request, which must stay
// where it is. Texts are UTF-8 already (protobuf looks at that) but may be too long for a command: that, and decimal text that is
// none, is all that is refused here; what a command means is the engine's business.
//
// Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "command/as_of.h"
#include "command/command.h"
#include "command/rows.h"
#include "halocline/v1/ingest.pb.h"
#include "halocline/v1/reference.pb.h"
#include "halocline/v1/risk.pb.h"

namespace halocline::rpc {

// One wrong field of a request, for google.rpc.BadRequest.
struct Violation {
  std::string field;        // its path: "items[3].book.name"
  std::string description;  // a sentence
};

// Each fills in the command, or adds at least one violation and gives false.
bool to_command(const v1::ReferenceItem& item, Command& command, std::vector<Violation>& violations);
bool to_command(const v1::Limit& request, Command& command, std::vector<Violation>& violations);
bool to_command(const v1::RemoveLimitRequest& request, Command& command, std::vector<Violation>& violations);
bool to_command(const v1::AckAlertRequest& request, Command& command, std::vector<Violation>& violations);
bool to_command(const v1::EndOfDayRequest& request, Command& command, std::vector<Violation>& violations);

AsOf to_as_of(const v1::AsOf& as_of);
PositionFilter to_filter(const v1::ListPositionsRequest& request);
NodeFilter to_filter(const v1::ListNodesRequest& request);
AlertFilter to_filter(const v1::ListAlertsRequest& request);

}  // namespace halocline::rpc
