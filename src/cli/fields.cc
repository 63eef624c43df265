#include "cli/fields.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/decimal.h"
#include "cli/text.h"
#include "command/command.h"

namespace halocline::cli {
namespace {

Status wrong(std::string_view field, const std::string& text, const std::string& what) {
  return Status(Code::kInvalidArgument, std::string(field) + ": \"" + text.substr(0, 80) + "\" is not " + what);
}

template <class Set>
Status decimal(std::string_view field, const std::string& text, Set set) {
  const std::optional<std::int64_t> value = parse_decimal(text);
  if (!value) return wrong(field, text, "a decimal number like 1500 or 99.125 (at most 8 decimals)");
  set(*value);
  return ok_status();
}

template <class Set>
Status time(std::string_view field, const std::string& text, Set set) {
  const std::optional<std::int64_t> value = parse_time(text);
  if (!value) return wrong(field, text, "a UTC time like 2026-11-24T10:42:13.5Z, nanoseconds since 1970, or now");
  set(*value);
  return ok_status();
}

std::string upper(const std::string& text) {
  std::string out = text;
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

// Takes a flat object apart; numbers keep their digits, which a parsed double would not.
class FlatObject {
 public:
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  Pairs pairs;
  std::string error;

  bool null() { return value(""); }
  bool boolean(bool b) { return value(b ? "true" : "false"); }
  bool number_integer(std::int64_t n) { return value(std::to_string(n)); }
  bool number_unsigned(std::uint64_t n) { return value(std::to_string(n)); }
  bool number_float(double, const std::string& digits) { return value(digits); }
  bool string(std::string& text) { return value(text); }
  bool binary(std::vector<std::uint8_t>&) { return refuse("binary data"); }
  bool start_object(std::size_t) { return depth_++ == 0 || refuse(key_ + " is an object, expected a plain value"); }
  bool end_object() { return true; }
  bool start_array(std::size_t) {
    return refuse(depth_ == 0 ? "an array, expected one object a line" : key_ + " is an array, expected a plain value");
  }
  bool end_array() { return true; }
  bool key(std::string& name) {
    key_ = name;
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception&) {
    return refuse("not JSON at column " + std::to_string(at));
  }

 private:
  bool value(const std::string& text) {
    if (depth_ == 0) return refuse("not an object: expected {\"source\": …}");
    pairs.emplace_back(key_, text);
    return true;
  }
  bool refuse(const std::string& what) {
    if (error.empty()) error = what;
    return false;
  }

  int depth_ = 0;
  std::string key_;
};

}  // namespace

const std::vector<std::string> kTradeFields = {"source", "trade_id", "version", "action", "book", "trader", "counterparty",
                                               "instrument", "side", "quantity", "price", "fees", "trade_time"};
const std::vector<std::string> kPriceFields = {"instrument", "price", "time"};
const std::vector<std::string> kRateFields = {"currency", "rate", "time"};

Status unknown_field(std::string_view name, const std::vector<std::string>& known) {
  std::string text = "unknown field \"" + std::string(name.substr(0, 80)) + "\"";
  if (const std::string meant = closest(name, known); !meant.empty()) {
    text += ": did you mean " + meant + "?";
  } else {
    text += "; known are";
    for (std::size_t i = 0; i < known.size(); ++i) text += (i == 0 ? " " : ", ") + known[i];
  }
  return Status(Code::kInvalidArgument, text);
}

Status set_field(v1::Trade& trade, std::string_view name, const std::string& text) {
  if (std::find(kTradeFields.begin(), kTradeFields.end(), name) == kTradeFields.end()) return unknown_field(name, kTradeFields);
  if (text.empty()) return ok_status();
  if (name == "source") return trade.set_source(text), ok_status();
  if (name == "trade_id") return trade.set_trade_id(text), ok_status();
  if (name == "book") return trade.set_book(text), ok_status();
  if (name == "trader") return trade.set_trader(text), ok_status();
  if (name == "counterparty") return trade.set_counterparty(text), ok_status();
  if (name == "instrument") return trade.set_instrument(text), ok_status();
  if (name == "quantity") return decimal(name, text, [&](std::int64_t v) { trade.set_quantity_e8(v); });
  if (name == "price") return decimal(name, text, [&](std::int64_t v) { trade.set_price_e8(v); });
  if (name == "fees") return decimal(name, text, [&](std::int64_t v) { trade.set_fees_e8(v); });
  if (name == "trade_time") return time(name, text, [&](std::int64_t v) { trade.set_trade_time_ns(v); });
  if (name == "side") {
    const Side side = side_from(upper(text));
    if (static_cast<int>(side) == 0) return wrong(name, text, "BUY or SELL");
    return trade.set_side(static_cast<v1::Side>(side)), ok_status();
  }
  if (name == "action") {
    const Action action = action_from(upper(text));
    if (static_cast<int>(action) == 0) return wrong(name, text, "NEW, AMEND or CANCEL");
    return trade.set_action(static_cast<v1::Action>(action)), ok_status();
  }
  std::uint32_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size()) return wrong(name, text, "a version: 1, 2, 3 …");
  return trade.set_version(version), ok_status();
}

Status set_field(v1::Price& price, std::string_view name, const std::string& text) {
  if (name == "instrument") return price.set_instrument(text), ok_status();
  if (name == "price") return decimal(name, text, [&](std::int64_t v) { price.set_price_e8(v); });
  if (name != "time") return unknown_field(name, kPriceFields);
  if (text.empty()) return ok_status();
  return time(name, text, [&](std::int64_t v) { price.set_price_time_ns(v); });
}

Status set_field(v1::FxRate& rate, std::string_view name, const std::string& text) {
  if (name == "currency") return rate.set_currency(text), ok_status();
  if (name == "rate") return decimal(name, text, [&](std::int64_t v) { rate.set_rate_e8(v); });
  if (name != "time") return unknown_field(name, kRateFields);
  if (text.empty()) return ok_status();
  return time(name, text, [&](std::int64_t v) { rate.set_rate_time_ns(v); });
}

const std::vector<std::pair<std::string, std::vector<std::string>>>& reference_kinds() {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> kinds = {
      {"firm", {"name", "currency"}},
      {"currency", {"code", "rate"}},
      {"desk", {"name"}},
      {"book", {"name", "desk"}},
      {"trader", {"name", "desk"}},
      {"counterparty", {"name"}},
      {"instrument", {"symbol", "kind", "currency", "multiplier", "underlying", "sector", "issuer", "expiry", "stale_after"}},
  };
  return kinds;
}

Result<v1::ReferenceItem> new_item(const std::string& kind) {
  v1::ReferenceItem item;
  if (kind == "firm") item.mutable_firm();
  else if (kind == "currency") item.mutable_currency();
  else if (kind == "desk") item.mutable_desk();
  else if (kind == "book") item.mutable_book();
  else if (kind == "trader") item.mutable_trader();
  else if (kind == "counterparty") item.mutable_counterparty();
  else if (kind == "instrument") item.mutable_instrument()->set_multiplier_e8(100'000'000);
  else {
    std::vector<std::string> known;
    for (const auto& [name, fields] : reference_kinds()) known.push_back(name);
    const std::string meant = closest(kind, known);
    return Status(Code::kInvalidArgument, "unknown kind of reference data \"" + kind + "\"" +
                                              (meant.empty() ? "; known are firm, currency, desk, book, trader, counterparty, instrument"
                                                             : ": did you mean " + meant + "?"));
  }
  return item;
}

Status set_field(v1::ReferenceItem& item, std::string_view name, const std::string& text) {
  const auto& fields = reference_kinds()[static_cast<std::size_t>(item.item_case()) - 1].second;
  if (std::find(fields.begin(), fields.end(), name) == fields.end()) return unknown_field(name, fields);
  switch (item.item_case()) {
    case v1::ReferenceItem::kFirm:
      name == "name" ? item.mutable_firm()->set_name(text) : item.mutable_firm()->set_currency(text);
      return ok_status();
    case v1::ReferenceItem::kCurrency:
      if (name == "code") return item.mutable_currency()->set_code(text), ok_status();
      return decimal(name, text, [&](std::int64_t v) { item.mutable_currency()->set_rate_e8(v); });
    case v1::ReferenceItem::kDesk: return item.mutable_desk()->set_name(text), ok_status();
    case v1::ReferenceItem::kBook:
      name == "name" ? item.mutable_book()->set_name(text) : item.mutable_book()->set_desk(text);
      return ok_status();
    case v1::ReferenceItem::kTrader:
      name == "name" ? item.mutable_trader()->set_name(text) : item.mutable_trader()->set_desk(text);
      return ok_status();
    case v1::ReferenceItem::kCounterparty: return item.mutable_counterparty()->set_name(text), ok_status();
    default: break;
  }
  v1::InstrumentItem& instrument = *item.mutable_instrument();
  if (name == "symbol") return instrument.set_symbol(text), ok_status();
  if (name == "currency") return instrument.set_currency(text), ok_status();
  if (name == "underlying") return instrument.set_underlying(text), ok_status();
  if (name == "sector") return instrument.set_sector(text), ok_status();
  if (name == "issuer") return instrument.set_issuer(text), ok_status();
  if (text.empty()) return ok_status();
  if (name == "multiplier") return decimal(name, text, [&](std::int64_t v) { instrument.set_multiplier_e8(v); });
  if (name == "kind") {
    const InstrumentKind kind = instrument_kind_from(text);
    if (static_cast<int>(kind) == 0) return wrong(name, text, "equity, future or fx_pair");
    return instrument.set_kind(static_cast<v1::InstrumentKind>(kind)), ok_status();
  }
  if (name == "expiry") {
    const std::optional<std::uint32_t> date = text == "0" ? 0 : parse_date(text);
    if (!date) return wrong(name, text, "a date like 20261218 or 2026-12-18");
    return instrument.set_expiry(*date), ok_status();
  }
  const std::optional<std::int64_t> stale_after = parse_duration(text);
  if (!stale_after) return wrong(name, text, "a duration like 500ms, 30s, 5m or 0 for never");
  return instrument.set_stale_after_ns(*stale_after), ok_status();
}

std::string item_text(const v1::ReferenceItem& item) {
  switch (item.item_case()) {
    case v1::ReferenceItem::kFirm: return "firm " + item.firm().name();
    case v1::ReferenceItem::kCurrency: return "currency " + item.currency().code();
    case v1::ReferenceItem::kDesk: return "desk " + item.desk().name();
    case v1::ReferenceItem::kBook: return "book " + item.book().name();
    case v1::ReferenceItem::kTrader: return "trader " + item.trader().name();
    case v1::ReferenceItem::kCounterparty: return "counterparty " + item.counterparty().name();
    case v1::ReferenceItem::kInstrument: return "instrument " + item.instrument().symbol();
    case v1::ReferenceItem::kRename: return "rename " + item.rename().from();
    default: return "nothing";
  }
}

Result<std::vector<std::pair<std::string, std::string>>> parse_json_fields(const std::string& line) {
  FlatObject object;
  if (!nlohmann::json::sax_parse(line, &object) || !object.error.empty()) return Status(Code::kInvalidArgument, object.error);
  return std::move(object.pairs);
}

}  // namespace halocline::cli
