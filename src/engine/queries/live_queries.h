// All continuous queries of an engine, kept up to date by what each command changes.
//
//   Result<Id> id = engine.queries().add(plan);         // the same question asked twice is worked out once
//   rows(id)                                            // the answer now, exact at the engine's seq
//   engine.apply(…);
//   for (const LiveEvents& one : engine.queries().take()) …   // what each answer became, seq by seq
//
// A pure function of the commands and of where in their order queries were added: the same journal gives the same events. Costs: a row
// that changed looks up the queries it may concern in an index (predicate_index.h); those that have no condition an index can use,
// and joins, are looked at with every change of their source. Queries over trades alone keep no rows (trade_queries.h); all others keep
// what each row contributes (live_query.h).
//
// To begin a query its sources are read. Where that would take too long, read_at_most() has those over large sources put off: they have an
// id and nothing else until they were made ready aside (preparation.h) and are adopted.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/prefetch.h"
#include "base/status.h"
#include "command/query.h"
#include "engine/queries/live_events.h"
#include "engine/queries/live_query.h"
#include "engine/queries/predicate_index.h"
#include "engine/queries/row_holders.h"
#include "engine/queries/trade_queries.h"
#include "engine/state/changes.h"

namespace halocline::queries {

class NotedChanges;
class Preparation;

class LiveQueries {
 public:
  using Id = std::uint64_t;

  LiveQueries(const State& state, Changes& changes);
  ~LiveQueries();

  // kInvalidArgument when the plan cannot be watched, kResourceExhausted beyond a bound.
  Result<Id> add(std::shared_ptr<const Plan> plan) { return add({&plan, 1})[0]; }
  // Several at once read the trades once for all. One result each.
  std::vector<Result<Id>> add(std::span<const std::shared_ptr<const Plan>> plans);
  // As often as it was added.
  void remove(Id id);
  // In the answer's order.
  std::vector<KeptRow> rows(Id id);
  std::size_t size() const { return queries_.size(); }
  // The seq at which it was added, or adopted: of all later seqs there are events.
  Seq since(Id id) const { return queries_.at(id)->since; }

  // From one renew() to the next add() reads no more than so many rows, and those who ask read_now() as many again.
  void read_at_most(std::size_t rows) { most_read_ = may_read_ = may_tell_ = rows; }
  void renew() { may_read_ = may_tell_ = most_read_; }
  // False: it was put off, and has no answer and no events yet.
  bool is_live(Id id) const { return !queries_.at(id)->put_off; }
  // Whether rows() of a live one may be asked for now; if so, it counts. Else the answer is to be read from a snapshot.
  bool read_now(Id id);

  struct PutOff {
    Id id;
    std::shared_ptr<const Plan> plan;
  };
  // The first of those put off, in the order they came.
  std::vector<PutOff> take_put_off(std::size_t most);
  // From here on, until take_noted(), it is noted which rows change.
  void note_for(const Preparation& preparation);
  NotedChanges take_noted();
  // Takes over what was prepared up to the books as they are now. Gives what is live from here on, and what ended, with the reason.
  std::vector<std::pair<Id, Status>> adopt(Preparation& preparation);

  // What a query that is dropped has kept goes there: letting go of it may take long. Without it, it is let go of at once.
  void on_dropped(std::function<void(std::shared_ptr<void>)> dropped) { dropped_ = std::move(dropped); }

  // By the engine: after time has passed, and after the command, with what that changed; both before take() of that seq.
  void pass_time();
  void settle() {
    // Most commands bring one new trade, and most queries are over trades alone.
    gathers_at_once_ && changes_.one_new_trade() ? gather() : settle_all();
  }
  // From here on a command that brought one new trade and concerns nothing else is settled together with those that follow, which costs
  // a trade of nobody's a few nanoseconds. Nobody can tell: all that shows or needs an answer settles them first, and what changes a known
  // trade calls changes.before_trade_changes. Each keeps its seq and time.
  void gather_new_trades();
  // By the engine before a command that may reshape the books.
  void settle_gathered();
  Nanos deadline() const { return due_.empty() ? INT64_MAX : due_.begin()->first; }

