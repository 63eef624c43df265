// All continuous queries of an engine, kept up to date by what each command changes.
//
//   Result<Id> id = engine.queries().add(plan);         // the same question asked twice is worked out once
//   rows(id)                                            // the answer now, exact at the engine's seq
//   engine.apply(…);
//   for (LiveEvents& one : engine.queries().take()) …   // what each answer became, seq by seq
//
// A pure function of the commands and of where in their order queries were added: the same journal gives the same events. Costs: a row
// that changed looks up the queries it may concern in an index (predicate_index.h); those that have no condition an index can use,
// and joins, are looked at with every change of their source. Queries over trades alone keep no rows (trade_queries.h); all others keep
// what each row contributes (live_query.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "command/query.h"
#include "engine/queries/live_events.h"
#include "engine/queries/live_query.h"
#include "engine/queries/predicate_index.h"
#include "engine/queries/trade_queries.h"
#include "engine/state/changes.h"

namespace halocline::queries {

class LiveQueries {
 public:
  using Id = std::uint64_t;

  LiveQueries(const State& state, Changes& changes) : state_(state), changes_(changes), of_trades_(state) {}

  // kInvalidArgument when the plan cannot be watched, kResourceExhausted beyond a bound.
  Result<Id> add(std::shared_ptr<const Plan> plan);
  // As often as it was added.
  void remove(Id id);
  // In the answer's order.
  std::vector<KeptRow> rows(Id id);
  std::size_t size() const { return queries_.size(); }
  // The seq at which it was added: of all later seqs there are events.
  Seq since(Id id) const { return queries_.at(id)->since; }

  // By the engine: after time has passed, and after the command, with what that changed; both before take() of that seq.
  void pass_time();
  void settle();
  Nanos deadline() const { return due_.empty() ? INT64_MAX : due_.begin()->first; }

  // The events since the last call, in the order of seqs.
  std::vector<LiveEvents> take() { return std::exchange(taken_, {}); }

 private:
  struct Entry {
    std::shared_ptr<const Plan> plan;
    std::unique_ptr<LiveQuery> live;  // nothing for those that TradeQueries keeps
    std::size_t users = 0;
    Seq since = 0;
    std::optional<IndexedCondition> indexed;
    Nanos due = INT64_MAX;
    std::uint64_t looked_at = 0;  // the round of its last look at a row
    bool touched = false;
  };
  // Of one source.
  struct Watchers {
    explicit Watchers(const Table& table) : index(table) {}
    PredicateIndex index;
    std::vector<std::pair<Id, std::size_t>> others;  // which side of theirs
    std::unordered_map<std::uint32_t, std::vector<Id>> holders;  // rows that indexed queries hold
  };

  Watchers& watchers(Source source);
  bool watched(Source source) const { return by_source_.contains(source); }
  Status start(Id id, Entry& entry);
  void settle_others();
  void rows_changed(Source source, std::vector<std::uint32_t>& rows, const Reader& reader);
  void row_changed(Watchers& of, std::uint32_t row, const Reader& reader);
  void look(Id id, std::size_t side, std::uint32_t row, const Reader& reader);
  void hold(Id id, const Entry& entry, std::uint32_t row, bool holds);
  void touch(Id id, Entry& entry);
  void schedule(Id id, Entry& entry);
  void drop(Id id);

  const State& state_;
  Changes& changes_;
  TradeQueries of_trades_;
  std::unordered_map<Id, std::unique_ptr<Entry>> queries_;
  std::unordered_map<std::string, Id> by_identity_;
  std::map<Source, std::unique_ptr<Watchers>> by_source_;
  std::set<std::pair<Nanos, Id>> due_;
  std::vector<Id> touched_;  // whose answers may have changed
  std::vector<Id> found_;
  std::vector<LiveEvents> taken_;
  std::uint64_t round_ = 0;
  Id next_ = 1;
};

}  // namespace halocline::queries
