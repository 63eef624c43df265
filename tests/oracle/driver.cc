// Feeds commands from JSON lines on standard input to the engine and prints one JSON line of effects for each: the
// engine's side of the comparison with the independent model (tests/oracle/compare.py, which describes both formats).
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "command/codec.h"
#include "engine/engine.h"
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

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  Engine engine;
  std::vector<AlertEvent> events;
  std::vector<std::byte> record;
  std::string line;
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
    json out{{"seq", in.at("seq")}, {"outcome", outcome_name(applied.outcome)}, {"first_seq", applied.first_seq},
             {"digest", views::state_digest(*snapshot)}, {"events", json::array()}};
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
    std::cout << out.dump() << "\n";
    if (in.value("flush", false)) std::cout.flush();
  }
}
