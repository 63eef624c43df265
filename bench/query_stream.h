// A connection of its own with one stream of subscriptions to queries, for the loads. A stream that ends by itself ends the process.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "halocline/v1/queries.grpc.pb.h"

namespace halocline::bench {

class QueryStream final : private grpc::ClientBidiReactor<v1::SubscribeRequest, v1::SubscribeMessage> {
 public:
  using OnMessage = std::function<void(const v1::SubscribeMessage&)>;

  // `on_message` runs on gRPC's threads, one call at a time. Without one nothing is ever read: a subscriber that stands still.
  QueryStream(const std::string& server, OnMessage on_message);
  // Cancels the stream; no call runs afterwards.
  ~QueryStream();
  QueryStream(const QueryStream&) = delete;
  QueryStream& operator=(const QueryStream&) = delete;

  void subscribe(v1::SubscribeRequest request);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void write_next();  // with the lock held

  const OnMessage on_message_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Queries::Stub> stub_;
  grpc::ClientContext context_;
  v1::SubscribeMessage message_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<v1::SubscribeRequest> requests_;  // the first is being written
  bool stopping_ = false, done_ = false;
};

}  // namespace halocline::bench
