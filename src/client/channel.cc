#include "client/channel.h"

#include <absl/synchronization/mutex.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "client/server_address.h"

namespace halocline {
namespace {

Code code_from(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK: return Code::kOk;
    case grpc::StatusCode::INVALID_ARGUMENT: return Code::kInvalidArgument;
    case grpc::StatusCode::NOT_FOUND: return Code::kNotFound;
    case grpc::StatusCode::ALREADY_EXISTS: return Code::kAlreadyExists;
    case grpc::StatusCode::FAILED_PRECONDITION: return Code::kFailedPrecondition;
    case grpc::StatusCode::OUT_OF_RANGE: return Code::kOutOfRange;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return Code::kResourceExhausted;
    case grpc::StatusCode::DATA_LOSS: return Code::kDataLoss;
    case grpc::StatusCode::UNIMPLEMENTED: return Code::kUnsupported;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED: return Code::kUnavailable;
    default: return Code::kInternal;
  }
}

// "; quantity_e8: must be above 0; side: …"
std::string field_violations(const grpc::Status& status) {
  google::rpc::Status details;
  if (status.error_details().empty() || !details.ParseFromString(status.error_details())) return "";
  std::string text;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::BadRequest bad;
    if (!any.UnpackTo(&bad)) continue;
    for (const auto& violation : bad.field_violations()) {
      text += "; " + violation.field() + ": " + violation.description();
    }
  }
  return text;
}

}  // namespace

std::shared_ptr<grpc::Channel> open_channel(const std::string& server) {
  // As in the gateway: Debian's gRPC looks for deadlocks whenever it locks.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // in spite of its name: how long one attempt may take
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  const Result<ServerAddress> parsed = parse_server_address(server);
  if (!parsed.ok()) return grpc::CreateCustomChannel(server, nullptr, arguments);  // a channel whose calls fail
  const ServerAddress& address = parsed.value();
  if (!address.tls) return grpc::CreateCustomChannel(address.target, grpc::InsecureChannelCredentials(), arguments);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = address.roots;
  return grpc::CreateCustomChannel(address.target, grpc::SslCredentials(options), arguments);
}

Status wait_for_connection(grpc::Channel& channel, const std::string& server, std::chrono::steady_clock::time_point since,
                           std::chrono::nanoseconds give_up_after, const std::function<bool()>& stopped) {
  while (!channel.WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(50))) {
    if (stopped()) return Status(Code::kFailedPrecondition, "stopped");
    if (give_up_after.count() > 0 && std::chrono::steady_clock::now() - since >= give_up_after) {
      return Status(Code::kUnavailable, "cannot reach " + server + " (no connection)");
    }
  }
  return ok_status();
}

Status status_from(const grpc::Status& status, const std::string& server) {
  if (status.ok()) return ok_status();
  const Code code = code_from(status.error_code());
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return Status(code, "no answer from " + server + " in time");
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return Status(code, "cannot reach " + server + " (" + status.error_message() + ")");
  }
  return Status(code, status.error_message() + field_violations(status));
}

bool may_work_later(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::DATA_LOSS: return false;
    default: return true;
  }
}

}  // namespace halocline
