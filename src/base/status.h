// Status and Result<T>: an operating failure (disk, network, configuration, a damaged file) as a value that
// cannot be ignored. The message is for a person: what was wrong, where, and what to do.
//
//   Result<Segment> segment = open_segment(path);
//   if (!segment.ok()) return segment.status();
//   use(segment.value());
//
// Business refusals are not Statuses, see command/outcome.h. Values, no sharing: safe to move between threads.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/check.h"

namespace halocline {

// What kind of failure it was; decides the exit code of the CLI and the gRPC status code.
enum class Code : unsigned char {
  kOk = 0,
  kInvalidArgument,     // the caller's input is wrong; will not work however often it is tried
  kNotFound,            // the named thing does not exist
  kAlreadyExists,       // the thing to be created exists
  kFailedPrecondition,  // right input, wrong state (a second process on the directory, …)
  kOutOfRange,          // a bookmark or position outside of what is kept
  kResourceExhausted,   // a bound was reached (disk full, too many subscribers, a subscriber too slow)
  kUnavailable,         // cannot be reached or is shutting down; may work later
  kDataLoss,            // bytes that should check do not
  kIo,                  // the operating system refused an I/O call
  kUnsupported,         // a format or version this program does not know
  kInternal,            // a library failed in a way that is not the caller's fault
};

const char* code_name(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // "DATA_LOSS: segment 3 …" for logs.
  std::string to_string() const;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Status ok_status() { return Status(); }

// The Status for a failed system call: "cannot <what>: <text of errno>", with ENOSPC and EDQUOT as
// kResourceExhausted, ENOENT as kNotFound, everything else as kIo.
Status errno_status(int error_number, const std::string& what);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit on purpose, so that `return value;` works
  Result(Status status) : status_(std::move(status)) {  // NOLINT
    CHECK(!status_.ok(), "a Result without a value needs a failure");
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() {
    CHECK(ok(), "%s", status_.message().c_str());
    return *value_;
  }
  const T& value() const {
    CHECK(ok(), "%s", status_.message().c_str());
    return *value_;
  }
  T take() {
    CHECK(ok(), "%s", status_.message().c_str());
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace halocline
