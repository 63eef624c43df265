#include "client/batch_stream.h"

#include <algorithm>
#include <random>
#include <unordered_set>
#include <utility>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include "client/channel.h"

namespace halocline {
namespace {

constexpr std::size_t kSpareBatches = 64;
constexpr auto kPoliteEnd = std::chrono::seconds(1);  // how long close() lets the server end the call

// batch_id is field 1, a varint; it is written in its longest form into room kept at the front.
constexpr std::size_t kBatchIdBytes = 11;

void write_batch_id(std::string& bytes, std::uint64_t id) {
  bytes[0] = 0x08;
  for (std::size_t i = 1; i < kBatchIdBytes; ++i) {
    bytes[i] = static_cast<char>((id & 0x7f) | (i + 1 < kBatchIdBytes ? 0x80 : 0));
    id >>= 7;
  }
}

// A growing wait after failures, a quarter more or less by chance so that a crowd of clients spreads.
std::chrono::nanoseconds jittered(std::chrono::nanoseconds wait) {
  thread_local std::minstd_rand random(std::random_device{}());
  return wait * (75 + static_cast<int>(random() % 51)) / 100;
}

}  // namespace

// One call of the streaming method, from start to OnDone. A hold keeps it alive for writes that begin on users' threads;
// it is let go of when the call is broken and no write is under way.
class BatchStream::Connection final : public grpc::ClientBidiReactor<grpc::ByteBuffer, v1::TradeAcks> {
 public:
  Connection(BatchStream& stream, const std::shared_ptr<grpc::Channel>& channel) : stream_(stream), stub_(channel) {
    stub_.PrepareBidiStreamingCall(&context_, stream.method_, {}, this);
  }

  // Without the lock. Counts as a write under way, so that the first real one comes after it.
  void start() {
    AddHold();
    StartRead(&acks_);
    StartCall();
    OnWriteDone(true);
  }
  void write() { StartWrite(&buffer_); }
  void cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (ok) {
      stream_.answered(acks_);
      StartRead(&acks_);
      return;
    }
    Lock lock(stream_.mutex_);
    broken = true;
    release(lock);
  }

  void OnWriteDone(bool ok) override {
    Lock lock(stream_.mutex_);
    writing = false;
    if (!ok) broken = true;
    if (stream_.closing_) stream_.room_.notify_all();
    if (broken) return release(lock);
    stream_.write_and_unlock(lock);
  }

  void OnWritesDoneDone(bool) override {
    Lock lock(stream_.mutex_);
    writing = false;
    release(lock);
  }

  void OnDone(const grpc::Status& status) override {
    const Status why = status.ok() ? Status(Code::kUnavailable, stream_.server_ + " ended the stream")
                                   : status_from(status, stream_.server_);
    stream_.disconnected(this, why, !may_work_later(status));
  }

  // All guarded by the stream's mutex.
  bool writing = true;      // the start or a write is under way, or about to be
  bool broken = false;      // nothing will be read or written any more
  bool greeted = false;     // an answer came over it
  bool ending = false;      // WritesDone was sent
  grpc::ByteBuffer buffer_;

 private:
  void release(Lock& lock) {
    const bool let_go = broken && !writing && std::exchange(held_, false);
    lock.unlock();
    if (let_go) RemoveHold();
  }

  BatchStream& stream_;
  grpc::ClientContext context_;
  grpc::TemplatedGenericStub<grpc::ByteBuffer, v1::TradeAcks> stub_;
  v1::TradeAcks acks_;
  bool held_ = true;
};

BatchStream::BatchStream(std::string server, const char* method, Replay replay, StreamOptions options,
                         AckCallback on_acks)
    : server_(std::move(server)), method_(method), replay_(replay), options_(std::move(options)),
      on_acks_(std::move(on_acks)) {
  CHECK(options_.max_unanswered > 0 && options_.max_batch_items > 0 && options_.eager_batches > 0);
  CHECK(options_.max_batch_bytes >= 2 * kMaxItemBytes);
  open_ = new_batch();
  backoff_ = options_.first_backoff;
  next_attempt_ = Clock::now();
  supervisor_ = std::thread([this] { supervise(); });
}

BatchStream::~BatchStream() {
  {
    Lock lock(mutex_);
    stopping_ = true;
    if (failure_.ok()) failure_ = Status(Code::kFailedPrecondition, "the stream is closed");
    if (connection_ != nullptr) connection_->cancel();
    wake_.notify_all();
    room_.notify_all();
  }
  supervisor_.join();
}

