#include "gateways/grpc/ack_call.h"

#include <utility>

#include "base/clock.h"
#include "gateways/grpc/status_details.h"

namespace halocline::rpc {

void AckCall::start(const grpc::ByteBuffer& request) {
  open();
  const std::int64_t received = SystemClock().monotonic();
  std::vector<Submission> submissions;
  grpc::Status status = kind_->read(request, submissions);
  if (!status.ok()) calls_.port->count("grpc_refused_requests", 1);
  {
    std::unique_lock lock(mutex_);
    waiting_ = submissions.size();
    if (!status.ok() || submissions.empty()) {
      if (status.ok()) *response_ = kind_->answer({});
      finish(std::move(lock), std::move(status));
      return;
    }
  }
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    submissions[i].sink = std::shared_ptr<AckSink>(shared_from_this(), this);
    submissions[i].token = i;
    submissions[i].received = received;
    calls_.submitter.submit(std::move(submissions[i]));
  }
}

void AckCall::acknowledged(std::uint64_t, std::span<const Acknowledgement> acks) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    acks_.insert(acks_.end(), acks.begin(), acks.end());
    if (--waiting_ != 0) return;
  }
  calls_.outbox.post(shared_from_this());
}

void AckCall::abandoned(std::uint64_t, const Status& why) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    failure_ = to_grpc(why);
    if (--waiting_ != 0) return;
  }
  calls_.outbox.post(shared_from_this());
}

void AckCall::flush() {
  std::unique_lock lock(mutex_);
  if (finished_ || waiting_ != 0) return;
  if (failure_.ok()) *response_ = kind_->answer(acks_);
  finish(std::move(lock), failure_);
}

void AckCall::finish(std::unique_lock<std::mutex> lock, grpc::Status status) {
  finished_ = true;
  lock.unlock();
  Finish(std::move(status));
}

void AckCall::OnCancel() {
  std::unique_lock lock(mutex_);
  if (finished_) return;
  finish(std::move(lock), grpc::Status(grpc::StatusCode::CANCELLED, "cancelled; what was sent may be in effect"));
}

}  // namespace halocline::rpc
