#include "engine/queries/plan.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "engine/queries/bind.h"
#include "engine/queries/syntax.h"

namespace halocline::queries {

Result<Plan> prepare(std::string_view sql, const QueryParameters& parameters) {
  const Result<Statement> statement = parse_query(sql);
  if (!statement.ok()) return statement.status();
  return plan_of(sql, statement.value(), parameters);
}

Result<Plan> plan_of(std::string_view sql, const Statement& statement, const QueryParameters& parameters) {
  if (statement.kind != Statement::Kind::kSelect) {
    return error_at(sql, {}, "a SELECT is asked for here; CREATE and DROP are statements of their own");
  }
  return bind_select(sql, statement, parameters);
}

Result<Request> read_request(std::string_view sql, const QueryParameters& parameters) {
  Result<Statement> parsed = parse_query(sql);
  if (!parsed.ok()) return parsed.status();
  Statement& statement = parsed.value();
  if (statement.kind == Statement::Kind::kSelect) {
    Result<Plan> plan = bind_select(sql, statement, parameters);
    if (!plan.ok()) return plan.status();
    return Request(plan.take());
  }
  if (!valid_name(statement.name)) {
    return Status(Code::kInvalidArgument, "the name \"" + statement.name + "\" is empty, longer than " +
        std::to_string(limits::kMaxName) + " bytes or has a control character");
  }
  const bool alert = statement.severity != AlertLevel::kNone;
  if (statement.kind == Statement::Kind::kDrop) return Request(DropRequest{std::move(statement.name), alert});
  if (statement.select_text.size() > limits::kMaxNamedQueryBytes) {
    return Status(Code::kInvalidArgument, "the SELECT of a query with a name has at most " + std::to_string(limits::kMaxNamedQueryBytes) +
        " bytes; this one has " + std::to_string(statement.select_text.size()));
  }
  const Result<Plan> plan = bind_select(sql, statement, {});
  if (!plan.ok()) return plan.status();
  if (!plan.value().unwatchable.empty()) return Status(Code::kInvalidArgument, plan.value().unwatchable);
  if (const Status may = alert ? may_alert(plan.value()) : ok_status(); !may.ok()) return may;
  return Request(CreateRequest{std::move(statement.name), statement.severity, std::move(statement.select_text)});
}

Status may_alert(const Plan& plan) {
  const auto reads_alerts = [](const Table* table) { return table->source == Source::kAlerts; };
  if (std::any_of(plan.tables.begin(), plan.tables.end(), reads_alerts)) {
    return Status(Code::kInvalidArgument, "CREATE ALERT cannot read alerts: what it raises would raise more");
  }
  return ok_status();
}

}  // namespace halocline::queries
