// Feeds commands from JSON lines on standard input to the engine and prints one JSON line of effects for each: the
// engine's side of the comparison with the independent model (tests/oracle/compare.py, which describes both formats).
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "command/codec.h"
#include "engine/engine.h"
#include "engine/views.h"

namespace {

using nlohmann::json;
using namespace halocline;

// The texts of a command are views into `in`, which outlives it.
std::string_view text(const json& in, const char* field) { return in.at(field).get_ref<const std::string&>(); }

template <class T = std::int64_t>
T number(const json& in, const char* field) {
  return in.at(field).get<T>();
}

template <class Enum>
Enum code(const json& in, const char* field) {
  return static_cast<Enum>(number<int>(in, field));
}

Int128 wide(const json& in, const char* field) { return parse_digits(text(in, field)).value(); }

Command command_of(const json& in) {
  const std::string_view type = text(in, "type");
  if (type == "Trade") {
    return Trade{text(in, "source"), text(in, "trade_id"), number<std::uint32_t>(in, "version"), code<Action>(in, "action"),
                 text(in, "book"), text(in, "trader"), text(in, "counterparty"), text(in, "instrument"), code<Side>(in, "side"),
                 number(in, "quantity"), number(in, "price"), number(in, "fees"), number(in, "trade_time")};
  }
  if (type == "TradeReport") {
    return TradeReport{{text(in, "source"), text(in, "trade_id"), 0, code<Action>(in, "action"), text(in, "book"), text(in, "trader"),
                        text(in, "counterparty"), text(in, "instrument"), code<Side>(in, "side"), number(in, "quantity"), number(in, "price"),
                        number(in, "fees"), number(in, "trade_time")},
                       text(in, "reference"), text(in, "desk"), text(in, "currency"), in.at("park").get<bool>()};
  }
  if (type == "FixReceived") {
    return FixReceived{text(in, "session"), number<std::uint32_t>(in, "number"), number<std::uint16_t>(in, "commands"),
                       code<FixReply>(in, "reply"), text(in, "message_type"), text(in, "answer")};
  }
  if (type == "FixSent") {
    return FixSent{text(in, "session"), number<std::uint32_t>(in, "number"), number<std::uint64_t>(in, "answers"), text(in, "message")};
  }
  if (type == "FixReserved") return FixReserved{text(in, "session"), number<std::uint32_t>(in, "number")};
  if (type == "FixReset") return FixReset{text(in, "session")};
  if (type == "Price") return Price{text(in, "instrument"), number(in, "price"), number(in, "price_time")};
  if (type == "FxRate") return FxRate{text(in, "currency"), number(in, "rate"), number(in, "rate_time")};
  if (type == "Firm") return Firm{text(in, "name"), text(in, "currency")};
  if (type == "Currency") return Currency{text(in, "code"), number(in, "rate")};
  if (type == "Desk") return Desk{text(in, "name")};
  if (type == "Book") return Book{text(in, "name"), text(in, "desk")};
  if (type == "Trader") return Trader{text(in, "name"), text(in, "desk")};
  if (type == "Counterparty") return Counterparty{text(in, "name")};
  if (type == "Instrument") {
    return Instrument{text(in, "symbol"), code<InstrumentKind>(in, "kind"), text(in, "currency"), number(in, "multiplier"),
                      text(in, "underlying"), text(in, "sector"), text(in, "issuer"), number<std::uint32_t>(in, "expiry"),
                      number(in, "stale_after")};
  }
  if (type == "Rename") return Rename{code<NodeKind>(in, "kind"), text(in, "from"), text(in, "to")};
  if (type == "EndOfDay") return EndOfDay{number<std::uint32_t>(in, "date")};
  if (type == "Timer") return Timer{};
  if (type == "Limit") {
    return Limit{text(in, "name"), code<NodeKind>(in, "kind"), text(in, "node"), code<Measure>(in, "measure"), wide(in, "warn"),
                 wide(in, "breach"), number(in, "hysteresis"), in.at("hard").get<bool>(), text(in, "owner"),
                 number(in, "escalate_after")};
  }
  if (type == "LimitRemove") return LimitRemove{text(in, "name")};
  if (type == "AlertAck") return AlertAck{number<std::uint64_t>(in, "alert_id"), text(in, "by"), text(in, "note")};
  std::cerr << "driver: no command type " << type << "\n";
  std::exit(2);
}

// The codec takes no text that the gateways must have refused; the engine refuses it as well.
bool encodable(const json& in) {
  for (const auto& [field, value] : in.items()) {
    const std::size_t most = field == "note"      ? limits::kMaxNote
                             : field == "answer"  ? limits::kMaxFixAnswer
                             : field == "message" ? limits::kMaxFixMessage
                                                  : limits::kMaxName;
    if (value.is_string() && value.get_ref<const std::string&>().size() > most) return false;
  }
  return true;
}

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
    const Command command = command_of(in);
    events.clear();
    Applied applied;
    if (encodable(in)) {
      // By the way of its bytes, as from the journal.
      record.clear();
      append_record(command, record);
      applied = engine.apply(number<Seq>(in, "seq"), number(in, "time"), type_of(command),
                             std::span(record).subspan(kRecordHeaderBytes), events);
    } else {
      applied = engine.apply(number<Seq>(in, "seq"), number(in, "time"), command, events);
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
