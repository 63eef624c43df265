// The history as `halocline serve` runs it: a thread that follows the durable journal into the tables (history/tables/follower.h)
// and commits so often that what is durable can be read in them within so many seconds, or sooner when much waits. It lets the hot
// path go first. A failure is told and tried again after a second: the hot path never waits for it.
// A second thread looks after the tables (history/maintenance/upkeep.h); what it has made the first one commits.
//
//   History history(disk, clock, lake, core, options);
//   history.start();
//   …
//   history.stop();      // after the core has stopped: one more commit. What is missing then is for the next start
//
// Status counts `history_rows`, `history_commits` and `history_failures`; `history_seq`, up to which the tables are; and
// `history_failing_seconds`, from the first of the failures that go on to the last, 0 when the last attempt was none. Of the second
// thread `history_upkeeps`, `history_rewrites`, `history_orphans` and `history_upkeep_failures`. `history_states`: those kept for a start.
// start() and stop() by the owner.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/disk.h"
#include "history/maintenance/upkeep.h"
#include "history/tables/follower.h"
#include "server/core.h"
#include "server/engine_books.h"
#include "server/lake.h"

namespace halocline {

struct HistoryOptions {
  FollowerOptions follower;
  std::int64_t commit_interval = 5'000'000'000;  // ns; from durable to readable
  Seq most_behind = 1'000'000;                   // the engine, in one commit with its books; beyond that with books of its own, bit by bit
  UpkeepOptions upkeep;
  std::int64_t upkeep_interval = 60'000'000'000;  // ns; 0: never
  // The directory of the states that a start goes on from (history/tables/follower_state.h, with the books as a checkpoint); one is kept
  // every so many commands (or a quarter as many as there are trades), when that is wished or a start went on from one. Without one a
  // start reads the whole journal.
  std::string states;
  Seq state_records = 0;
  bool keep_states = false;
};

class History {
 public:
  // All references outlive it.
  History(Disk& disk, const Clock& clock, Lake& lake, Core& core, HistoryOptions options);
  ~History();

  void start();
  void stop();

 private:
  static constexpr Nanos kNobodyWaits = INT64_MAX;

  void run();
  void look_after();
  // One round over all tables.
  Status round(Upkeep& upkeep, bool orphans);
  // Whether there was something to commit, and it was: then there may be more. Fails as the upkeep and the commit do.
  Result<bool> commit_of(Result<std::optional<Rewrite>> made);
  // Has the first thread commit it, and removes its files when that came to nothing. kFailedPrecondition too at the end.
  Status offer(Rewrite rewrite);
  void take_offer();
  // One look at the journal; whether there is more to do at once.
  bool advance(bool commit_now);
  // With the live engine's books where they will do, and with its own where not.
  Status choose_books(Seq settled);
  Status go_alone(const char* why);
  // Before a commit: reads on to where there are books to commit. Whether it is there.
  Result<bool> stand();
  Status open();
  // From the newest state there is that can be used.
  Status resume();
  Status commit();
  void keep_state();
  void failed(const Status& why);
  // The end of a failure, if there was one.
  void works();
  void say_failing(std::int64_t seconds);
  bool wait(std::int64_t nanoseconds);  // or until a rewrite is offered; false: it ends
  bool rest(std::int64_t nanoseconds);  // false: it ends

  Disk& disk_;
  const Clock& clock_;
  Lake& lake_;
  Core& core_;
  const HistoryOptions options_;

  std::unique_ptr<EngineBooks> books_;
  std::unique_ptr<Follower> follower_;
  bool looked_again_ = false;          // after the first refusal
  std::int64_t commit_took_ = 0;       // ns; of the last one, until the schedule knows
  bool keeps_states_ = false;
  Seq next_state_ = 0;                 // when to keep one
  Seq counted_seq_ = 0;                // what `history_seq` says
  std::uint64_t counted_failing_ = 0;  // … and `history_failing_seconds`
  struct Failing {
    std::int64_t since, told;  // monotonic, ns
    std::uint64_t times;
    Code code;  // the one that was told
  };
  std::optional<Failing> failing_;  // since the last attempt that was none

  std::mutex mutex_;
  std::condition_variable ending_;
  bool end_ = false;
  std::optional<Rewrite> offered_;
  std::optional<Status> answer_;  // to the offer, once it was taken
  bool taken_ = false;
  std::atomic<Nanos> waiting_since_{kNobodyWaits};
  std::thread thread_, upkeep_thread_;
};

}  // namespace halocline
