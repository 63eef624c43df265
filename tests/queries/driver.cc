// Commands and queries from JSON lines on standard input, one JSON line of answer for each (tests/queries/books.py speaks it).
//   {"seq": 1, "time": ns, "type": "Trade", …}       a command, as in tests/oracle  →  {"outcome": "ACCEPTED"}
//   {"query": "SELECT …", "parameters": {"1": 5}}    →  {"columns": [["name", "type"], …], "rows": [["text" or null, …], …]}
//                                                    or {"error": "…"}
//   {"watch": "SELECT …", "parameters": {…}}         →  {"id": 1, "rows": [["key", [values]], …]} or {"error": "…"}
//                                                    or {"id": 1, "put_off": true} when more is to be read than is allowed:
//   {"read_at_most": rows or null}                   →  {}
//   {"prepare": true}                                →  {}  what is put off begins to be made ready from the books as they are, and is brought
//                                                           up to them each time this is said again
//   {"adopt": true}                                  →  {"live": [[id, rows], …], "ended": [id, …]}, of those that were prepared
//   {"unwatch": 1}                                   →  {}
//   A command's answer has "events" when there is any: [[id, kind, "key", before or null, after or null, reason], …], or [id, "…"] when it failed.
//   {"statement": "CREATE …"}                        →  the command it becomes, or {"error": "…"}
//   A command's answer has "alerts" when queries raised or cleared any: [[alert, "RAISED", "query", "row", "reason"], …]
//   {"sources": true}                                →  {"page": "…"}, the part of docs/queries.md about sources
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/decimal.h"
#include "engine/engine.h"
#include "engine/queries/live_queries.h"
#include "engine/queries/preparation.h"
#include "engine/queries/run.h"
#include "engine/queries/schema.h"
#include "tests/oracle/json_commands.h"

namespace {

using nlohmann::json;
using namespace halocline;

QueryParameters parameters_of(const json& in) {
  QueryParameters parameters;
  for (const auto& [name, value] : in.items()) {
    QueryParameter parameter;
    parameter.null = value.is_null();
    if (value.is_boolean()) parameter.type = ValueType::kBool, parameter.number = value.get<bool>() ? 1 : 0;
    if (value.is_number_integer()) parameter.type = ValueType::kInt, parameter.number = value.get<std::int64_t>();
    if (value.is_string()) parameter.type = ValueType::kText, parameter.text = value.get<std::string>();
    parameters.emplace(name, std::move(parameter));
  }
  return parameters;
}

json row_json(std::string_view row, const std::vector<ColumnType>& columns) {
  json out = json::array();
  PackedReader reader(row);
  for (const ColumnType& column : columns) {
    const Value value = reader.next(column.type);
    value.null ? out.push_back(nullptr) : out.push_back(value_text(value, column.type));
  }
  return out;
}

json answer(const json& in, const State& state) {
  Result<queries::Plan> plan = queries::prepare(in.at("query").get<std::string>(), parameters_of(in.value("parameters", json::object())));
  if (!plan.ok()) return {{"error", plan.status().message()}};
  const Result<QueryRows> rows = queries::run(plan.value(), state);
  if (!rows.ok()) return {{"error", rows.status().message()}};
  json out{{"columns", json::array()}, {"rows", json::array()}};
  for (const ColumnType& column : rows.value().columns) out["columns"].push_back({column.name, value_type_name(column.type)});
  for (const std::string& row : rows.value().rows) out["rows"].push_back(row_json(row, rows.value().columns));
  return out;
}

json statement(const std::string& sql) {
  const Result<queries::Request> request = queries::read_request(sql, {});
  if (!request.ok()) return {{"error", request.status().message()}};
  if (const auto* create = std::get_if<queries::CreateRequest>(&request.value())) {
    return {{"type", "QueryCreate"}, {"name", create->name}, {"severity", static_cast<int>(create->severity)}, {"sql", create->sql}};
  }
  if (const auto* drop = std::get_if<queries::DropRequest>(&request.value())) {
    return {{"type", "QueryDrop"}, {"name", drop->name}, {"alert", drop->alert}};
  }
  return {{"error", "this is a SELECT"}};
}

json alerts_of(const std::vector<AlertEvent>& events) {
  json out = json::array();
  for (const AlertEvent& event : events) {
    if (event.query.empty()) continue;
    out.push_back({event.alert_id, step_name(event.step), event.query, event.row, reason_name(event.reason)});
  }
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    for (const int shift : {4, 0}) out.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> shift & 15]);
  }
  return out;
}

class Watches {
 public:
  explicit Watches(Engine& engine) : engine_(engine) {}