  // The events since the last call, in the order of seqs.
  ToldEvents take() {
    settle_gathered();
    return std::exchange(told_, ToldEvents::as_many_as(told_));
  }

 private:
  static constexpr std::size_t kMostGathered = 256;

  struct Entry {
    std::shared_ptr<const Plan> plan;
    std::unique_ptr<LiveQuery> live;  // nothing for those that TradeQueries keeps
    std::size_t users = 0;
    Seq since = 0;
    std::optional<IndexedCondition> indexed;
    Changes::Wanted wanted;
    Nanos due = INT64_MAX;
    std::uint64_t looked_at = 0;  // the round of its last look at a row
    bool touched = false;
    bool put_off = false;
  };
  // Of one source.
  struct Watchers {
    explicit Watchers(const Table& table) : source(table.source), index(table) {}
    Source source;
    PredicateIndex index;
    std::vector<std::pair<Id, std::size_t>> others;  // which side of theirs
    RowHolders holders;  // of indexed queries
    // Of nodes that concerned nobody when they were looked at last, up to where they still do not. Those that concern somebody have moved
    // on since, or moved otherwise; where what concerns whom changes in another way, all is forgotten.
    std::vector<Moved> far;
  };

  Watchers& watchers(Source source);
  bool watched(Source source) const { return by_source_.contains(source); }
  // What is known already, or a newcomer, which is `over_trades` when TradeQueries has yet to start it.
  Result<Id> enter(const std::shared_ptr<const Plan>& plan, std::vector<TradeQueries::Newcomer>& over_trades);
  Status start(Id id, Entry& entry);
  void connect(Id id, Entry& entry);
  // Rows that must be read to begin it, or for its answer.
  std::size_t cost_of(const Plan& plan) const;
  void gather() {
    const std::uint32_t trade = changes_.trades[0].trade;
    prefetch_line(&state_.trades[trade].book);  // of most no more than their names is looked at
    gathered_.push_back({trade, state_.seq, state_.time});
    if (gathered_.size() == kMostGathered) settle_gathered();
  }
  void settle_all();
  // What is noted goes on in `noted_` or no more.
  void note_aside();
  // When it changed who watches what.
  void weigh() { gathers_at_once_ = gathers_ && by_source_.empty() && noted_ == nullptr && !of_trades_.empty(); }
  void look_at_others();
  void settle_others();
  // Those that were told to have failed, from there on.
  void drop_failed(std::size_t first);
  void rows_changed(Source source, const std::vector<std::uint32_t>& rows, const Reader& reader);
  // Those among the rows that may concern a query, in ascending order and once each.
  void keep_concerned(Watchers& of, const std::vector<std::uint32_t>& rows, const Reader& reader);
  void row_changed(Watchers& of, std::uint32_t row, const Reader& reader);
  bool is_far(const Watchers& of, std::uint32_t row) const;
  void note_far(Watchers& of, std::uint32_t row, Int128 room) const;
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
  std::vector<std::uint32_t> concerned_, likely_;  // rows; places of some
  ToldEvents told_;
  bool gathers_ = false;
  bool gathers_at_once_ = false;    // … and new trades are all that concerns anybody
  std::vector<NewTrade> gathered_;  // in the order of seqs, all before whatever changes next
  std::deque<PutOff> put_off_;
  std::unique_ptr<NotedChanges> noted_;  // while a preparation needs it
  Changes::Wanted wanted_aside_;         // for it
  std::size_t most_read_ = SIZE_MAX, may_read_ = SIZE_MAX, may_tell_ = SIZE_MAX;
  std::function<void(std::shared_ptr<void>)> dropped_;
  std::uint64_t round_ = 0;
  Id next_ = 1;
};

}  // namespace halocline::queries
