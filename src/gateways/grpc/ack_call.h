// Unary RPCs that are commands: SubmitTrade, PublishPrices, Upsert, SetLimit, RemoveLimit, AckAlert, EndOfDay. The request is put
// into words for the core, submitted, and answered when all of it is durable.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "command/port.h"
#include "gateways/grpc/calls.h"

namespace halocline::rpc {

// What differs between them. Kept until the answer is written, which takes its names from the request.
class CommandRequest {
 public:
  virtual ~CommandRequest() = default;
  // Reads the request: fills in records and count of one or more submissions (none when nothing of it is a command).
  // INVALID_ARGUMENT with details when it cannot be one.
  virtual grpc::Status read(const grpc::ByteBuffer& request, std::vector<Submission>& submissions) = 0;
  // The answer, from the acknowledgements of all commands in order.
  virtual grpc::ByteBuffer answer(std::span<const Acknowledgement> acks) = 0;
};

std::unique_ptr<CommandRequest> submit_trade_request();
std::unique_ptr<CommandRequest> publish_prices_request();
std::unique_ptr<CommandRequest> upsert_request();
std::unique_ptr<CommandRequest> set_limit_request();
std::unique_ptr<CommandRequest> remove_limit_request();
std::unique_ptr<CommandRequest> ack_alert_request();
std::unique_ptr<CommandRequest> end_of_day_request();

class AckCall final : public grpc::ServerUnaryReactor, public AckSink, public Call {
 public:
  AckCall(Calls& calls, std::unique_ptr<CommandRequest> kind, grpc::ByteBuffer* response)
      : Call(calls), kind_(std::move(kind)), response_(response) {}

  void start(const grpc::ByteBuffer& request);

  void OnCancel() override;
  void OnDone() override { done(); }

  void acknowledged(std::uint64_t token, std::span<const Acknowledgement> acks) override;
  void abandoned(std::uint64_t token, const Status& why) override;

  void flush() override;

 private:
  void finish(std::unique_lock<std::mutex> lock, grpc::Status status);

  const std::unique_ptr<CommandRequest> kind_;
  grpc::ByteBuffer* const response_;

  std::mutex mutex_;
  std::vector<Acknowledgement> acks_;
  std::size_t waiting_ = 0;  // submissions without an answer
  grpc::Status failure_;
  bool finished_ = false;
};

}  // namespace halocline::rpc