  json add(const json& in) {
    Result<queries::Plan> plan = queries::prepare(in.at("watch").get<std::string>(), parameters_of(in.value("parameters", json::object())));
    if (!plan.ok()) return {{"error", plan.status().message()}};
    const std::vector<ColumnType> columns = plan.value().columns;
    auto known = std::make_shared<const queries::Plan>(plan.take());
    const auto id = engine_.queries().add(known);
    if (!id.ok()) return {{"error", id.status().message()}};
    columns_[id.value()] = columns;
    plans_[id.value()] = std::move(known);
    if (!engine_.queries().is_live(id.value())) return {{"id", id.value()}, {"put_off", true}};
    return {{"id", id.value()}, {"rows", rows(id.value())}};
  }

  void read_at_most(const json& most) { engine_.queries().read_at_most(most.is_null() ? SIZE_MAX : most.get<std::size_t>()); }

  void prepare() {
    if (preparation_ == nullptr) {
      preparation_ = std::make_unique<queries::Preparation>(engine_.queries().take_put_off(SIZE_MAX));
      preparation_->catch_up(*engine_.snapshot(), queries::NotedChanges());
    } else {
      preparation_->catch_up(*engine_.snapshot(), engine_.queries().take_noted());
    }
    engine_.queries().note_for(*preparation_);
  }

  json adopt() {
    prepare();
    static_cast<void>(engine_.queries().take_noted());
    json out{{"live", json::array()}, {"ended", json::array()}};
    for (const auto& [id, status] : engine_.queries().adopt(*preparation_)) {
      status.ok() ? out["live"].push_back({id, rows(id)}) : out["ended"].push_back(id);
    }
    preparation_.reset();
    return out;
  }

  json events() {
    json out = json::array();
    for (const queries::LiveEvents& one : engine_.queries().take()) {
      if (one.failure != nullptr) out.push_back({one.query, one.failure->message()});
      if (one.events == nullptr || !columns_.contains(one.query)) continue;  // a query with a name that nobody watches
      for (const RowEvent& event : one.events->rows) {
        const auto row = [&](std::string_view packed, bool has) { return has ? row_json(packed, columns_.at(one.query)) : json(); };
        out.push_back({one.query, static_cast<int>(event.kind), hex(event.key), row(event.before, event.kind != RowEvent::Kind::kInsert),
                       row(event.after, event.kind != RowEvent::Kind::kDelete), static_cast<int>(event.reason)});
      }
    }
    return out;
  }

 private:
  // The answer now: from the engine, or, when that would be too much, from a snapshot.
  json rows(std::uint64_t id) {
    json out = json::array();
    const auto append = [&](const std::vector<KeptRow>& rows) {
      for (const KeptRow& one : rows) out.push_back({hex(one.key), row_json(one.row, columns_.at(id))});
    };
    if (engine_.queries().read_now(id)) {
      append(engine_.queries().rows(id));
      return out;
    }
    Changes unchanged;
    const Snapshot books = engine_.snapshot();
    queries::LiveQueries aside(*books, unchanged);
    append(aside.rows(aside.add(plans_.at(id)).value()));
    return out;
  }

  Engine& engine_;
  std::map<std::uint64_t, std::vector<ColumnType>> columns_;
  std::map<std::uint64_t, std::shared_ptr<const queries::Plan>> plans_;
  std::unique_ptr<queries::Preparation> preparation_;
};

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  Engine engine;
  Watches watches(engine);
  std::vector<AlertEvent> events;
  std::string line;
  while (std::getline(std::cin, line)) {
    const json in = json::parse(line);
    json out;
    if (in.contains("sources")) {
      out = {{"page", queries::sources_page()}};
    } else if (in.contains("statement")) {
      out = statement(in.at("statement").get<std::string>());
    } else if (in.contains("watch")) {
      out = watches.add(in);
    } else if (in.contains("read_at_most")) {
      watches.read_at_most(in.at("read_at_most"));
      out = json::object();
    } else if (in.contains("prepare")) {
      watches.prepare();
      out = json::object();
    } else if (in.contains("adopt")) {
      out = watches.adopt();
    } else if (in.contains("unwatch")) {
      engine.queries().remove(in.at("unwatch").get<std::uint64_t>());
      out = json::object();
    } else if (in.contains("query")) {
      out = answer(in, *engine.snapshot());
    } else {
      events.clear();
      const Command command = testing::command_of(in);
      const Applied applied = engine.apply(in.at("seq").get<Seq>(), in.at("time").get<Nanos>(), command, events);
      out = {{"outcome", outcome_name(applied.outcome)}};
      if (json changed = watches.events(); !changed.empty()) out["events"] = std::move(changed);
      if (json alerts = alerts_of(events); !alerts.empty()) out["alerts"] = std::move(alerts);
    }
    std::cout << out.dump() << "\n" << std::flush;
  }
}
