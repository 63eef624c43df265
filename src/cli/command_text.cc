#include "cli/command_text.h"

#include <algorithm>

#include "cli/text.h"

namespace halocline::cli {
namespace {

// A number that names nothing was journaled as it came; the engine refused it.
std::string name_or_number(std::string_view name, int number) { return name.empty() ? std::to_string(number) : std::string(name); }
std::string kind_text(NodeKind kind) { return name_or_number(kind_name(kind), static_cast<int>(kind)); }
Json optional_time(Nanos time) { return time == 0 ? Json(nullptr) : Json(time_text(time)); }

struct Fields {
  Json operator()(const Timer&) const { return Json::object(); }
  Json operator()(const Trade& t) const {
    Json json{{"source", t.source}, {"trade_id", t.trade_id}, {"version", t.version},
              {"action", name_or_number(action_name(t.action), static_cast<int>(t.action))}};
    if (t.action == Action::kCancel) return json;
    json["book"] = t.book;
    json["trader"] = t.trader;
    json["counterparty"] = t.counterparty;
    json["instrument"] = t.instrument;
    json["side"] = name_or_number(side_name(t.side), static_cast<int>(t.side));
    json["quantity"] = e8_text(t.quantity);
    json["price"] = e8_text(t.price);
    json["fees"] = e8_text(t.fees);
    json["trade_time"] = optional_time(t.trade_time);
    return json;
  }
  Json operator()(const Price& p) const {
    return {{"instrument", p.instrument}, {"price", e8_text(p.price)}, {"price_time", optional_time(p.price_time)}};
  }
  Json operator()(const FxRate& r) const {
    return {{"currency", r.currency}, {"rate", e8_text(r.rate)}, {"rate_time", optional_time(r.rate_time)}};
  }
  Json operator()(const Firm& f) const { return {{"name", f.name}, {"currency", f.currency}}; }
  Json operator()(const Currency& c) const { return {{"code", c.code}, {"rate", e8_text(c.rate)}}; }
  Json operator()(const Desk& d) const { return Json{{"name", d.name}}; }
  Json operator()(const Book& b) const { return {{"name", b.name}, {"desk", b.desk}}; }
  Json operator()(const Trader& t) const { return {{"name", t.name}, {"desk", t.desk}}; }
  Json operator()(const Counterparty& c) const { return Json{{"name", c.name}}; }
  Json operator()(const Instrument& i) const {
    return {{"symbol", i.symbol}, {"kind", name_or_number(instrument_kind_name(i.kind), static_cast<int>(i.kind))},
            {"currency", i.currency}, {"multiplier", e8_text(i.multiplier)}, {"underlying", i.underlying}, {"sector", i.sector},
            {"issuer", i.issuer}, {"expiry", i.expiry}, {"stale_after_ns", i.stale_after}};
  }
  Json operator()(const Rename& r) const { return {{"kind", kind_text(r.kind)}, {"from", r.from}, {"to", r.to}}; }
  Json operator()(const EndOfDay& e) const { return Json{{"date", e.date}}; }
  Json operator()(const Limit& l) const {
    return {{"name", l.name}, {"kind", kind_text(l.kind)}, {"node", l.node},
            {"measure", name_or_number(measure_name(l.measure), static_cast<int>(l.measure))}, {"warn", to_decimal(l.warn)},
            {"breach", to_decimal(l.breach)}, {"hysteresis", e8_text(l.hysteresis)}, {"hard", l.hard}, {"owner", l.owner},
            {"escalate_after_ns", l.escalate_after}};
  }
  Json operator()(const LimitRemove& l) const { return Json{{"name", l.name}}; }
  Json operator()(const AlertAck& a) const { return {{"alert_id", a.alert_id}, {"by", a.by}, {"note", a.note}}; }
  Json operator()(const TradeReport& r) const {
    Json json = (*this)(r.trade);
    json.erase("version");
    json.update({{"reference", r.reference}, {"desk", r.desk}, {"currency", r.currency}});
    if (r.park) json["park"] = true;
    return json;
  }
  Json operator()(const FixReceived& r) const {
    return {{"session", r.session}, {"number", r.number}, {"message_type", r.message_type}, {"commands", r.commands}};
  }
  Json operator()(const FixSent& s) const {
    std::string message(s.message);
    std::replace(message.begin(), message.end(), '\x01', '|');
    return {{"session", s.session}, {"number", s.number}, {"answers", s.answers}, {"message", message}};
  }
  Json operator()(const FixReserved& r) const { return {{"session", r.session}, {"number", r.number}}; }
  Json operator()(const FixReset& r) const { return Json{{"session", r.session}}; }
  Json operator()(const QueryCreate& q) const {
    return {{"name", q.name}, {"severity", q.severity == AlertLevel::kNone ? "" : name_or_number(level_name(q.severity),
        static_cast<int>(q.severity))}, {"sql", q.sql}};
  }
  Json operator()(const QueryDrop& q) const { return {{"name", q.name}, {"alert", q.alert}}; }
};

}  // namespace

Json command_json(const Command& command) {
  Json json{{"type", type_name(type_of(command))}};
  json.update(std::visit(Fields{}, command));
  return json;
}

std::string command_line(const Command& command) {
  std::string line(type_name(type_of(command)));
  const Json fields = std::visit(Fields{}, command);
  for (const auto& [name, value] : fields.items()) {
    if (value.is_null() || value == "" || value == 0) continue;
    line += " " + name + "=" + (value.is_string() && value.get<std::string>().find(' ') == std::string::npos
                                    ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return line;
}

}  // namespace halocline::cli
