// Subscribe: any number of continuous queries on one stream. What the core offers waits here, each subscription by itself, for the
// transport; one that is not read in time is cut, or brings its changes together by row, as the client chose. A client that does not
// read harms nobody else: what waits is bounded by rows for those that conflate, by subscriber_queue seqs for the others.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "command/port.h"
#include "gateways/grpc/calls.h"
#include "halocline/v1/queries.pb.h"

namespace halocline::rpc {

class SubscribeCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, public Call {
 public:
  SubscribeCall(Calls& calls, std::string client) : Call(calls), client_(std::move(client)) {}

  void start();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { done(); }

  void flush() override;
  void drain() override;

 private:
  class Subscription;
  using SubscriptionPtr = std::shared_ptr<Subscription>;
  using Lock = std::unique_lock<std::mutex>;

  void take(const v1::SubscribeRequest& request);
  // With the lock held: it has something for the transport now, or at its time.
  void ready(Subscription& subscription);
  // The next message of those that are ready; false: none has one.
  bool take_next(grpc::ByteBuffer& bytes);
  void advance(const Lock&);
  void finish(Lock lock, grpc::Status status);  // lets go of the lock

  const std::string client_;
  grpc::ByteBuffer read_, write_, following_;

  std::mutex mutex_;
  std::map<std::uint64_t, SubscriptionPtr> subscriptions_;
  std::deque<SubscriptionPtr> ready_;  // in turn, so that none waits for a busy one
  bool writing_ = false;
  bool follows_ = false;  // following_ is the message after the one being written
  bool finished_ = false;
};

}  // namespace halocline::rpc
