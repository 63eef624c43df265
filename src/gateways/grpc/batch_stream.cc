#include "gateways/grpc/batch_stream.h"

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "gateways/grpc/bytes.h"
#include "gateways/grpc/status_details.h"

namespace halocline::rpc {
namespace {

constexpr std::size_t kMostFree = 8;               // entries kept for reuse
constexpr std::size_t kMostFreeBytes = 256u << 10;  // larger ones are not kept

}  // namespace

void BatchStream::start() {
  open();
  StartSendInitialMetadata();  // by itself: together with a buffered first write it would wait for a later one
  reading_ = true;
  StartRead(&read_);
}

std::unique_ptr<BatchStream::Entry> BatchStream::take_entry() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Entry>();
  std::unique_ptr<Entry> entry = std::move(free_.back());
  free_.pop_back();
  entry->answered = entry->abandoned = false;
  return entry;
}

bool BatchStream::window_open() const {
  if (window_.empty()) return true;
  return window_.size() < calls_.options.window_batches && window_bytes_ < calls_.options.window_bytes &&
         calls_.unanswered_bytes.load(std::memory_order_relaxed) < calls_.options.total_window_bytes;
}

void BatchStream::OnReadDone(bool ok) {
  if (!ok) {  // the client has sent all, or is gone
    std::unique_lock lock(mutex_);
    reading_ = false;
    ended_ = true;
    advance(std::move(lock));
    return;
  }
  Submission submission;
  submission.received = SystemClock().monotonic();
  std::unique_ptr<Entry> entry = take_entry();
  take_bytes(read_, entry->batch.wire);
  submission.records.reserve(entry->batch.wire.size() + 256);
  std::string error;
  const bool good = kind_ == BatchKind::kTrades ? read_trades(entry->batch, submission.records, error)
                                                : read_prices(entry->batch, submission.records, error);
  const std::size_t bytes = entry->batch.wire.size();
  const std::uint32_t commands = entry->batch.commands;
  const std::size_t rejects = entry->batch.rejects.size();

  std::unique_lock lock(mutex_);
  if (ended_ || finished_) {
    reading_ = false;
    return;
  }
  if (!good) {
    reading_ = false;
    ended_ = true;
    end_ = invalid_argument({{kind_ == BatchKind::kTrades ? "trades" : "prices", error}});
    advance(std::move(lock));
    return;
  }
  submission.token = first_token_ + window_.size();
  submission.count = commands;
  entry->answered = commands == 0;
  window_.push_back(std::move(entry));
  window_bytes_ += bytes;
  calls_.unanswered_bytes += bytes;
  lock.unlock();

  if (rejects != 0) calls_.port->count("grpc_refused_items", rejects);
  if (commands != 0) {
    submission.sink = std::shared_ptr<AckSink>(shared_from_this(), this);
    calls_.submitter.submit(std::move(submission));
  }

  lock.lock();
  reading_ = !ended_ && !finished_ && window_open();
  if (reading_) StartRead(&read_);
  if (commands == 0) advance(std::move(lock));
}

void BatchStream::acknowledged(std::uint64_t token, std::span<const Acknowledgement> acks) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    CHECK(token >= first_token_ && token - first_token_ < window_.size(), "an answer to batch %llu, which is not waiting",
          static_cast<unsigned long long>(token));
    Entry& entry = *window_[token - first_token_];
    take_acks(entry.batch, acks);
    entry.answered = true;
    if (writing_ || token != first_token_) return;  // OnWriteDone comes to it
  }
  calls_.outbox.post(shared_from_this());
}

void BatchStream::abandoned(std::uint64_t token, const Status& why) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    Entry& entry = *window_[token - first_token_];
    entry.answered = entry.abandoned = true;
    if (!ended_ || end_.ok()) end_ = to_grpc(why);
    ended_ = true;
  }
  calls_.outbox.post(shared_from_this());
}

void BatchStream::flush() { advance(std::unique_lock(mutex_)); }

void BatchStream::advance(std::unique_lock<std::mutex> lock) {
  if (finished_ || writing_) return;
  if (window_.empty()) {
    if (ended_) end(std::move(lock), end_);
    return;
  }
  Entry& front = *window_.front();
  if (!front.answered) return;
  if (front.abandoned) {
    end(std::move(lock), end_);
    return;
  }
  writing_ = true;
  const bool more = window_.size() > 1 && window_[1]->answered;
  lock.unlock();

  fill_answer(front.batch, answer_);
  write_ = to_bytes(answer_);
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  lock.lock();
  if (!finished_) StartWrite(&write_, options);
}

void BatchStream::pop_answered() {
  std::unique_ptr<Entry> front = std::move(window_.front());
  window_.pop_front();
  ++first_token_;
  const std::size_t bytes = front->batch.wire.size();
  window_bytes_ -= bytes;
  calls_.unanswered_bytes -= bytes;
  if (free_.size() < kMostFree && front->batch.wire.capacity() <= kMostFreeBytes) free_.push_back(std::move(front));
}

void BatchStream::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (finished_) return;
  if (!ok) {
    end(std::move(lock), grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone"));
    return;
  }
  pop_answered();
  if (!reading_ && !ended_ && window_open()) {
    reading_ = true;
    StartRead(&read_);
  }
  advance(std::move(lock));
}

void BatchStream::end(std::unique_lock<std::mutex> lock, grpc::Status status) {
  finished_ = ended_ = true;
  calls_.unanswered_bytes -= std::exchange(window_bytes_, 0);
  lock.unlock();
  Finish(std::move(status));
}

void BatchStream::drain() {
  std::unique_lock lock(mutex_);
  if (ended_) return;
  ended_ = true;
  end_ = shutting_down();
  advance(std::move(lock));
}

void BatchStream::OnCancel() {
  std::unique_lock lock(mutex_);
  if (finished_) return;
  end(std::move(lock), grpc::Status(grpc::StatusCode::CANCELLED, "cancelled"));
}

void BatchStream::OnDone() { done(); }

}  // namespace halocline::rpc
