#include "tests/oracle/json_commands.h"

#include <cstdlib>
#include <iostream>

#include "base/decimal.h"
#include "base/limits.h"

namespace halocline::testing {
namespace {

using nlohmann::json;

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

}  // namespace

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
  if (type == "QueryCreate") return QueryCreate{text(in, "name"), code<AlertLevel>(in, "severity"), text(in, "sql")};
  if (type == "QueryDrop") return QueryDrop{text(in, "name"), in.at("alert").get<bool>()};
  if (type == "AlertAck") return AlertAck{number<std::uint64_t>(in, "alert_id"), text(in, "by"), text(in, "note")};
  std::cerr << "driver: no command type " << type << "\n";
  std::exit(2);
}

bool encodable(const json& in) {
  for (const auto& [field, value] : in.items()) {
    const std::size_t most = field == "note"      ? limits::kMaxNote
                             : field == "answer"  ? limits::kMaxFixAnswer
                             : field == "message" ? limits::kMaxFixMessage
                             : field == "sql"     ? limits::kMaxNamedQueryBytes
                                                  : limits::kMaxName;
    if (value.is_string() && value.get_ref<const std::string&>().size() > most) return false;
  }
  return true;
}

}  // namespace halocline::testing
