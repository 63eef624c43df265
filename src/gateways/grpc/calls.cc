#include "gateways/grpc/calls.h"

#include <utility>

namespace halocline::rpc {
namespace {

constexpr std::size_t kFewCalls = 4;  // flushed on the core's thread; more would keep it from what comes next

}  // namespace

void Call::open() {
  self_ = shared_from_this();
  const std::lock_guard lock(calls_.mutex_);
  calls_.open_.emplace(this, self_);
}

void Call::done() {
  {
    const std::lock_guard lock(calls_.mutex_);
    calls_.open_.erase(this);
  }
  const std::shared_ptr<Call> last = std::move(self_);
}

void Outbox::start() {
  thread_ = std::thread([this] { run(); });
}

void Outbox::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Outbox::post(std::shared_ptr<Call> call) {
  if (call->posted_.exchange(true, std::memory_order_acq_rel)) return;
  // Rung under the lock: once it is let go, the outbox may be on its way out.
  const std::lock_guard lock(mutex_);
  if (gatherer_ == std::this_thread::get_id() && gathered_.size() < kFewCalls) return gathered_.push_back(std::move(call));
  posted_.push_back(std::move(call));
  if (std::exchange(sleeping_, false)) wake_.notify_one();
}

void Outbox::gather() {
  const std::lock_guard lock(mutex_);
  gatherer_ = std::this_thread::get_id();
}

void Outbox::deliver() {
  {
    const std::lock_guard lock(mutex_);
    gatherer_ = {};
  }
  flush(gathered_);
}

void Outbox::flush(Posted& calls) {
  for (const std::shared_ptr<Call>& call : calls) {
    call->posted_.store(false, std::memory_order_release);
    call->flush();
  }
  calls.clear();
}

void Outbox::post_at(std::chrono::steady_clock::time_point when, std::weak_ptr<Call> call) {
  const std::lock_guard lock(mutex_);
  const bool sooner = later_.empty() || when < later_.begin()->first;
  later_.emplace(when, std::move(call));
  if (sooner) wake_.notify_one();
}

void Outbox::run() {
  Posted calls;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto due = [this] { return !later_.empty() && later_.begin()->first <= std::chrono::steady_clock::now(); };
    while (posted_.empty() && !due() && !stopping_) {
      sleeping_ = true;
      later_.empty() ? wake_.wait(lock) : void(wake_.wait_until(lock, later_.begin()->first));
    }
    sleeping_ = false;
    if (posted_.empty() && stopping_) return;
    calls.swap(posted_);
    for (; due(); later_.erase(later_.begin())) {
      std::shared_ptr<Call> call = later_.begin()->second.lock();
      if (call != nullptr && !call->posted_.exchange(true, std::memory_order_acq_rel)) calls.push_back(std::move(call));
    }
    lock.unlock();
    flush(calls);
    lock.lock();
  }
}

void Submitter::submit(Submission submission) {
  {
    const std::lock_guard lock(mutex_);
    if (busy_) {
      waiting_.push_back(std::move(submission));
      return;
    }
    busy_ = true;
  }
  for (;;) {
    const std::shared_ptr<AckSink> sink = submission.sink;
    const std::uint64_t token = submission.token;
    const Status submitted = port_->submit(std::move(submission));
    if (!submitted.ok()) sink->abandoned(token, submitted);

    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      busy_ = false;
      return;
    }
    submission = std::move(waiting_.front());
    waiting_.pop_front();
  }
}

bool Calls::admits(grpc::Status& why) {
  if (draining()) {
    why = shutting_down();
    return false;
  }
  const std::lock_guard lock(mutex_);
  if (open_.size() < options.max_calls) return true;
  port->count("grpc_refused_calls", 1);
  why = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                     "the server has " + std::to_string(options.max_calls) + " open calls, its bound; try again later");
  return false;
}

bool Calls::take_listing(grpc::Status& why) {
  if (++listings_ <= options.max_listings) return true;
  --listings_;
  port->count("grpc_refused_calls", 1);
  why = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                     "the server is answering " + std::to_string(options.max_listings) + " listings, its bound; try again later");
  return false;
}

void Calls::begin_drain() {
  draining_.store(true, std::memory_order_release);
  std::vector<std::shared_ptr<Call>> open;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [call, weak] : open_) {
      if (std::shared_ptr<Call> strong = weak.lock()) open.push_back(std::move(strong));
    }
  }
  for (const std::shared_ptr<Call>& call : open) call->drain();
}

grpc::Status shutting_down() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down; connect again");
}

}  // namespace halocline::rpc
