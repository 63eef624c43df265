// The port between the gateways and the core: commands in, acknowledgements, alerts and rows out. Implemented by
// server/, used by every gateway; neither knows the other.
//
// Promise: nothing that comes out of it (acknowledgement, alert, row) was caused by a record that is not yet durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "command/alert.h"
#include "command/as_of.h"
#include "command/fix.h"
#include "command/outcome.h"
#include "command/query.h"
#include "command/rows.h"

namespace halocline {

struct Acknowledgement {
  Seq seq = 0;
  Seq first_seq = 0;  // for DUPLICATE: the seq at which that version was accepted; else 0
  Outcome outcome = Outcome::kNone;
};

// Who waits for acknowledgements. Called on one core thread at a time, in the order of submission, once for each
// submission, all its commands at once. Must not block and must not throw.
class AckSink {
 public:
  virtual ~AckSink() = default;
  virtual void acknowledged(std::uint64_t token, std::span<const Acknowledgement> acks) = 0;
  // The core stopped before these became durable: whether they are in the journal is not known to the sender.
  virtual void abandoned(std::uint64_t token, const Status& why) = 0;
};

// One or more encoded commands (command/codec.h, append_record) that get consecutive seqs and the same time.
struct Submission {
  std::vector<std::byte> records;  // at most limits::kMaxSubmissionBytes
  std::uint32_t count = 0;         // how many commands; at least 1
  std::shared_ptr<AckSink> sink;
  std::uint64_t token = 0;         // handed back with the acknowledgements
  std::int64_t received = 0;       // monotonic ns when the bytes arrived, for the latency histograms
};

// Who follows the alerts. All calls on core threads, none of them may block.
class AlertSubscriber {
 public:
  virtual ~AlertSubscriber() = default;
  // First call, once: the events after the bookmark up to `complete_to` (an event id), in order. Later events follow
  // by offer() without gap or overlap.
  virtual void started(std::vector<AlertEvent> backlog, std::uint64_t complete_to, Seq seq) = 0;
  // The next event, shared by all subscribers. False: no room, cut me; nothing comes after that.
  virtual bool offer(const std::shared_ptr<const AlertEvent>& event) = 0;
  // It ends: a bookmark out of range, cut (kResourceExhausted), or shutting down (kUnavailable). Last call.
  virtual void ended(const Status& why) = 0;
};

// What is to be watched: an SQL text, or a query by its name.
struct WatchRequest {
  std::string sql;
  QueryParameters parameters;
  std::string name;          // of a query that CREATE made; sql and parameters are empty then
  std::optional<Seq> after;  // a bookmark: no answer, but all that the seqs after it did
};

// Where a subscription to a continuous query begins: the answer at seq, in its order, each row with the key its events have; or, when it
// goes on after a bookmark, the bookmark as seq, no rows and no time.
struct QueryStart {
  std::vector<ColumnType> columns;
  std::vector<KeptRow> rows;
  Seq seq = 0;
  Nanos time = 0;
  bool goes_on = false;
};

// Who watches a continuous query. All calls on core threads, none of them may block.
class QuerySubscriber {
 public:
  virtual ~QuerySubscriber() = default;
  // First call, once.
  virtual void started(QueryStart start) = 0;
  // All that a later seq did to the answer, shared by all subscribers. False: no room, cut me; nothing comes after that.
  virtual bool offer(const std::shared_ptr<const QueryEvents>& events) = 0;
  // Everything up to seq has been offered.
  virtual void progress(Seq seq, Nanos time) = 0;
  // It ends: refused, cut or beyond a bound (kResourceExhausted), or shutting down (kUnavailable). Last call.
  virtual void ended(const Status& why) = 0;
};

// Delivers what the core told sinks and subscribers of a gateway. When little is under way the core would rather have it done on the
// thread that tells, than wait for another to wake: what it tells between the two calls is kept for the second. Called on core threads;
// must not block.
class Courier {
 public:
  virtual ~Courier() = default;
  virtual void gather() = 0;
  virtual void deliver() = 0;
};

// A latency histogram's summary, in nanoseconds.
struct LatencyRow {
  std::string stage;
  std::uint64_t count = 0;
  std::int64_t p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
};

struct QueueRow {
  std::string name;
  std::uint64_t depth = 0;
  std::uint64_t capacity = 0;
  std::uint64_t highest = 0;
};

struct CounterRow {
  std::string name;
  std::uint64_t value = 0;
};

struct StatusReport {
  std::string version;
  std::string durability;  // "fsync", "os", "memory"
  std::string data_directory;
  std::string state;  // "recovering", "serving", "draining"
  std::int64_t uptime = 0;  // ns
  Seq last_seq = 0;     // applied
  Seq durable_seq = 0;
  Nanos last_time = 0;
  std::uint64_t last_event_id = 0;
  std::uint64_t trades = 0, live_trades = 0, nodes = 0, instruments = 0, limits = 0, active_alerts = 0, subscribers = 0;
  std::uint64_t journal_bytes = 0, journal_segments = 0, journal_blocks = 0, journal_syncs = 0;
  std::uint64_t memory_bytes = 0;  // resident
  std::int64_t recovery_time = 0;  // ns the start spent on the journal
  std::uint64_t recovered_records = 0;
  std::vector<LatencyRow> latencies;
  std::vector<QueueRow> queues;
  std::vector<CounterRow> counters;  // outcomes by name, rejected requests, cut subscribers, …
  std::string state_digest;          // only when asked for: it reads the whole state
};

class Port {
 public:
  virtual ~Port() = default;

