// The followers of the alerts: each gets every event after its bookmark, once and in order, or is told where to resume.
//
// A follower that is nearly up to date (at most kInlineBacklog events behind) is brought up to date by the publisher and is live
// from then on: it is offered each event as it becomes durable. One further behind catches up first, in pieces of at most
// kPiece events on a reader thread, each from a snapshot taken by the engine at its turn; the snapshot is let go before the
// piece is sent. The next piece is asked for when the follower has let go of all events of the last one (they are shared pointers
// into one batch), so neither a huge backlog nor a slow follower needs more memory than one piece, and no newer
// events are held back for it: the later snapshots have them. When a snapshot shows it close enough, it goes live at that
// seq; the block order of the pipeline is what leaves no gap and no overlap.
//
// A live follower whose offer() finds no room is cut: ended(kResourceExhausted) with the bookmark to resume from.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "command/port.h"
#include "engine/engine.h"
#include "server/metrics.h"
#include "server/reader_pool.h"

namespace halocline {

inline constexpr std::size_t kInlineBacklog = 128;

// One follower. Owned by the registry below; its plain fields belong to whichever thread has its turn: a reader while it
// catches up, the publisher from then on.
struct Feed {
  std::shared_ptr<AlertSubscriber> subscriber;
  std::uint64_t bookmark = 0;  // the last event it was given
  bool from_now = false;
  bool started = false;
  std::atomic<bool> gone{false};  // ended, or unfollowed: it is called no more
};

class Feeds {
 public:
  // `ask` sends a feed through the pipeline, to come back at start() with a snapshot; it may wait, and is called on reader
  // threads. `piece` is how many events a follower takes at once.
  Feeds(std::size_t most, std::size_t piece, std::shared_ptr<ReaderPool> readers, NamedCounters& counters,
        std::function<void(std::shared_ptr<Feed>)> ask);

  // A new follower; nullptr when there are too many. Any thread.
  std::shared_ptr<Feed> add(std::uint64_t bookmark, bool from_now, std::shared_ptr<AlertSubscriber> subscriber);
  // No call begins after it returns (one under way on another thread may end later). Any thread.
  void remove(const AlertSubscriber* subscriber);
  std::size_t size() const;

  // The feed's turn has come, with the books at that place. The publisher's thread.
  void start(const std::shared_ptr<Feed>& feed, const Snapshot& books, std::uint64_t last_event_id);
  // New durable events, to all who are live. The publisher's thread.
  void offer(std::span<const std::shared_ptr<const AlertEvent>> events);
  // Lets go of those unfollowed since; `must_prune` says whether there are any. The publisher's thread.
  bool must_prune() const { return prune_.load(); }
  void prune();

  // All that are left end with `why`. After the publisher's and the readers' threads.
  void end_all(const Status& why);

 private:
  void catch_up(const std::shared_ptr<Feed>& feed, const Snapshot& books);
  bool offer_one(Feed& feed, const std::shared_ptr<const AlertEvent>& event);  // false: it is gone
  void end(Feed& feed, const Status& why);
  void forget(const AlertSubscriber* subscriber);

  const std::size_t most_;
  const std::size_t piece_;
  const std::shared_ptr<ReaderPool> readers_;
  NamedCounters& counters_;
  const std::shared_ptr<const std::function<void(std::shared_ptr<Feed>)>> ask_;

  std::vector<std::shared_ptr<Feed>> live_;  // the publisher's
  std::atomic<bool> prune_{false};

  mutable std::mutex mutex_;
  std::unordered_map<const AlertSubscriber*, std::shared_ptr<Feed>> feeds_;
};

}  // namespace halocline
