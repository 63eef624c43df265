// Any statement, as what is to be done about it: a plan to run, or what becomes a command.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "engine/queries/plan.h"
#include "engine/queries/syntax.h"

namespace halocline::queries {

Result<Request> read_request(std::string_view sql, const QueryParameters& parameters) {
  Result<Statement> parsed = parse_query(sql);
  if (!parsed.ok()) return parsed.status();
  return request_of(sql, parsed.take(), parameters);
}

Result<Request> request_of(std::string_view sql, Statement statement, const QueryParameters& parameters) {
  if (statement.kind == Statement::Kind::kSelect) {
    Result<Plan> plan = plan_of(sql, statement, parameters);
    if (!plan.ok()) return plan.status();
    return Request(plan.take());
  }
  if (!valid_name(statement.name)) {
    return Status(Code::kInvalidArgument, "the name \"" + statement.name + "\" is empty, longer than " +
        std::to_string(limits::kMaxName) + " bytes or has a control character");
  }
  if (statement.kind == Statement::Kind::kDrop) return Request(DropRequest{std::move(statement.name), statement.alert});
  if (statement.select_text.size() > limits::kMaxNamedQueryBytes) {
    return Status(Code::kInvalidArgument, "the SELECT of a query with a name has at most " + std::to_string(limits::kMaxNamedQueryBytes) +
        " bytes; this one has " + std::to_string(statement.select_text.size()));
  }
  statement.kind = Statement::Kind::kSelect;
  const Result<Plan> plan = plan_of(sql, statement, {});
  if (!plan.ok()) return plan.status();
  if (!plan.value().unwatchable.empty()) return Status(Code::kInvalidArgument, plan.value().unwatchable);
  if (const Status may = statement.alert ? may_alert(plan.value()) : ok_status(); !may.ok()) return may;
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
