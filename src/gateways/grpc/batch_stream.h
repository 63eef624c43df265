// SubmitTrades and StreamPrices: batches in, their answers out, in order.
//
//   OnReadDone (gRPC thread)   bytes → records → Submitter; reads on while the window is open
//   acknowledged (core)        marks the batch answered, posts to the outbox
//   flush / OnWriteDone        puts the answers at the head of the window into words and writes them, one at a time
//
// The window is what was read and whose answer is not yet with gRPC's transport. While it is full nothing is read, and HTTP/2's
// flow control stops the sender. So a client that does not read its answers stops itself, and nobody else.
//
// gRPC's stream dies some time after Finish, so reads and writes are started with the lock held and `finished_` looked at. That cannot
// deadlock: gRPC runs reactions on its own threads only, never inside StartRead or StartWrite.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "gateways/grpc/batch.h"
#include "gateways/grpc/calls.h"

namespace halocline::rpc {

class BatchStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, public AckSink, public Call {
 public:
  BatchStream(Calls& calls, BatchKind kind) : Call(calls), kind_(kind) {}

  // Opens the call and reads on. To be called once, on a shared_ptr.
  void start();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void acknowledged(std::uint64_t token, std::span<const Acknowledgement> acks) override;
  void abandoned(std::uint64_t token, const Status& why) override;

  void flush() override;
  void drain() override;

 private:
  struct Entry {
    Batch batch;
    bool answered = false;
    bool abandoned = false;
  };

  std::unique_ptr<Entry> take_entry();
  // These are called with the lock held, and let go of it.
  void advance(std::unique_lock<std::mutex> lock);
  void end(std::unique_lock<std::mutex> lock, grpc::Status status);

  bool window_open() const;
  void pop_answered();

  const BatchKind kind_;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer write_;
  v1::TradeAcks answer_;  // of the one that writes

  std::mutex mutex_;
  std::deque<std::unique_ptr<Entry>> window_;
  std::vector<std::unique_ptr<Entry>> free_;
  std::uint64_t first_token_ = 0;  // of the window's front
  std::size_t window_bytes_ = 0;
  bool reading_ = false;   // a read is under way
  bool writing_ = false;   // a write is under way, of the window's front
  bool ended_ = false;     // nothing more will be read; end_ is due when the window is empty
  bool finished_ = false;  // Finish was called
  grpc::Status end_;
};

}  // namespace halocline::rpc
