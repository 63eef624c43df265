// How the client connects, and what a failed call means to a person. Inside src/client only: it includes gRPC.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include "base/status.h"

namespace halocline {

// A connection of its own (not shared with other channels of the process, so that a busy stream does not delay an alert),
// made on the first call, retried after 50 ms to 1 s. `server` as in client/server_address.h. Never fails; calls do.
std::shared_ptr<grpc::Channel> open_channel(const std::string& server);

// Waits for a connection. Calls alone would not do: blocking gRPC works on a connection only while somebody waits in it, and a call on a
// channel that has failed ends at once. Ok; kUnavailable when there was none for `give_up_after` since `since` (0: never given up);
// kFailedPrecondition as soon as `stopped` says so.
Status wait_for_connection(grpc::Channel& channel, const std::string& server, std::chrono::steady_clock::time_point since,
                           std::chrono::nanoseconds give_up_after, const std::function<bool()>& stopped);

// The Status for a failed call: kind, text, and the fields of google.rpc.BadRequest details ("quantity_e8: must be above 0").
Status status_from(const grpc::Status& status, const std::string& server);

// Whether the same call can work later without anybody changing anything: the server is away, restarting, or has cut us.
bool may_work_later(const grpc::Status& status);

}  // namespace halocline
