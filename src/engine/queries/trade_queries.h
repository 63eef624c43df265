// The continuous queries over trades alone. What a changed trade does to their answers follows from how it read before the command and how
// it reads now, so no row of a plain answer is kept: only groups, and the first of an order.
//
// What queries have in common is there once: a condition is looked at once for all that have it, its groups are counted once, what is
// selected is packed once. A trade finds the conditions it may meet in an index (predicate_index.h); those that have none an index can use
// are looked at with every trade.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "command/query.h"
#include "engine/queries/grouping.h"
#include "engine/queries/live_events.h"
#include "engine/queries/plan.h"
#include "engine/queries/predicate_index.h"
#include "engine/queries/projection.h"
#include "engine/queries/ranking.h"
#include "engine/state/changes.h"

namespace halocline::queries {

class TradeQueries {
 public:
  using Id = std::uint64_t;

  // Whether the query is one of these: over trades alone, and time does not change its answer.
  static bool takes(const Plan& plan);

  explicit TradeQueries(const State& state) : state_(state), index_(table_of(Source::kTrades)) {}

  // kResourceExhausted when the answer is beyond a bound: then it is not here.
  Status add(Id id, std::shared_ptr<const Plan> plan);
  void remove(Id id);
  // In the answer's order. Of a plain query this reads the trades, unless it was the last one added or asked for and none changed since.
  std::vector<KeptRow> rows(Id id);
  bool empty() const { return queries_.empty(); }

  // After a command: what it did to the answers, one of each query that changed, in ascending order of ids. One with a failure
  // must be removed.
  void settle(Changes& changes, std::vector<LiveEvents>& events);

 private:
  struct Listing {
    Id id;
    Projection* projection;
  };
  struct Ranked {
    Id id;
    Projection* projection;
    Ranking ranking;
    bool changed = false;
  };
  struct Grouped {
    Grouping grouping;
    bool changed = false;
  };
  // A condition, with all that is asked about the trades that meet it.
  struct Selection {
    std::shared_ptr<const Plan> plan;  // of one that asks it
    std::optional<IndexedCondition> indexed;
    bool index_decides = false;        // what the index finds meets it
    std::uint64_t looked_at = 0;       // the subject
    std::vector<Listing> listings;
    std::vector<std::unique_ptr<Ranked>> rankings;
    std::vector<std::unique_ptr<Grouped>> groupings;

    bool unused() const { return listings.empty() && rankings.empty() && groupings.empty(); }
    bool holds(const Reader& reader, const Inputs& inputs) const { return !plan->filters[0] || plan->filters[0]->holds(reader, inputs); }
  };
  struct Query {
    std::shared_ptr<const Plan> plan;
    std::uint32_t selection;
    Projection* projection;
  };
  struct Answer {
    Id id = 0;
    std::vector<KeptRow> rows;
  };

  std::uint32_t selection_of(const std::shared_ptr<const Plan>& plan);
  Projection& projection_of(const std::shared_ptr<const Plan>& plan);
  Status start(Id id, const Query& query);
  Result<std::vector<KeptRow>> read_rows(const Query& query);
  template <class Visit>
  void each_trade(const Selection& of, Visit visit);
  void drop(std::uint32_t selection, Id id);
  // The trade before the command and after it; nullptr where it was, or is, no row.
  void trade_changed(std::uint32_t trade, const Reader* before, const Reader* now, std::vector<LiveEvents>& events);
  void change(Selection& of, std::uint32_t trade, bool was, bool is, std::vector<LiveEvents>& events);
  void look_at_all(const Changes& changes, std::vector<LiveEvents>& events);
  void settle_kept(std::vector<LiveEvents>& events);
  void bring_together(std::vector<LiveEvents>& events, std::size_t first);

  const State& state_;
  PredicateIndex index_;                  // of selections
  std::vector<std::uint32_t> unindexed_;  // selections that every trade concerns
  std::vector<std::unique_ptr<Selection>> selections_;
  std::vector<std::uint32_t> free_selections_;
  std::unordered_map<std::string, std::uint32_t> by_condition_;
  std::unordered_map<std::string, std::unique_ptr<Projection>> projections_;  // by outputs_identity
  std::unordered_map<Id, Query> queries_;
  Answer last_answer_;

  Subject subject_;
  std::uint64_t subjects_ = 0;
  const Reader* state_reader_ = nullptr;  // while a command is settled
  std::vector<std::uint64_t> found_;
  std::vector<Ranked*> changed_rankings_;
  std::vector<Grouped*> changed_groupings_;
};

}  // namespace halocline::queries
