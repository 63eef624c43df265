// What TradeStream and PriceStream have in common: items go out in batches over a bidirectional gRPC stream, stay here until the
// server has answered for them, and go out again, in order, after a break. Used through those two.
//
// Batches are kept as the bytes that are sent: an item is encoded once, whatever becomes of the connection, and costs no
// allocation. A batch is sealed when it is full, or when the stream is free to write, `linger` has passed, and no answer is awaited:
// what comes meanwhile keeps company until the answer is there, so that batches grow with the load by themselves. An answer that is late
// is not waited for longer than `late_answer`; a batch goes then, and the next waits for as long: more batches would make a busy server
// busier. Only where the quickest answer takes longer than `quick_answer`, because the server is far, up to `eager_batches` go without
// waiting.
//
// Threads: add(), flush(), close(), counts() on any thread. on_acks runs on gRPC's threads, one call at a time, in the order of
// add(); it must not block for long, and must not call add() with wait, flush() or close(). The destructor cancels what is
// unanswered and waits for a running callback, so it must not run inside one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <google/protobuf/message_lite.h>

#include "base/status.h"
#include "halocline/v1/ingest.pb.h"

namespace halocline {

// What became of one item. The texts live until the callback returns.
struct StreamAck {
  std::uint64_t token = 0;        // as given with the item
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  std::uint64_t seq = 0;          // its place in the journal; 0: refused before it became a command
  std::uint64_t first_seq = 0;    // DUPLICATE: where that version was accepted
  std::string_view detail;        // a refusal's reason
  bool superseded = false;        // PriceStream only: not sent again after a break, as a later price of the same name was
};

struct StreamOptions {
  using Duration = std::chrono::nanoseconds;

  std::size_t max_unanswered = 65'536;    // items added and not answered; beyond, adding waits
  std::size_t max_batch_items = 1'024;    // the server takes up to 4096
  std::size_t max_batch_bytes = 96 << 10;  // the server takes up to 256 KiB
  Duration late_answer = std::chrono::milliseconds(8);   // a batch that is not full goes so long after the last one, if that is unanswered,
  Duration quick_answer = std::chrono::milliseconds(2);  // and at once to a server that never answers sooner than this;
  std::size_t eager_batches = 8;                         // never when so many are unanswered
  Duration linger{0};                     // how long the first item of a batch may wait for company
  Duration first_backoff = std::chrono::milliseconds(20);  // after a break; doubles up to
  Duration last_backoff = std::chrono::seconds(1);
  Duration give_up_after{0};              // a break fails the stream when the server owes answers for so long; 0: never
  // Told of every break, and of every attempt that failed, with its cause, before the next one. On a thread of the stream's.
  std::function<void(const Status&)> on_break;
};

struct StreamCounts {
  std::uint64_t added = 0;
  std::uint64_t answered = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t batches = 0;  // sent, resent ones included
  std::uint64_t resent = 0;   // items that went out again after a break
  std::uint64_t breaks = 0;   // connections lost after an answer came over them
};

class BatchStream {
 public:
  using AckCallback = std::function<void(std::span<const StreamAck>)>;
  static constexpr std::size_t kMaxItemBytes = 2'048;

  enum class Replay { kEverything, kLatestOnly };
  enum class Added { kDone, kFull, kFailed };

  // Connects at once, in the background. `method` is a gRPC method path, a literal.
  BatchStream(std::string server, const char* method, Replay replay, StreamOptions options, AckCallback on_acks);
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  // Takes an item for `field` (2 or 3) of the batch message; its encoded size is at most kMaxItemBytes (CHECKed). Without
  // `wait`, kFull when max_unanswered items are unanswered. kFailed: see failure().
  Added add(int field, const google::protobuf::MessageLite& item, std::uint64_t token, bool wait);

  // Waits until everything added before is answered. kUnavailable when that takes longer, or why the stream has failed.
  Status flush(std::chrono::nanoseconds timeout);
  // Flushes, then ends the stream; nothing can be added any more. The same failures.
  Status close(std::chrono::nanoseconds timeout);

  StreamCounts counts() const;
  // Why the stream takes no more: closed, refused for good by the server, or given up.
  Status failure() const;

 private:
  class Connection;
  using Clock = std::chrono::steady_clock;

  // Encoded items, in order, after room for the batch id. Answered in the order of all items of field 2, then all of field 3.
  struct Batch {
    std::uint64_t id = 0;
    bool sent_before = false;
    std::string bytes;
    std::vector<std::uint64_t> tokens[2];
    Clock::time_point opened, written;
    std::size_t items() const { return tokens[0].size() + tokens[1].size(); }
  };
  using BatchPtr = std::unique_ptr<Batch>;
  using Lock = std::unique_lock<std::mutex>;

  void append(Batch& batch, int field, const google::protobuf::MessageLite& item, std::size_t size, std::uint64_t token);
  BatchPtr new_batch();
  void recycle(BatchPtr batch);
  void seal();
  Clock::time_point may_seal_at() const;
  bool may_write() const;
  bool fill_write();                  // chooses the connection's next write; true: start it, without the lock
  void write_and_unlock(Lock& lock);  // starts the next write, if there is one to start
  void answered(const v1::TradeAcks& acks);
  void note_answer_time(Clock::duration took);
  bool build_answers(const Batch& batch, const v1::TradeAcks& acks);
  void disconnected(Connection* connection, const Status& status, bool permanent);
  void keep_latest_only(std::vector<std::uint64_t>& superseded);
  void supervise();
  void fail(Status status);

  const std::string server_;
  const std::string method_;
  const Replay replay_;
  const StreamOptions options_;
  const AckCallback on_acks_;

  mutable std::mutex mutex_;
  std::condition_variable room_;      // items were answered, or the stream failed
  std::condition_variable wake_;      // the supervisor has something to do
  std::deque<BatchPtr> batches_;      // sealed and unanswered, the oldest first
  std::size_t written_ = 0;           // so many of them went out over the current connection
  BatchPtr open_;                     // takes items
  std::vector<BatchPtr> spare_;
  std::uint64_t next_batch_id_ = 1;
  std::size_t waiting_ = 0;           // threads waiting for room_
  bool flushing_ = false;
  bool closing_ = false;
  bool stopping_ = false;
  Status failure_;
  StreamCounts counts_;
  Connection* connection_ = nullptr;  // deletes itself when gRPC is done with it
  Clock::time_point next_attempt_{};
  Clock::time_point waiting_since_{};  // the last answer, or when something became unanswered
  Clock::duration quickest_{};         // from a write to its answer: the least lately; zero before the first
  bool watching_ = false;              // the supervisor looks at the open batch again, at some time not after it may be sealed
  Clock::duration backoff_{};

  std::vector<StreamAck> answers_;    // of the batch being handed to on_acks_
  std::thread supervisor_;
};

}  // namespace halocline
