#include "engine/queries/named_queries.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/quoted.h"

namespace halocline::queries {
namespace {

// As a JSON object; columns that have no room are left out, the last of them first.
std::string row_text(std::string_view packed, const std::vector<ColumnType>& columns) {
  std::string out = "{";
  PackedReader reader(packed);
  for (const ColumnType& column : columns) {
    const Value value = reader.next(column.type);
    std::string one = out.size() == 1 ? "" : ",";
    append_quoted(one, column.name);
    one += ':';
    value.null ? void(one += "null") : append_quoted(one, value_text(value, column.type));
    if (out.size() + one.size() + 1 > limits::kMaxAlertRowBytes) break;
    out += one;
  }
  return out + '}';
}

using RowKey = std::array<std::uint64_t, 2>;

RowKey hash_of(std::string_view key) {
  const std::uint64_t first = hash_bytes(key);
  return {first, hash_bytes(key, first)};
}

}  // namespace

Outcome NamedQueries::apply(const QueryCreate& create, std::vector<AlertEvent>& events) {
  if (!valid_name(create.name)) return Outcome::kInvalidName;
  const bool alerts = create.severity != AlertLevel::kNone;
  if (create.severity > AlertLevel::kBreach) return Outcome::kInvalidQuery;
  CowText& text = state_.catalog.text;
  if (const std::uint32_t known = state_.find_query(create.name); known != kNoId) {
    const QueryRecord& record = state_.queries[known];
    return record.severity == create.severity && text[record.sql] == create.sql ? Outcome::kUnchanged : Outcome::kNameTaken;
  }
  if (state_.queries.size() >= limits::kMaxNamedQueries) return Outcome::kTooMany;
  Result<Plan> plan = prepare(create.sql, {});
  if (!plan.ok() || (alerts && !may_alert(plan.value()).ok())) return Outcome::kInvalidQuery;
  LiveQueries& among = alerts ? alerting_ : watched_;
  std::vector<ColumnType> columns = plan.value().columns;
  const Result<LiveQueries::Id> added = among.add(std::make_shared<const Plan>(plan.take()));
  if (!added.ok() && added.status().code() != Code::kResourceExhausted) return Outcome::kInvalidQuery;
  // Whether there is room among the watched ones is no matter of the books: the outcome of what only keeps a query live does not show it.
  if (!added.ok() && alerts) return Outcome::kTooMany;
  std::vector<KeptRow> rows;
  if (alerts) rows = among.rows(added.value());
  if (rows.size() > limits::kMaxAlertRows) {
    among.remove(added.value());
    return Outcome::kTooMany;
  }

  const auto id = static_cast<std::uint32_t>(state_.queries.size());
  QueryRecord record{};
  record.name = text.add(create.name);
  record.sql = text.add(create.sql);
  record.severity = create.severity;
  record.created_seq = state_.seq;
  record.created = state_.time;
  state_.queries.push_back(record);
  state_.query_index.insert(hash_bytes(create.name), id);
  if (added.ok()) live_.emplace(id, added.value());
  changes_.note(Changes::Of::kQueries, id);
  if (!alerts) return Outcome::kAccepted;
  Raised& raised = raised_[added.value()].emplace_back();
  raised.query = id;
  raised.columns = std::move(columns);
  for (const KeptRow& row : rows) {
    const std::string text_of_row = row_text(row.row, raised.columns);
    raised.alerts.emplace(row.key, raise(id, row.key, text_of_row, AlertReason::kRow, {Cause::kQuery, kNoId, 0, {}}, events));
  }
  return Outcome::kAccepted;
}

Outcome NamedQueries::apply(const QueryDrop& drop, std::vector<AlertEvent>& events) {
  const std::uint32_t id = state_.find_query(drop.name);
  if (id == kNoId || drop.alert != (state_.queries[id].severity != AlertLevel::kNone)) return Outcome::kUnknownQuery;
  QueryRecord& record = state_.queries.write(id);
  record.dropped = true;
  state_.query_index.erase(hash_bytes(drop.name), id);
  dropped_.emplace_back(drop.name);
  changes_.note(Changes::Of::kQueries, id);
  const auto live_at = live_.find(id);
  if (live_at == live_.end()) return Outcome::kAccepted;
  const LiveQueries::Id live = live_at->second;
  live_.erase(live_at);
  if (!drop.alert) {
    watched_.remove(live);
    return Outcome::kAccepted;
  }
  std::vector<Raised>& all = raised_.at(live);
  const auto raised = std::find_if(all.begin(), all.end(), [&](const Raised& one) { return one.query == id; });
  clear_all(*raised, AlertReason::kQueryDropped, {Cause::kQuery, kNoId, 0, {}}, events);
  all.erase(raised);
  if (all.empty()) raised_.erase(live);
  alerting_.remove(live);
  return Outcome::kAccepted;
}

Status NamedQueries::resume() {
  std::map<std::uint32_t, std::vector<std::uint64_t>> open;  // alerts by query
  for (std::uint64_t id = 1; id <= state_.alerts.size(); ++id) {
    const AlertRecord& alert = state_.alerts[id - 1];
    if (!alert.cleared && alert.limit == kNoId) open[alert.query].push_back(id);
  }
  for (std::uint32_t query = 0; query < state_.queries.size(); ++query) {
    if (state_.queries[query].dropped) continue;
    if (Status status = resume(query, open[query]); !status.ok()) return status;
  }
  return ok_status();
}

Status NamedQueries::resume(std::uint32_t query, std::span<const std::uint64_t> alerts) {
  const QueryRecord& record = state_.queries[query];
  const CowText& text = state_.catalog.text;
  const auto wrong = [&](const std::string& what) {
    return Status(Code::kDataLoss, "the query \"" + std::string(text[record.name]) + "\" " + what);
  };
  if (!text[record.failure].empty()) {
    if (alerts.size() != 1) return wrong("has failed and has " + std::to_string(alerts.size()) + " alerts");
    const LiveQueries::Id none = ~LiveQueries::Id{query};  // it is worked out no more
    live_.emplace(query, none);
    raised_[none].push_back({query, {{"", alerts[0]}}, {}});
    return ok_status();
  }
  Result<Plan> plan = prepare(text[record.sql], {});
  if (!plan.ok()) return wrong("is none any more: " + plan.status().message());
  std::vector<ColumnType> columns = plan.value().columns;
  const bool raises = record.severity != AlertLevel::kNone;
  LiveQueries& among = raises ? alerting_ : watched_;
  const Result<LiveQueries::Id> added = among.add(std::make_shared<const Plan>(plan.take()));
  if (added.ok()) live_.emplace(query, added.value());
  if (!raises) return ok_status();
  if (!added.ok()) return added.status();
  std::map<RowKey, std::uint64_t> by_key;
  for (const std::uint64_t alert : alerts) {
    const AlertRecord& known = state_.alerts[alert - 1];
    by_key.emplace(RowKey{known.row_key[0], known.row_key[1]}, alert);
  }
  Raised& raised = raised_[added.value()].emplace_back();
  raised.query = query;
  raised.columns = std::move(columns);
  for (const KeptRow& row : among.rows(added.value())) {
    const auto alert = by_key.find(hash_of(row.key));
    if (alert == by_key.end()) return wrong("has a row without an alert");
    raised.alerts.emplace(row.key, alert->second);
  }
  if (raised.alerts.size() != alerts.size()) return wrong("has an alert without a row");
  return ok_status();
}

void NamedQueries::settle(const CauseOf& cause, std::vector<AlertEvent>& events) {
  if (alerting_.size() == 0) return;
  alerting_.settle();
  const ToldEvents changed = alerting_.take();
  std::vector<std::pair<Raised*, const LiveEvents*>> in_order;  // in which they were made
  for (const LiveEvents& one : changed) {
    const auto all = raised_.find(one.query);
    CHECK(all != raised_.end(), "events of query %llu, which raises no alerts", static_cast<unsigned long long>(one.query));
    for (Raised& raised : all->second) in_order.emplace_back(&raised, &one);
  }
  std::stable_sort(in_order.begin(), in_order.end(), [](const auto& a, const auto& b) { return a.first->query < b.first->query; });
  for (const auto& [raised, one] : in_order) {
    one->failure == nullptr ? take(*raised, *one->events, cause, events) : fail(*raised, one->failure->message(), cause, events);
  }
}

void NamedQueries::take(Raised& of, const QueryEvents& changed, const CauseOf& cause, std::vector<AlertEvent>& events) {
  if (!state_.catalog.text[state_.queries[of.query].failure].empty()) return;
  for (const RowEvent& event : changed.rows) {
    if (event.kind != RowEvent::Kind::kDelete) continue;
    const auto alert = of.alerts.find(std::string(event.key));
    CHECK(alert != of.alerts.end(), "a row leaves that never came");
    clear(alert->second, AlertReason::kRow, event.reason == RowReason::kTime ? CauseOf{} : cause, events);
    of.alerts.erase(alert);
  }
  for (const RowEvent& event : changed.rows) {
    if (event.kind != RowEvent::Kind::kInsert) continue;
    if (of.alerts.size() == limits::kMaxAlertRows) {
      return fail(of, "its answer has more than " + std::to_string(limits::kMaxAlertRows) + " rows", cause, events);
    }
    of.alerts.emplace(event.key, raise(of.query, event.key, row_text(event.after, of.columns), AlertReason::kRow, cause, events));
  }
}

// The one alert that is left says so until the query is dropped.
void NamedQueries::fail(Raised& of, const std::string& why, const CauseOf& cause, std::vector<AlertEvent>& events) {
  clear_all(of, AlertReason::kQueryFailed, cause, events);
  state_.queries.write(of.query).failure = state_.catalog.text.add(why);
  changes_.note(Changes::Of::kQueries, of.query);
  std::string row = "{\"failure\":";
  append_quoted(row, why);
  of.alerts.emplace("", raise(of.query, "", row + '}', AlertReason::kQueryFailed, cause, events));
}

std::uint64_t NamedQueries::raise(std::uint32_t query, std::string_view key, const std::string& row, AlertReason reason,
                                  const CauseOf& cause, std::vector<AlertEvent>& events) {
  AlertRecord alert{};
  alert.limit = alert.node = kNoId;
  alert.query = query;
  alert.row = state_.catalog.text.add(row);
  const RowKey row_key = hash_of(key);
  std::copy(row_key.begin(), row_key.end(), alert.row_key);
  alert.level = state_.queries[query].severity;
  const std::uint64_t id = open_alert(state_, alert);
  append_step(state_, id, AlertStep::kRaised, reason, {}, cause, events);
  return id;
}

void NamedQueries::clear(std::uint64_t alert, AlertReason reason, const CauseOf& cause, std::vector<AlertEvent>& events) {
  close_alert(state_, alert);
  append_step(state_, alert, AlertStep::kCleared, reason, {}, cause, events);
}

void NamedQueries::clear_all(Raised& of, AlertReason reason, const CauseOf& cause, std::vector<AlertEvent>& events) {
  std::vector<std::uint64_t> alerts;
  for (const auto& [key, alert] : of.alerts) alerts.push_back(alert);
  std::sort(alerts.begin(), alerts.end());
  for (const std::uint64_t alert : alerts) clear(alert, reason, cause, events);
  of.alerts.clear();
}

}  // namespace halocline::queries