BatchStream::Added BatchStream::add(int field, const google::protobuf::MessageLite& item, std::uint64_t token, bool wait) {
  const std::size_t size = item.ByteSizeLong();
  CHECK(size <= kMaxItemBytes, "an item of %zu bytes", size);
  Lock lock(mutex_);
  if (counts_.unanswered >= options_.max_unanswered && failure_.ok()) {
    if (!wait) return Added::kFull;
    ++waiting_;
    room_.wait(lock, [&] { return counts_.unanswered < options_.max_unanswered || !failure_.ok(); });
    --waiting_;
  }
  if (!failure_.ok()) return Added::kFailed;
  if (open_->items() == options_.max_batch_items || open_->bytes.size() + size + 8 > options_.max_batch_bytes) seal();
  const bool first = open_->items() == 0;
  append(*open_, field, item, size, token);
  ++counts_.added;
  if (counts_.unanswered++ == 0) waiting_since_ = Clock::now();
  if (first) open_->opened = Clock::now();
  write_and_unlock(lock);
  return Added::kDone;
}

void BatchStream::append(Batch& batch, int field, const google::protobuf::MessageLite& item, std::size_t size,
                         std::uint64_t token) {
  std::uint8_t head[8];
  head[0] = static_cast<std::uint8_t>(field << 3 | 2);  // length-delimited
  const std::uint8_t* head_end = google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(
      static_cast<std::uint32_t>(size), head + 1);
  const auto head_size = static_cast<std::size_t>(head_end - head);
  const std::size_t at = batch.bytes.size();
  batch.bytes.append(reinterpret_cast<const char*>(head), head_size);
  batch.bytes.resize(at + head_size + size);
  item.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(batch.bytes.data()) + at + head_size);
  batch.tokens[field - 2].push_back(token);
}

BatchStream::BatchPtr BatchStream::new_batch() {
  BatchPtr batch;
  if (!spare_.empty()) {
    batch = std::move(spare_.back());
    spare_.pop_back();
  } else {
    batch = std::make_unique<Batch>();
  }
  batch->bytes.assign(kBatchIdBytes, '\0');
  batch->tokens[0].clear();
  batch->tokens[1].clear();
  batch->sent_before = false;
  return batch;
}

void BatchStream::recycle(BatchPtr batch) {
  if (spare_.size() < kSpareBatches) spare_.push_back(std::move(batch));
}

void BatchStream::seal() {
  open_->id = next_batch_id_++;
  write_batch_id(open_->bytes, open_->id);
  batches_.push_back(std::move(open_));
  open_ = new_batch();
}

// When the open batch, which has items, may go although it is not full; max: when something is answered, and not before.
BatchStream::Clock::time_point BatchStream::may_seal_at() const {
  if (flushing_) return Clock::time_point::min();
  if (written_ >= options_.eager_batches) return Clock::time_point::max();
  const Clock::time_point lingered = open_->opened + options_.linger;
  if (written_ == 0 || quickest_ > options_.quick_answer) return lingered;
  return std::max<Clock::time_point>(lingered, batches_[written_ - 1]->written + options_.late_answer);
}

bool BatchStream::may_write() const {
  return connection_ != nullptr && !connection_->writing && !connection_->broken && !connection_->ending;
}

bool BatchStream::fill_write() {
  if (!may_write()) return false;
  const Clock::time_point now = Clock::now();
  if (written_ == batches_.size()) {
    if (open_->items() == 0) return false;
    const Clock::time_point at = may_seal_at();
    if (at > now) {
      if (at != Clock::time_point::max() && !std::exchange(watching_, true)) wake_.notify_all();
      return false;
    }
    seal();
  }
  Batch& batch = *batches_[written_++];
  // One copy, so that the bytes gRPC still holds after a break are its own.
  grpc::Slice slice(batch.bytes);
  grpc::ByteBuffer buffer(&slice, 1);
  connection_->buffer_.Swap(&buffer);
  connection_->writing = true;
  batch.written = now;
  ++counts_.batches;
  if (batch.sent_before) counts_.resent += batch.items();
  batch.sent_before = true;
  return true;
}

void BatchStream::write_and_unlock(Lock& lock) {
  const bool start = fill_write();
  Connection* connection = connection_;
  lock.unlock();
  if (start) connection->write();  // alive: `writing` keeps its hold
}

// The statuses of the batch's items into answers_. False when the answer does not fit the batch.
bool BatchStream::build_answers(const Batch& batch, const v1::TradeAcks& acks) {
  answers_.clear();
  std::uint64_t next_seq = acks.first_seq();
  int next_exception = 0;
  for (std::size_t i = 0; i < batch.items(); ++i) {
    StreamAck answer;
    answer.token = i < batch.tokens[0].size() ? batch.tokens[0][i] : batch.tokens[1][i - batch.tokens[0].size()];
    answer.outcome = v1::ACCEPTED;
    if (next_exception < acks.exceptions_size() && acks.exceptions(next_exception).index() == i) {
      const v1::Ack& ack = acks.exceptions(next_exception++).ack();
      answer.outcome = ack.outcome();
      answer.first_seq = ack.first_seq();
      answer.detail = ack.detail();
      if (ack.seq() == 0) {
        answers_.push_back(answer);
        continue;
      }
      if (ack.seq() != next_seq) return false;
    }
    answer.seq = next_seq++;
    answers_.push_back(answer);
  }
  return next_exception == acks.exceptions_size();
}

