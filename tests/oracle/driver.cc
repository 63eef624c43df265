// Feeds commands from JSON lines on standard input to the engine and prints one JSON line of effects for each: the
// engine's side of the comparison with the independent model (tests/oracle/compare.py, which describes both formats).
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "command/codec.h"
#include "engine/effective.h"
#include "engine/engine.h"
#include "engine/queries/run.h"
#include "engine/running_digest.h"
#include "engine/views.h"
#include "tests/oracle/json_commands.h"

namespace {

using nlohmann::json;
using namespace halocline;

json event_json(const AlertEvent& e) {
  std::string key = e.cause_name;
  if (e.cause == Cause::kTrade) key = e.cause_source + "/" + e.cause_trade_id + "/" + std::to_string(e.cause_version);
  return {{"event", e.event_id}, {"alert", e.alert_id}, {"step", static_cast<int>(e.step)}, {"reason", static_cast<int>(e.reason)},
          {"seq", e.seq}, {"time", e.time}, {"limit", e.limit}, {"node_kind", static_cast<int>(e.node_kind)}, {"node", e.node},
          {"measure", static_cast<int>(e.measure)}, {"level", static_cast<int>(e.level)}, {"value", to_digits(e.value)},
          {"threshold", to_digits(e.threshold)}, {"hard", e.hard}, {"owner", e.owner}, {"by", e.by}, {"note", e.note},
          {"cause", cause_name(e.cause)}, {"cause_key", key}};
}

json positions_json(const State& state) {
  json rows = json::array();
  for (const PositionRow& p : views::positions(state, {})) {
    rows.push_back({static_cast<int>(p.node_kind), p.node, p.instrument, to_digits(p.quantity),
                    to_digits(p.total_pnl - p.market_value), p.trades, to_digits(p.market_value), to_digits(p.cost),
                    to_digits(p.average_price), to_digits(p.realised), to_digits(p.unrealised)});
  }
  return rows;
}

// What was effective at a time, line by line: the trades, the positions, the nodes.
json effective_json(const State& then, const State& known, Nanos time) {
  const Result<Snapshot> books = effective_books(then, known, time);
  if (!books.ok()) return json::array({json::array({"refused"})});
  json rows = json::array();
  const Result<queries::Request> trades = queries::read_request("SELECT source, trade_id, version FROM trades", {});
  const Result<QueryRows> answer = queries::run(std::get<queries::Plan>(trades.value()), *books.value());
  for (const std::string& row : answer.value().rows) {
    PackedReader fields(row);
    const std::string source(fields.next(ValueType::kText).text), id(fields.next(ValueType::kText).text);
    rows.push_back({"trade", source, id, to_digits(fields.next(ValueType::kInt).number)});
  }
  for (const json& position : positions_json(*books.value())) {
    rows.push_back({"position"});
    rows.back().insert(rows.back().end(), position.begin(), position.end());
  }
  for (const NodeRow& n : views::nodes(*books.value(), {})) {
    rows.push_back({"node", n.id, n.name, n.parent, to_digits(n.net), to_digits(n.long_exposure), to_digits(n.short_exposure),
                    to_digits(n.total_pnl), to_digits(n.day_pnl), to_digits(n.drawdown), to_digits(n.concentration),
                    to_digits(n.largest_trade), n.trade_rate, to_digits(n.stale)});
  }
  return rows;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  Engine engine;
  std::vector<AlertEvent> events;
  std::vector<std::byte> record;
  std::string line;
  std::map<Seq, Snapshot> kept{{0, engine.snapshot()}};
  views::RunningDigest running;
  while (std::getline(std::cin, line)) {
    const json in = json::parse(line);
    const Command command = testing::command_of(in);
    events.clear();
    Applied applied;
    if (testing::encodable(in)) {
      // By the way of its bytes, as from the journal.
      record.clear();
      append_record(command, record);
      applied = engine.apply(in.at("seq").get<Seq>(), in.at("time").get<Nanos>(), type_of(command),
                             std::span(record).subspan(kRecordHeaderBytes), events);
    } else {
      applied = engine.apply(in.at("seq").get<Seq>(), in.at("time").get<Nanos>(), command, events);
    }
    const Snapshot snapshot = engine.snapshot();
    const std::string digest = running.of(snapshot);
    CHECK(digest == views::state_digest(*snapshot), "the running digest is another one");
    json out{{"seq", in.at("seq")}, {"outcome", outcome_name(applied.outcome)}, {"first_seq", applied.first_seq},
             {"digest", digest}, {"events", json::array()}};
    for (const AlertEvent& event : events) out["events"].push_back(event_json(event));
    if (in.value("dump", false)) {
      out["positions"] = positions_json(*snapshot);
      std::vector<std::string> lines;
      views::digest_lines(
          *snapshot,
          [](void* to, std::string_view one) { static_cast<std::vector<std::string>*>(to)->emplace_back(one.substr(0, one.size() - 1)); },
          &lines);
      out["lines"] = lines;
    }
    if (in.contains("effective")) {
      kept[engine.last_seq()] = snapshot;
      out["effective"] = json::array();
      for (const json& one : in["effective"]) {
        for (json& row : effective_json(*kept.at(one[0].get<Seq>()), *snapshot, one[1].get<Nanos>())) {
          row.insert(row.begin(), one);
          out["effective"].push_back(std::move(row));
        }
      }
    }
    std::cout << out.dump() << "\n";
    if (in.value("flush", false)) std::cout.flush();
  }
}
