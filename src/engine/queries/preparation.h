// Continuous queries that begin over large sources, made ready aside: what they keep is read from a snapshot on any thread while the
// engine goes on, and brought up to later snapshots by the rows that changed in between, until so few are left that the engine's own
// thread may look at them and take all over (LiveQueries::adopt). No event is made of what happened meanwhile: a query begins where it
// is taken over.
//
//   Preparation preparation(engine.queries().take_put_off(most));
//   engine.queries().note_for(preparation);              // from here on; books = engine.snapshot()
//   preparation.catch_up(*books, {});                    // aside: reads everything
//   NotedChanges changed = engine.queries().take_noted();  // books = engine.snapshot()
//   preparation.catch_up(*books, std::move(changed));    // aside, as often as it takes
//   engine.queries().adopt(preparation);                 // when there is nothing left to catch up with
//
// One thread at a time. Costs the memory of what the queries keep; a round costs what the changed rows do.
#pragma once

#include <memory>
#include <vector>

#include "engine/queries/live_queries.h"
#include "engine/queries/noted_changes.h"

namespace halocline::queries {

class Preparation {
 public:
  explicit Preparation(std::vector<LiveQueries::PutOff> queries);

  void catch_up(const State& books, NotedChanges changed);
  // All of them end: the books change faster than this keeps up with.
  void give_up(const Status& why);

  std::size_t size() const { return queries_.size(); }
  // The rows that must be noted for it.
  NotedChanges nothing_noted() const;

 private:
  friend class LiveQueries;
  struct One {
    LiveQueries::PutOff query;
    LiveQueries::Id aside = 0;
    Status status = {};  // beyond a bound
  };

  void read();

  State books_;
  Changes changes_;
  LiveQueries live_;
  std::vector<One> queries_;
  bool begun_ = false;
};

}  // namespace halocline::queries
