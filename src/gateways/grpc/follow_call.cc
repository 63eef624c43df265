#include "gateways/grpc/follow_call.h"

#include <utility>

#include "gateways/grpc/bytes.h"
#include "gateways/grpc/status_details.h"
#include "gateways/grpc/to_proto.h"

namespace halocline::rpc {

void FollowCall::start() {
  open();
  StartSendInitialMetadata();  // by itself: together with a buffered first write it would wait for a later one
  last_sent_ = bookmark_;
  calls_.port->follow_alerts(bookmark_, from_now_, std::shared_ptr<AlertSubscriber>(shared_from_this(), this));
}

void FollowCall::started(std::vector<AlertEvent> backlog, std::uint64_t complete_to, Seq seq) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    progress_.emplace();
    progress_->set_event_id(complete_to);
    progress_->set_seq(seq);
    backlog_ = std::move(backlog);
    if (from_now_) last_sent_ = complete_to;
  }
  calls_.outbox.post(shared_from_this());
}

bool FollowCall::offer(const std::shared_ptr<const AlertEvent>& event) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_ || ended_ || queue_.size() >= calls_.options.subscriber_queue) return false;
    queue_.push_back(event);
    if (writing_) return true;  // OnWriteDone comes to it
  }
  calls_.outbox.post(shared_from_this());
  return true;
}

void FollowCall::ended(const Status& why) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    ended_ = why;
    if (why.code() != Code::kUnavailable) {  // there is a client to blame: it gets no more
      queue_.clear();
      backlog_.clear();
      backlog_sent_ = 0;
      progress_.reset();
    }
  }
  calls_.outbox.post(shared_from_this());
}

void FollowCall::flush() { advance(std::unique_lock(mutex_)); }

bool FollowCall::next(v1::AlertMessage& message, std::shared_ptr<const AlertEvent>& event, std::uint64_t& event_id) {
  event_id = last_sent_;
  if (progress_) {
    *message.mutable_progress() = *std::exchange(progress_, std::nullopt);
    return true;
  }
  if (backlog_sent_ < backlog_.size()) {
    event_id = backlog_[backlog_sent_].event_id;
    to_proto(backlog_[backlog_sent_++], *message.mutable_event());
    if (backlog_sent_ == backlog_.size()) {
      backlog_ = {};
      backlog_sent_ = 0;
    }
    return true;
  }
  if (queue_.empty()) return false;
  event = std::move(queue_.front());
  queue_.pop_front();
  event_id = event->event_id;
  return true;
}

void FollowCall::advance(std::unique_lock<std::mutex> lock) {
  if (finished_) return;
  const bool nothing_left = !progress_ && backlog_.empty() && queue_.empty();
  // A subscriber that was cut has a write under way that may never end: its status goes behind that.
  if (ended_ && nothing_left && (!writing_ || ended_->code() == Code::kResourceExhausted)) {
    finished_ = true;
    const grpc::Status status = end_status();
    lock.unlock();
    Finish(status);
    return;
  }
  if (writing_) return;
  v1::AlertMessage message;
  std::shared_ptr<const AlertEvent> event;
  std::uint64_t event_id = 0;
  if (!next(message, event, event_id)) return;
  writing_ = true;
  grpc::WriteOptions options;
  if (!backlog_.empty() || !queue_.empty()) options.set_buffer_hint();
  lock.unlock();

  if (event != nullptr) to_proto(*event, *message.mutable_event());
  write_ = to_bytes(message);
  lock.lock();
  if (finished_) return;
  last_sent_ = event_id;
  StartWrite(&write_, options);
}

grpc::Status FollowCall::end_status() const {
  if (ended_->code() == Code::kResourceExhausted) return cut_subscriber(ended_->message(), last_sent_);
  return to_grpc(*ended_);
}

void FollowCall::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (ok) advance(std::move(lock));  // else the call is cancelled: OnCancel ends it
}

void FollowCall::OnCancel() {
  bool follows = false;
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
    follows = !ended_;
    queue_.clear();
    backlog_.clear();
  }
  if (follows) calls_.port->unfollow(this);
  Finish(grpc::Status(grpc::StatusCode::CANCELLED, "cancelled"));
}

}  // namespace halocline::rpc