// On the connection's thread.
void BatchStream::answered(const v1::TradeAcks& acks) {
  Lock lock(mutex_);
  if (connection_->broken) return;  // after a wrong answer
  if (written_ == 0 || batches_.front()->id != acks.batch_id()) {
    fail(Status(Code::kInternal, server_ + " answered batch " + std::to_string(acks.batch_id()) +
                                     (written_ == 0 ? ", and none was unanswered"
                                                    : ", expected " + std::to_string(batches_.front()->id))));
    return;
  }
  BatchPtr batch = std::move(batches_.front());
  batches_.pop_front();
  --written_;
  connection_->greeted = true;
  lock.unlock();

  if (!build_answers(*batch, acks)) {
    lock.lock();
    batches_.push_front(std::move(batch));
    ++written_;
    fail(Status(Code::kInternal, server_ + " gave an answer that does not fit batch " + std::to_string(acks.batch_id())));
    return;
  }
  if (on_acks_) on_acks_(answers_);

  lock.lock();
  counts_.answered += batch->items();
  counts_.unanswered -= batch->items();
  waiting_since_ = Clock::now();
  note_answer_time(waiting_since_ - batch->written);
  recycle(std::move(batch));
  backoff_ = options_.first_backoff;
  if (waiting_ > 0) room_.notify_all();
  write_and_unlock(lock);
}

// Slower ones count little by little, in case the way has become longer; a busy server's answers are late, but not each of them.
void BatchStream::note_answer_time(Clock::duration took) {
  quickest_ = quickest_.count() == 0 || took < quickest_ ? took : quickest_ + (took - quickest_) / 1'024;
}

// The stream takes no more and ends the call.
void BatchStream::fail(Status status) {
  if (failure_.ok()) failure_ = std::move(status);
  if (connection_ != nullptr) {
    connection_->broken = true;
    connection_->cancel();
  }
  room_.notify_all();
  wake_.notify_all();
}

// The connection's last act.
void BatchStream::disconnected(Connection* connection, const Status& status, bool permanent) {
  std::vector<std::uint64_t> superseded;
  bool unwanted = false;
  {
    Lock lock(mutex_);
    unwanted = !stopping_ && !closing_ && failure_.ok();
    if (unwanted && connection->greeted) ++counts_.breaks;
    if (replay_ == Replay::kLatestOnly && !stopping_) keep_latest_only(superseded);
  }
  if (unwanted && options_.on_break) options_.on_break(status);
  if (!superseded.empty() && on_acks_) {
    answers_.clear();
    for (const std::uint64_t token : superseded) {
      StreamAck answer;
      answer.token = token;
      answer.superseded = true;
      answers_.push_back(answer);
    }
    on_acks_(answers_);
  }

  Lock lock(mutex_);
  counts_.answered += superseded.size();
  counts_.unanswered -= superseded.size();
  written_ = 0;
  connection_ = nullptr;
  const Clock::time_point now = Clock::now();
  next_attempt_ = now + jittered(backoff_);
  backoff_ = std::min<Clock::duration>(backoff_ * 2, options_.last_backoff);
  if (permanent) {
    fail(status);
  } else if (options_.give_up_after.count() > 0 && counts_.unanswered > 0 && now - waiting_since_ >= options_.give_up_after) {
    fail(status);
  }
  delete connection;
  room_.notify_all();
  wake_.notify_all();
}

