#include "client/alert_follower.h"

#include <algorithm>
#include <random>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "client/channel.h"
#include "halocline/v1/risk.grpc.pb.h"

namespace halocline {

AlertFollower::AlertFollower(std::string server, Options options, std::function<void(const v1::AlertEvent&)> on_event)
    : server_(std::move(server)), options_(std::move(options)), on_event_(std::move(on_event)),
      bookmark_(options_.from_now ? 0 : options_.after_event_id), bookmark_known_(!options_.from_now) {
  thread_ = std::thread([this] { run(); });
}

AlertFollower::~AlertFollower() { static_cast<void>(stop()); }

Status AlertFollower::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (call_ != nullptr) call_->TryCancel();
    ended_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  return status_;
}

Status AlertFollower::wait(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, timeout, [&] { return done_; });
  return status_;
}

std::uint64_t AlertFollower::bookmark() const {
  std::lock_guard lock(mutex_);
  return bookmark_;
}

std::uint64_t AlertFollower::breaks() const {
  std::lock_guard lock(mutex_);
  return breaks_;
}

void AlertFollower::run() {
  using Clock = std::chrono::steady_clock;
  std::minstd_rand random(std::random_device{}());
  const std::shared_ptr<grpc::Channel> channel = open_channel(server_);
  const auto stub = v1::Risk::NewStub(channel);
  std::chrono::nanoseconds backoff = options_.first_backoff;
  Clock::time_point up = Clock::now();
  v1::AlertMessage message;

  while (true) {
    if (!connect(*channel, up)) break;
    grpc::ClientContext context;
    v1::FollowAlertsRequest request;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) break;
      call_ = &context;
      connected_ = false;
      request.set_after_event_id(bookmark_);
      request.set_from_now(!bookmark_known_);
    }
    const auto reader = stub->FollowAlerts(&context, request);
    Status taken;
    while (taken.ok() && reader->Read(&message)) taken = take(message);
    if (!taken.ok()) context.TryCancel();
    const grpc::Status end = reader->Finish();

    std::unique_lock lock(mutex_);
    call_ = nullptr;
    if (stopping_) break;
    if (connected_) {
      ++breaks_;
      up = Clock::now();
      backoff = options_.first_backoff;
    }
    Status why = end.ok() ? Status(Code::kUnavailable, server_ + " ended the stream") : status_from(end, server_);
    const bool too_long = options_.give_up_after.count() > 0 && Clock::now() - up >= options_.give_up_after;
    if (!taken.ok() || !may_work_later(end) || too_long) {
      status_ = taken.ok() ? why : taken;
      break;
    }
    lock.unlock();
    if (options_.on_break) options_.on_break(why);
    lock.lock();
    ended_.wait_for(lock, backoff * (75 + static_cast<int>(random() % 51)) / 100, [&] { return stopping_; });
    backoff = std::min(backoff * 2, options_.last_backoff);
  }
  std::lock_guard lock(mutex_);
  done_ = true;
  ended_.notify_all();
}

// False when it is stopped or gives up.
bool AlertFollower::connect(grpc::Channel& channel, std::chrono::steady_clock::time_point since) {
  const Status connected = wait_for_connection(channel, server_, since, options_.give_up_after, [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  });
  if (connected.code() == Code::kUnavailable) {
    const std::lock_guard lock(mutex_);
    status_ = connected;
  }
  return connected.ok();
}

Status AlertFollower::take(const v1::AlertMessage& message) {
  if (message.has_progress()) {
    {
      std::lock_guard lock(mutex_);
      connected_ = true;
      if (!bookmark_known_) bookmark_ = message.progress().event_id();
      bookmark_known_ = true;
    }
    if (options_.on_progress) options_.on_progress(message.progress().event_id(), message.progress().seq());
    return ok_status();
  }
  if (!message.has_event()) return ok_status();  // a kind of message of a later version
  const v1::AlertEvent& event = message.event();
  {
    std::lock_guard lock(mutex_);
    connected_ = true;
    if (!bookmark_known_ || event.event_id() != bookmark_ + 1) {
      return Status(Code::kDataLoss, server_ + " sent alert event " + std::to_string(event.event_id()) +
                                         (bookmark_known_ ? " after " + std::to_string(bookmark_) : " before its first progress") +
                                         ": follow again from bookmark " + std::to_string(bookmark_));
    }
  }
  on_event_(event);
  std::lock_guard lock(mutex_);
  bookmark_ = event.event_id();
  return ok_status();
}

}  // namespace halocline
