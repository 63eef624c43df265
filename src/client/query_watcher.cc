#include "client/query_watcher.h"

#include <algorithm>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "client/channel.h"
#include "halocline/v1/queries.grpc.pb.h"

namespace halocline {

QueryWatcher::QueryWatcher(std::string server, v1::SubscribeRequest request, Options options,
                           std::function<void(const v1::SubscribeMessage&)> on_message)
    : server_(std::move(server)), request_(std::move(request)), options_(std::move(options)), on_message_(std::move(on_message)) {
  request_.set_id(1);
  thread_ = std::thread([this] { run(); });
}

QueryWatcher::~QueryWatcher() { static_cast<void>(stop()); }

Status QueryWatcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (call_ != nullptr) call_->TryCancel();
    ended_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  return status_;
}

Status QueryWatcher::wait(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, timeout, [&] { return done_; });
  return status_;
}

void QueryWatcher::take(v1::SubscribeMessage& message) {
  const bool more = message.has_rows() ? message.rows().more() : message.has_changes() && message.changes().more();
  if (message.has_changes() && more) return pages_.push_back(std::move(message));
  for (const v1::SubscribeMessage& page : pages_) on_message_(page);
  pages_.clear();
  on_message_(message);
  if (!more) bookmark_ = message.seq();
}

void QueryWatcher::run() {
  using Clock = std::chrono::steady_clock;
  const std::shared_ptr<grpc::Channel> channel = open_channel(server_);
  const auto stub = v1::Queries::NewStub(channel);
  std::chrono::nanoseconds backoff = options_.first_backoff;
  Clock::time_point up = Clock::now();
  v1::SubscribeMessage message;
  while (true) {
    const Status found = wait_for_connection(*channel, server_, up, options_.give_up_after, [this] {
      const std::lock_guard lock(mutex_);
      return stopping_;
    });
    grpc::ClientContext context;
    {
      const std::lock_guard lock(mutex_);
      if (found.code() == Code::kUnavailable) status_ = found;
      if (stopping_ || !found.ok()) break;
      call_ = &context;
    }
    const auto stream = stub->Subscribe(&context);
    pages_.clear();
    v1::SubscribeRequest request = request_;
    if (bookmark_) request.set_after_seq(*bookmark_);
    static_cast<void>(stream->Write(request));
    Status end_of_query;
    bool ended = false, connected = false;
    while (!ended && stream->Read(&message)) {
      connected = true;
      ended = message.has_ended();
      if (!ended) {
        take(message);
        continue;
      }
      end_of_query = status_from(grpc::Status(static_cast<grpc::StatusCode>(message.ended().code()), message.ended().message()), server_);
    }
    if (ended) context.TryCancel();
    const grpc::Status end = stream->Finish();

    std::unique_lock lock(mutex_);
    call_ = nullptr;
    if (stopping_) break;
    if (connected) {
      up = Clock::now();
      backoff = options_.first_backoff;
    }
    const Status why = ended ? end_of_query
                       : end.ok() ? Status(Code::kUnavailable, server_ + " ended the stream")
                                  : status_from(end, server_);
    if (why.code() == Code::kOutOfRange && bookmark_) {  // nothing to go back to
      bookmark_.reset();
      continue;
    }
    const bool too_long = options_.give_up_after.count() > 0 && Clock::now() - up >= options_.give_up_after;
    if (why.code() != Code::kUnavailable || too_long) {
      status_ = why;
      break;
    }
    lock.unlock();
    if (options_.on_break) options_.on_break(why);
    lock.lock();
    ended_.wait_for(lock, backoff, [&] { return stopping_; });
    backoff = std::min(backoff * 2, options_.last_backoff);
  }
  const std::lock_guard lock(mutex_);
  done_ = true;
  ended_.notify_all();
}

}  // namespace halocline
