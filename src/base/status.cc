#include "base/status.h"

#include <cerrno>
#include <cstring>

namespace halocline {

const char* code_name(Code code) {
  switch (code) {
    case Code::kOk: return "OK";
    case Code::kInvalidArgument: return "INVALID_ARGUMENT";
    case Code::kNotFound: return "NOT_FOUND";
    case Code::kAlreadyExists: return "ALREADY_EXISTS";
    case Code::kFailedPrecondition: return "FAILED_PRECONDITION";
    case Code::kOutOfRange: return "OUT_OF_RANGE";
    case Code::kResourceExhausted: return "RESOURCE_EXHAUSTED";
    case Code::kUnavailable: return "UNAVAILABLE";
    case Code::kDataLoss: return "DATA_LOSS";
    case Code::kIo: return "IO";
    case Code::kUnsupported: return "UNSUPPORTED";
    case Code::kInternal: return "INTERNAL";
  }
  return "UNKNOWN";
}

std::string Status::to_string() const {
  if (ok()) return "OK";
  return std::string(code_name(code_)) + ": " + message_;
}

Status errno_status(int error_number, const std::string& what) {
  Code code = Code::kIo;
  if (error_number == ENOSPC || error_number == EDQUOT) code = Code::kResourceExhausted;
  if (error_number == ENOENT) code = Code::kNotFound;
  return Status(code, "cannot " + what + ": " + std::strerror(error_number));
}

}  // namespace halocline