// Packs the unanswered batches anew with the last item of each name only.
void BatchStream::keep_latest_only(std::vector<std::uint64_t>& superseded) {
  if (batches_.empty()) return;
  if (open_->items() > 0) seal();
  struct Kept {
    v1::PriceBatch message;
    std::vector<bool> price, rate;
  };
  std::vector<Kept> kept(batches_.size());
  std::unordered_set<std::string> prices, rates;
  for (std::size_t b = batches_.size(); b-- > 0;) {
    v1::PriceBatch& message = kept[b].message;
    CHECK(message.ParseFromString(batches_[b]->bytes), "a price batch of ours does not parse");
    kept[b].price.resize(static_cast<std::size_t>(message.prices_size()));
    kept[b].rate.resize(static_cast<std::size_t>(message.rates_size()));
    for (int i = message.prices_size(); i-- > 0;) {
      kept[b].price[static_cast<std::size_t>(i)] = prices.insert(message.prices(i).instrument()).second;
    }
    for (int i = message.rates_size(); i-- > 0;) {
      kept[b].rate[static_cast<std::size_t>(i)] = rates.insert(message.rates(i).currency()).second;
    }
  }

  std::deque<BatchPtr> old = std::exchange(batches_, {});
  written_ = 0;
  const auto take = [&](const Batch& from, int field, const google::protobuf::MessageLite& item, std::size_t i, bool keep) {
    const std::uint64_t token = from.tokens[field - 2][i];
    if (!keep) return superseded.push_back(token);
    const std::size_t size = item.ByteSizeLong();
    if (open_->items() == options_.max_batch_items || open_->bytes.size() + size + 8 > options_.max_batch_bytes) seal();
    append(*open_, field, item, size, token);
    open_->sent_before = true;
  };
  for (std::size_t b = 0; b < old.size(); ++b) {
    const v1::PriceBatch& message = kept[b].message;
    for (int i = 0; i < message.prices_size(); ++i) {
      take(*old[b], 2, message.prices(i), static_cast<std::size_t>(i), kept[b].price[static_cast<std::size_t>(i)]);
    }
    for (int i = 0; i < message.rates_size(); ++i) {
      take(*old[b], 3, message.rates(i), static_cast<std::size_t>(i), kept[b].rate[static_cast<std::size_t>(i)]);
    }
  }
  if (open_->items() > 0) seal();
}

// The stream's own thread: connects, and lets batches go that have waited long enough.
void BatchStream::supervise() {
  const std::shared_ptr<grpc::Channel> channel = open_channel(server_);
  Lock lock(mutex_);
  while (true) {
    if (connection_ != nullptr) {
      const Clock::time_point at = open_->items() == 0 ? Clock::time_point::max() : may_seal_at();
      watching_ = at != Clock::time_point::max();
      if (!watching_) {
        wake_.wait(lock);
      } else if (Clock::now() < at) {
        wake_.wait_until(lock, at);
      } else {
        write_and_unlock(lock);
        lock.lock();
        if (connection_ == nullptr || open_->items() == 0 || may_write() || Clock::now() < may_seal_at()) continue;
        watching_ = false;  // not free to write: whoever makes it free sends what is due
        wake_.wait(lock);
      }
      continue;
    }
    if (stopping_) return;
    if (!failure_.ok()) {
      wake_.wait(lock);
    } else if (Clock::now() < next_attempt_) {
      wake_.wait_until(lock, next_attempt_);
    } else {
      Connection* connection = connection_ = new Connection(*this, channel);
      lock.unlock();
      connection->start();
      lock.lock();
    }
  }
}

Status BatchStream::flush(std::chrono::nanoseconds timeout) {
  const Clock::time_point until = Clock::now() + timeout;
  Lock lock(mutex_);
  const std::uint64_t target = counts_.added;
  const auto done = [&] {
    return replay_ == Replay::kEverything ? counts_.answered >= target : counts_.unanswered == 0;
  };
  flushing_ = true;
  write_and_unlock(lock);
  lock.lock();
  ++waiting_;
  room_.wait_until(lock, until, [&] { return done() || !failure_.ok(); });
  --waiting_;
  flushing_ = false;
  if (done()) return ok_status();
  if (!failure_.ok()) return failure_;
  return Status(Code::kUnavailable, std::to_string(counts_.unanswered) + " items are still unanswered by " + server_);
}

Status BatchStream::close(std::chrono::nanoseconds timeout) {
  Status flushed = flush(timeout);
  Lock lock(mutex_);
  closing_ = true;
  if (failure_.ok()) failure_ = Status(Code::kFailedPrecondition, "the stream is closed");
  room_.notify_all();
  const Clock::time_point until = Clock::now() + kPoliteEnd;
  // The write of an answered batch may not have been reported yet.
  room_.wait_until(lock, std::min(until, Clock::now() + std::chrono::milliseconds(50)),
                   [&] { return connection_ == nullptr || !connection_->writing; });
  if (flushed.ok() && connection_ != nullptr && !connection_->writing && !connection_->broken) {
    connection_->writing = connection_->ending = true;
    Connection* connection = connection_;
    lock.unlock();
    connection->StartWritesDone();
    lock.lock();
    room_.wait_until(lock, until, [&] { return connection_ == nullptr; });
  }
  if (connection_ != nullptr) connection_->cancel();
  return flushed;
}

StreamCounts BatchStream::counts() const {
  Lock lock(mutex_);
  return counts_;
}

Status BatchStream::failure() const {
  Lock lock(mutex_);
  return failure_;
}

}  // namespace halocline
