// The subscriptions to continuous queries. Each is begun by the engine at a seq of its own, with the answer at that seq, and gets
// what every later seq did to it, all of a seq at once, when that is durable; the block order of the pipeline is what leaves no gap
// and no overlap.
//
// One that goes on after a bookmark gets no answer but what every seq after the bookmark did: from the recent events if they reach back
// so far, else from the journal, read again aside (reruns.h), until the recent events do. It comes in pieces of at most half of what
// a gateway keeps, each when the one before was let go of, so a slow reader is slowed and not cut while it catches up.
//
// A subscription whose offer() finds no room is cut: ended(kResourceExhausted). One whose query is beyond a bound ends alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "command/port.h"
#include "engine/engine.h"
#include "engine/queries/live_queries.h"
#include "server/metrics.h"
#include "server/recent_events.h"

namespace halocline {

struct Watch {
  std::string name;  // of a query that has one; its plan is known when it has begun
  std::shared_ptr<const queries::Plan> plan;
  std::shared_ptr<QuerySubscriber> subscriber;
  std::optional<Seq> after;        // a bookmark
  bool indexed = false;            // changed rows are found by an index: to keep it up costs others nothing
  std::atomic<bool> gone{false};   // ended, or unwatched: it is called no more

  // By the engine, at its turn.
  enum class Begun : std::uint8_t { kRefused, kPutOff, kReadAside, kAnswered };
  Begun begun = Begun::kRefused;  // kPutOff, kReadAside: first_answers.h has it next
  queries::LiveQueries::Id query = 0;
  Seq created = 0;  // of a query that has a name
  Status refusal;
  QueryStart start;
  Seq live_since = 0;  // the events of later seqs have all been offered

  // By whoever gives it events: the publisher, or, while it catches up, the rerun or who reads its answer aside.
  bool started = false;
  // Everything up to it has been offered, while it catches up and when it had. The journal, read aside, may be ahead of the publisher.
  Seq position = 0;

  // The publisher's.
  bool caught_up = false;
  Status end_when_caught_up;
};

// Events that go out together; `let_go` runs when their receiver needs none of them any more, on whatever thread that is.
struct EventPiece {
  std::vector<std::shared_ptr<const QueryEvents>> events;
  std::function<void()> let_go;
  ~EventPiece() {
    if (let_go) let_go();
  }
};
// False: no room.
bool offer_piece(QuerySubscriber& subscriber, const std::shared_ptr<EventPiece>& piece);

class Watches {
 public:
  struct Options {
    std::size_t most = limits::kMaxLiveQueries;
    std::size_t piece = 2'048;                                      // events
    std::size_t recent_bytes = limits::kMaxRecentEventBytes;
    Seq serving_since = 0;                                          // the events of later seqs come by offer()
    std::function<void(std::shared_ptr<Watch>)> rerun;              // catches up from the journal; none: nothing is kept there
    std::function<void()> ring;                                     // wakes the publisher
  };
  Watches(Options options, NamedCounters& counters);

  // A new subscription; nullptr when there are too many. Any thread.
  std::shared_ptr<Watch> add(std::string name, std::shared_ptr<const queries::Plan> plan, std::optional<Seq> after,
                             std::shared_ptr<QuerySubscriber> subscriber);
  // No call begins after it returns (one under way on another thread may end later). Any thread.
  void remove(const QuerySubscriber* subscriber);
  std::size_t size() const;

  // The engine's thread: gives each its query and the answer, where these can be had at once; those whose query was prepared, or could not
  // be; lets go of those nobody watches any more.
  void begin(std::span<const std::shared_ptr<Watch>> watches, Engine& engine);
  void begin_prepared(Watch& watch, const Status& prepared, Engine& engine);
  void let_go(queries::LiveQueries& live);

  // The publisher's thread.
  void start(const std::shared_ptr<Watch>& watch);
  void offer(const queries::ToldEvents& events);
  void dropped(const std::string& name, Seq seq);
  // Everything up to seq has been offered; `now` is the monotonic clock. Tells some of them, in turn; whether all have been told.
  bool progress(Seq seq, Nanos time, std::int64_t now);
  bool must_attend() const { return prune_.load() || any_waiting_.load(); }
  void attend();  // to those that ended, and those that wait to go on

  // For a rerun, who read its answer, or whoever let go of a piece: `watch` has all up to its position, and wants to go on from the recent
  // events. `verdict` is told whether they reach back so far; without one, and when they do not, it is rerun. Any thread.
  void go_on(std::shared_ptr<Watch> watch, std::function<void(bool)> verdict = {}) { waiting_->add(std::move(watch), std::move(verdict)); }
  // By whoever gives it events: the reason is said, if nobody said another before.
  void end(Watch& watch, const Status& why);
  void cut(Watch& watch, Seq before);

  // All that are left end with `why`. After the publisher's thread.
  void end_all(const Status& why);

 private:
  using Id = queries::LiveQueries::Id;
  // Those that wait to go on; it may outlive the Watches, in what a gateway has not let go of.
  struct Waiting {
    struct One {
      std::shared_ptr<Watch> watch;
      std::function<void(bool)> verdict;
    };
    void add(std::shared_ptr<Watch> watch, std::function<void(bool)> verdict);

    std::mutex mutex;
    std::vector<One> all;
    std::atomic<bool>* any = nullptr;  // nullptr: it is too late
    std::function<void()> ring;
  };
  struct Orphan {
    Id query;
    std::int64_t since;
    bool indexed;
  };

  bool may_begin(Watch& watch, const Engine& engine);
  void begin_named(Watch& watch, const Engine& engine);
  void begin_live(Watch& watch, Engine& engine);
  bool go_on_from_recent(const std::shared_ptr<Watch>& watch);
  bool may_keep(bool indexed) const;
  void prune();
  void finish(std::vector<Id> finished);

  const Options options_;
  NamedCounters& counters_;
  std::unordered_map<Id, std::vector<std::shared_ptr<Watch>>> live_;  // the publisher's, as the next six
  std::deque<std::shared_ptr<Watch>> turns_;  // all of live_, in the order in which they are told of progress
  Seq marked_ = 0;                            // the last mark of progress …
  Nanos marked_time_ = 0;
  std::size_t unmarked_ = 0;                  // … and how many have not been told it
  RecentEvents recent_;
  std::deque<Orphan> orphans_;  // queries that nobody watches just now; their events are kept for a while
  std::int64_t now_ = 0;
  std::atomic<bool> prune_{false};
  std::atomic<bool> any_finished_{false};
  std::atomic<bool> any_waiting_{false};
  const std::shared_ptr<Waiting> waiting_;

  mutable std::mutex mutex_;
  std::unordered_map<const QuerySubscriber*, std::shared_ptr<Watch>> watches_;
  std::vector<Id> finished_;  // for the engine to let go of
};

}  // namespace halocline
