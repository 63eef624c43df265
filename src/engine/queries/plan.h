// A query made ready: names found, types checked, expressions compiled. Made once, then run as often as wanted, on any snapshot
// (run.h). All errors a query can have are found here.
//
//   Result<Plan> plan = prepare("SELECT trader, SUM(notional) FROM trades WHERE desk = $1 GROUP BY trader", parameters);
//   if (!plan.ok()) …   // kInvalidArgument: line, column, caret, and for a misspelt name the one that is likely meant
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "command/as_of.h"
#include "command/query.h"
#include "engine/queries/aggregate.h"
#include "engine/queries/expression.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

struct Statement;

struct OrderKey {
  Program key;
  bool descending = false;
  bool nulls_last = false;
};

// rows of tables → where → either outputs of each row, or groups (keys, aggregates) → having → outputs of each group; then order and limit.
struct Plan {
  bool explain = false;                // EXPLAIN was asked for: describe() is the answer
  std::vector<const Table*> tables;    // one, or two joined
  bool left_join = false;
  std::vector<Program> join_keys[2];   // equal on both sides
  std::optional<Program> filters[2];   // conditions on one side alone, looked at before joining
  std::optional<Program> where;        // what is left of the condition

  bool grouped = false;
  std::vector<Program> keys;
  std::vector<Aggregate> aggregates;
  std::optional<Program> having;

  // Of a grouped query these read slots: the keys, then the aggregates.
  std::vector<Program> outputs;
  std::vector<OrderKey> order;
  std::optional<std::uint64_t> limit;
  std::vector<ColumnType> columns;  // of the outputs

  AsOf as_of;  // for whoever finds the books to run it on

  std::vector<std::string> description;  // EXPLAIN's lines

  // For continuous queries (live_query.h).
  std::string identity;                   // the same for queries that always have the same answer and columns
  // The same for queries that have the part in common, whatever the rest of them is.
  std::string condition_identity;         // which rows
  std::string groups_identity;            // how they are grouped and what is worked out of a group
  std::string outputs_identity;           // what is selected of a row or group, and its order
  std::string unwatchable;                // why it can only be asked once; empty: it can be watched
  std::vector<Expression> conjuncts;      // of the first source alone: all of them must hold
  struct TimeBound {                      // NOW() + shift is compared with it: the comparison turns when the time comes
    Program instant;
    Int128 shift = 0;
  };
  std::vector<TimeBound> time_bounds;
};

Result<Plan> prepare(std::string_view sql, const QueryParameters& parameters);
// The same of what parse_query() (syntax.h) made of the text.
Result<Plan> plan_of(std::string_view sql, const Statement& statement, const QueryParameters& parameters);

// Any statement: an answer that is asked for, or what is to become a QueryCreate or QueryDrop.
struct CreateRequest {
  std::string name;
  AlertLevel severity = AlertLevel::kNone;
  std::string sql;
};
struct DropRequest {
  std::string name;
  bool alert = false;
};
using Request = std::variant<Plan, CreateRequest, DropRequest>;
Result<Request> request_of(std::string_view sql, Statement statement, const QueryParameters& parameters);
// The same of the text itself.
Result<Request> read_request(std::string_view sql, const QueryParameters& parameters);

// kInvalidArgument when the rows of its answer cannot be alerts.
Status may_alert(const Plan& plan);

}  // namespace halocline::queries
