// The subscriptions to continuous queries. Each is begun by the engine at a seq of its own, with the answer at that seq, and gets
// what every later seq did to it, all of a seq at once, when that is durable; the block order of the pipeline is what leaves no gap
// and no overlap.
//
// A subscription whose offer() finds no room is cut: ended(kResourceExhausted). One whose query is beyond a bound ends alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "command/port.h"
#include "engine/queries/live_queries.h"
#include "server/metrics.h"

namespace halocline {

struct Watch {
  std::shared_ptr<const queries::Plan> plan;
  std::shared_ptr<QuerySubscriber> subscriber;
  std::atomic<bool> gone{false};  // ended, or unwatched: it is called no more

  // By the engine, at its turn.
  queries::LiveQueries::Id query = 0;  // 0: refused
  Status refusal;
  QueryStart start;
};

class Watches {
 public:
  Watches(std::size_t most, NamedCounters& counters) : most_(most), counters_(counters) {}

  // A new subscription; nullptr when there are too many. Any thread.
  std::shared_ptr<Watch> add(std::shared_ptr<const queries::Plan> plan, std::shared_ptr<QuerySubscriber> subscriber);
  // No call begins after it returns (one under way on another thread may end later). Any thread.
  void remove(const QuerySubscriber* subscriber);
  std::size_t size() const;

  // The engine's thread: gives each its query and the answer; lets go of those nobody watches any more.
  void begin(std::span<const std::shared_ptr<Watch>> watches, queries::LiveQueries& live, Seq seq, Nanos time);
  void let_go(queries::LiveQueries& live);

  // The publisher's thread.
  void start(const std::shared_ptr<Watch>& watch);
  void offer(std::span<const queries::LiveEvents> events);
  void progress(Seq seq, Nanos time);  // everything up to seq has been offered; tells some of them, in turn
  bool must_prune() const { return prune_.load(); }
  void prune();

  // All that are left end with `why`. After the publisher's thread.
  void end_all(const Status& why);

 private:
  void end(Watch& watch, const Status& why);

  const std::size_t most_;
  NamedCounters& counters_;
  std::unordered_map<queries::LiveQueries::Id, std::vector<std::shared_ptr<Watch>>> live_;  // the publisher's
  std::deque<std::shared_ptr<Watch>> turns_;  // all of live_, in the order in which they are told of progress; the publisher's
  std::atomic<bool> prune_{false};
  std::atomic<bool> any_finished_{false};

  mutable std::mutex mutex_;
  std::unordered_map<const QuerySubscriber*, std::shared_ptr<Watch>> watches_;
  std::vector<queries::LiveQueries::Id> finished_;  // for the engine to let go of
};

}  // namespace halocline
