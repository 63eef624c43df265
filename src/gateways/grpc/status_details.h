// Failures as gRPC statuses. Where a client can act on it by program, the details (trailer grpc-status-details-bin, a
// google.rpc.Status) say what it needs: the wrong fields, the event to resume from.
//
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <grpcpp/support/status.h>

#include "base/status.h"
#include "gateways/grpc/to_command.h"

namespace halocline::rpc {

grpc::StatusCode grpc_code(Code code);
grpc::Status to_grpc(const Status& status);

// INVALID_ARGUMENT; the message is the first violation's, details: google.rpc.BadRequest with all of them.
grpc::Status invalid_argument(const std::vector<Violation>& violations);

// The end of a subscription that was cut: RESOURCE_EXHAUSTED, details: halocline.v1.ResumePoint.
grpc::Status cut_subscriber(const std::string& why, std::uint64_t last_event_id);

}  // namespace halocline::rpc