  // Hands a submission to the sequencer. Blocks while the bounded queue is full: that is the back-pressure, so call it
  // where waiting slows the sender and nobody else. Any thread. kUnavailable when shutting down: then the sink is not called.
  virtual Status submit(Submission submission) = 0;

  // Reads. Each is exact at a seq that is at least that of every command submitted before the call by the same
  // thread, and is answered after that seq is durable. The callback runs on a reader thread (or at once, with a failure).
  // With an AsOf it is what the same read gave at that instant, or would have, worked out from the journal aside, or what was effective at
  // a time as known then: kOutOfRange when the instant is in the future, before the first command or no longer in the journal;
  // kInvalidArgument when its text says no time.
  template <class T>
  using Reply = std::function<void(Result<At<T>>)>;
  virtual void positions(AsOf as_of, PositionFilter filter, Reply<std::vector<PositionRow>> reply) = 0;
  virtual void nodes(AsOf as_of, NodeFilter filter, Reply<std::vector<NodeRow>> reply) = 0;
  virtual void limits(AsOf as_of, Reply<std::vector<LimitRow>> reply) = 0;
  virtual void alerts(AsOf as_of, AlertFilter filter, Reply<std::vector<AlertRow>> reply) = 0;
  virtual void reference(AsOf as_of, Reply<ReferenceRows> reply) = 0;
  virtual void trade(AsOf as_of, std::string source, std::string trade_id, Reply<std::vector<TradeRow>> reply) = 0;
  virtual void status(bool with_digest, Reply<StatusReport> reply) = 0;
  // kInvalidArgument with line, column and caret when the text is wrong; kResourceExhausted when the answer is beyond a bound.
  // A text that says AS OF or EFFECTIVE AT itself is not to be given another one.
  virtual void query(AsOf as_of, std::string sql, QueryParameters parameters, Reply<QueryRows> reply) = 0;

  // What the journal knows of the FIX sessions, and their messages of numbers from..to (in order, the first `most`).
  virtual void fix_ledger(Reply<FixLedger> reply) = 0;
  virtual void fix_sent(std::string session, std::uint32_t from, std::uint32_t to, std::size_t most,
      Reply<std::vector<FixSentRow>> reply) = 0;

  // Who delivers what the core tells where it has nothing else to do; nullptr takes it away, after which no call to it is under way. Any
  // thread.
  virtual void set_courier(Courier* courier) = 0;

  // The desk that runs the FIX sessions, from its gateway; nullptr takes it away, after which no call to it is under way. Any thread.
  virtual void set_fix_desk(FixDesk* desk) = 0;
  // What the desk says; kNotFound when there is none. Any thread.
  virtual Result<std::vector<FixSessionRow>> fix_sessions() = 0;
  virtual void fix_reset(const std::string& session, std::function<void(const Status&)> done) = 0;

  // Follows the alerts with event id above `bookmark`; `from_now` ignores it and starts after the newest. The subscriber is
  // kept until ended() or unfollow().
  virtual void follow_alerts(std::uint64_t bookmark, bool from_now, std::shared_ptr<AlertSubscriber> subscriber) = 0;
  virtual void unfollow(const AlertSubscriber* subscriber) = 0;

  // Watches a query: what run once gives at some seq, then what each later seq does to it, when that is durable; or all that the seqs
  // after a bookmark did, then the same. Refusals of the text come at once; kNotFound: no query of that name, also when it is dropped
  // later; kOutOfRange: the bookmark is newer than the newest seq, or the journal keeps nothing to go back to; kFailedPrecondition: the
  // query of that name was made after the bookmark. The subscriber is kept until ended() or unwatch().
  virtual void watch(WatchRequest request, std::shared_ptr<QuerySubscriber> subscriber) = 0;
  virtual void unwatch(const QuerySubscriber* subscriber) = 0;

  // Adds to a counter that status shows, for what a gateway refuses before it becomes a command. Any thread.
  virtual void count(const char* counter, std::uint64_t add) = 0;
};

}  // namespace halocline
