// The services of api/halocline/v1, method by method: which call (batch_stream.h, ack_call.h, read_call.h, follow_call.h)
// answers each. All methods take and give raw bytes, so that a request that is no message is refused with words of ours.
//
// Handlers run on gRPC's threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <grpcpp/impl/codegen/service_type.h>

#include "gateways/grpc/calls.h"

namespace halocline::rpc {

// Ingest, Reference, Risk, Fix and Queries. `calls` outlives them.
std::vector<std::unique_ptr<grpc::Service>> make_services(Calls& calls);

// Their full names, for the health service.
std::vector<std::string> service_names();

}  // namespace halocline::rpc
