// Where subscriptions begin whose sources are too large to be read between two blocks: on a thread of low priority, from snapshots of the
// books, while the pipeline goes on.
//
//   the query is live already, or keeps no rows   its answer is read from a snapshot, and it goes on from the recent events after that seq
//   it keeps rows, groups or a ranking            that is prepared aside and caught up with what changed meanwhile, round by round, until
//                                                 the engine can take it over at once (engine/queries/preparation.h); then as above, if
//                                                 the answer is large, else with the answer at that seq
//
// So there is no gap and no overlap, and what a subscriber is told is what it would be told had the engine stopped for it. One preparation
// at a time, of many queries, and one reading of answers; what comes meanwhile waits for the next. Those that would never catch up end.
// Why it is so: docs/decisions/0009-first-answers-aside.md.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/queries/preparation.h"
#include "server/block.h"
#include "server/watches.h"

namespace halocline {

// A round of work aside, which comes back to the engine by the queue.
struct AsideRound {
  Snapshot books;
  std::vector<std::shared_ptr<Watch>> answers;  // to be read from the books; or …
  std::unique_ptr<queries::Preparation> preparation;
  queries::NotedChanges changed;  // since the books of the round before
  int number = 1;
};

class FirstAnswers {
 public:
  // `come_back` gives a round that is done to the engine, by Block::rounds.
  FirstAnswers(Watches& watches, std::function<void(std::shared_ptr<AsideRound>)> come_back)
      : watches_(watches), come_back_(std::move(come_back)) {}
  ~FirstAnswers() { stop(); }

  // The engine's thread, with the block that was applied: takes over what came back and what is put off, adds to the block's watches those
  // that begin with it, and begins the next rounds.
  void attend(Block& block, Engine& engine);
  // Lets go of it aside. Any thread.
  void discard(std::shared_ptr<void> unwanted);
  // What is under way is finished, the rest dropped. The owner's thread; may be called twice.
  void stop();

 private:
  void take_over(AsideRound& round, Block& block, Engine& engine);
  void begin_reading(Block& block);
  void begin_preparing(Engine& engine);

  void post(std::function<void()> task);
  void read_answers(AsideRound& round);
  // After a round of very many: how long the thread waits for more to come, so that the next goes through the books for all of them.
  void gather(std::size_t answers, std::chrono::steady_clock::duration took);
  void work();

  Watches& watches_;
  const std::function<void(std::shared_ptr<AsideRound>)> come_back_;

  // The engine's.
  std::unordered_map<queries::LiveQueries::Id, std::vector<std::shared_ptr<Watch>>> put_off_;
  std::vector<std::shared_ptr<Watch>> to_read_;
  bool reading_ = false, preparing_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;  // from the first task on
};

}  // namespace halocline
