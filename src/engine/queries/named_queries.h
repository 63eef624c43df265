// The queries that have a name, as commands make and drop them: docs/semantics.md, "Queries". Those without a severity are only kept live,
// among all other continuous queries; those with one are part of the books: each row that enters their answer raises an alert, which is
// cleared when the row leaves. They are worked out apart from what anybody watches, so the same journal gives the same alerts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "command/outcome.h"
#include "engine/limits/alert_log.h"
#include "engine/queries/live_queries.h"

namespace halocline::queries {

class NamedQueries {
 public:
  // `watched` are the queries that are watched by anybody.
  NamedQueries(State& state, Changes& changes, LiveQueries& watched)
      : state_(state), changes_(changes), watched_(watched), alerting_(state, changes) {}

  // The state came from elsewhere: its queries are live again, and each row has its alert. kDataLoss: they do not go together;
  // kResourceExhausted: an answer is beyond a bound.
  Status resume();

  Outcome apply(const QueryCreate& create, std::vector<AlertEvent>& events);
  Outcome apply(const QueryDrop& drop, std::vector<AlertEvent>& events);

  // By the engine, as of LiveQueries, before those that are watched: they see what it raises and clears.
  void pass_time() { alerting_.pass_time(); }
  void settle(const CauseOf& cause, std::vector<AlertEvent>& events);
  Nanos deadline() const { return alerting_.deadline(); }
  // The names of those dropped since the last call.
  std::vector<std::string> take_dropped() { return std::exchange(dropped_, {}); }

 private:
  // Of a query that raises alerts: those of the rows in its answer.
  struct Raised {
    std::uint32_t query = 0;
    std::unordered_map<std::string, std::uint64_t> alerts;  // by the row's key
    std::vector<ColumnType> columns;
  };

  // The alert of a row, or of a failure, whose key is empty.
  std::uint64_t raise(std::uint32_t query, std::string_view key, const std::string& row, AlertReason reason, const CauseOf& cause,
                      std::vector<AlertEvent>& events);
  Status resume(std::uint32_t query, std::span<const std::uint64_t> alerts);
  void clear(std::uint64_t alert, AlertReason reason, const CauseOf& cause, std::vector<AlertEvent>& events);
  // In the order they were raised.
  void clear_all(Raised& of, AlertReason reason, const CauseOf& cause, std::vector<AlertEvent>& events);
  void take(Raised& of, const QueryEvents& changed, const CauseOf& cause, std::vector<AlertEvent>& events);
  void fail(Raised& of, const std::string& why, const CauseOf& cause, std::vector<AlertEvent>& events);

  State& state_;
  Changes& changes_;
  LiveQueries& watched_;
  LiveQueries alerting_;
  std::unordered_map<std::uint32_t, LiveQueries::Id> live_;  // by the query's record
  std::unordered_map<LiveQueries::Id, std::vector<Raised>> raised_;  // those whose questions are the same, in the order they were made
  std::vector<std::string> dropped_;
};

}  // namespace halocline::queries
