#include "gateways/grpc/status_details.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "base/check.h"

namespace halocline::rpc {
namespace {

grpc::Status with_detail(grpc::StatusCode code, const std::string& message, const google::protobuf::Message& detail) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(message);
  status.add_details()->PackFrom(detail);
  return grpc::Status(code, message, status.SerializeAsString());
}

}  // namespace

grpc::StatusCode grpc_code(Code code) {
  switch (code) {
    case Code::kOk: return grpc::StatusCode::OK;
    case Code::kInvalidArgument: return grpc::StatusCode::INVALID_ARGUMENT;
    case Code::kNotFound: return grpc::StatusCode::NOT_FOUND;
    case Code::kAlreadyExists: return grpc::StatusCode::ALREADY_EXISTS;
    case Code::kFailedPrecondition: return grpc::StatusCode::FAILED_PRECONDITION;
    case Code::kOutOfRange: return grpc::StatusCode::OUT_OF_RANGE;
    case Code::kResourceExhausted: return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case Code::kUnavailable: return grpc::StatusCode::UNAVAILABLE;
    case Code::kDataLoss: return grpc::StatusCode::DATA_LOSS;
    case Code::kUnsupported: return grpc::StatusCode::UNIMPLEMENTED;
    case Code::kIo:
    case Code::kInternal: return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::UNKNOWN;
}

grpc::Status to_grpc(const Status& status) { return grpc::Status(grpc_code(status.code()), status.message()); }

grpc::Status invalid_argument(const std::vector<Violation>& violations) {
  CHECK(!violations.empty());
  google::rpc::BadRequest bad;
  for (const Violation& violation : violations) {
    google::rpc::BadRequest::FieldViolation* out = bad.add_field_violations();
    out->set_field(violation.field);
    out->set_description(violation.description);
  }
  return with_detail(grpc::StatusCode::INVALID_ARGUMENT, violations[0].description, bad);
}

grpc::Status cut_subscriber(const std::string& why, std::uint64_t last_event_id) {
  v1::ResumePoint point;
  point.set_after_event_id(last_event_id);
  return with_detail(grpc::StatusCode::RESOURCE_EXHAUSTED,
                     why + "; resume with after_event_id " + std::to_string(last_event_id), point);
}

}  // namespace halocline::rpc
