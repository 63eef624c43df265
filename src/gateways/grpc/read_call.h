// RPCs that are reads: the port answers on a reader thread, and what it gave is sent from there on.
//
//   ReadCall   one message         GetTrade, GetStatus
//   PageCall   a stream of pages   ListPositions, ListNodes, ListLimits, ListAlerts, List: a page is made when the one before is with the
//              transport, so a slow client costs its rows, and nobody's time
#pragma once

#include <functional>
#include <mutex>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "gateways/grpc/calls.h"

namespace halocline::rpc {

inline constexpr std::size_t kPageRows = 500;

class ReadCall final : public grpc::ServerUnaryReactor, public Call {
 public:
  ReadCall(Calls& calls, grpc::ByteBuffer* response) : Call(calls), response_(response) {}

  void start() { open(); }
  // The answer; at most once, on any thread.
  void reply(grpc::ByteBuffer bytes);
  void fail(grpc::Status status);

  void OnCancel() override { fail(grpc::Status(grpc::StatusCode::CANCELLED, "cancelled")); }
  void OnDone() override { done(); }

 private:
  grpc::ByteBuffer* const response_;
  std::mutex mutex_;
  bool finished_ = false;
};

class PageCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public Call {
 public:
  // Makes the next page; false when that is the last.
  using Pages = std::function<bool(grpc::ByteBuffer& page)>;

  explicit PageCall(Calls& calls) : Call(calls) {}

  void start() { open(); }
  // The pages; at most once, on any thread.
  void reply(Pages pages);
  void fail(grpc::Status status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { fail(grpc::Status(grpc::StatusCode::CANCELLED, "cancelled")); }
  void OnDone() override;

 private:
  void write_next();

  Pages pages_;
  grpc::ByteBuffer page_;
  bool last_ = false;
  std::mutex mutex_;
  bool finished_ = false;
};

}  // namespace halocline::rpc
