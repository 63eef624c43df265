#include "bench/query_stream.h"

#include <utility>

#include "bench/floor_client.h"
#include "client/channel.h"

namespace halocline::bench {

QueryStream::QueryStream(const std::string& server, OnMessage on_message)
    : on_message_(std::move(on_message)), channel_(open_channel(server)), stub_(v1::Queries::NewStub(channel_)) {
  stub_->async()->Subscribe(&context_, this);
  AddHold();  // for subscribe(), which writes from outside
  if (on_message_) StartRead(&message_);
  StartCall();
}

QueryStream::~QueryStream() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  lock.unlock();
  context_.TryCancel();
  RemoveHold();
  lock.lock();
  changed_.wait(lock, [this] { return done_; });
}

void QueryStream::subscribe(v1::SubscribeRequest request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(request));
  if (requests_.size() == 1) write_next();
}

void QueryStream::write_next() {
  grpc::WriteOptions options;
  if (requests_.size() > 1) options.set_buffer_hint();
  StartWrite(&requests_.front(), options);
}

void QueryStream::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  if (!ok) return requests_.clear();  // the stream is over: OnDone says why
  requests_.pop_front();
  if (!requests_.empty() && !stopping_) write_next();
}

void QueryStream::OnReadDone(bool ok) {
  if (!ok) return;
  on_message_(message_);
  StartRead(&message_);
}

void QueryStream::OnDone(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (!stopping_) fail("a stream of subscriptions ended: " + status.error_message());
  done_ = true;
  changed_.notify_all();
}

}  // namespace halocline::bench
