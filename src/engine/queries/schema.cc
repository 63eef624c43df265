#include "engine/queries/schema.h"

#include <array>

#include "base/prefetch.h"
#include "engine/risk/average_cost.h"

namespace halocline::queries {
namespace {

using enum ValueType;

const Catalog& catalog_of(const Reader& r) { return r.state.catalog; }

Value text_or_null(std::string_view text) { return text.empty() ? Value{} : Value::of_text(text); }
Value name_of(const Reader& r, std::uint32_t node) { return text_or_null(catalog_of(r).name_of(node)); }
Value text_of(const Reader& r, Text text) { return text_or_null(catalog_of(r).text[text]); }
Value flag(bool yes) { return Value::of(yes ? 1 : 0); }
Value time_or_null(Nanos time) { return time == 0 ? Value{} : Value::of(time); }

// What belongs to an instrument, on every row that has one. `instrument_of` gives its id, kNoId for none.
template <std::uint32_t (*instrument_of)(const Reader&, std::uint32_t)>
struct OfInstrument {
  template <class Get>
  static Value with(const Reader& r, std::uint32_t row, Get get) {
    const std::uint32_t id = instrument_of(r, row);
    return id == kNoId ? Value{} : get(catalog_of(r).instruments[id]);
  }
  static Value symbol(const Reader& r, std::uint32_t row) {
    return with(r, row, [&](const InstrumentRecord& i) { return text_of(r, i.symbol); });
  }
  static Value kind(const Reader& r, std::uint32_t row) {
    return with(r, row, [](const InstrumentRecord& i) { return Value::of_text(instrument_kind_name(i.kind)); });
  }
  static Value currency(const Reader& r, std::uint32_t row) {
    return with(r, row, [&](const InstrumentRecord& i) { return text_of(r, catalog_of(r).currencies[i.currency].code); });
  }
  static Value underlying(const Reader& r, std::uint32_t row) {
    return with(r, row, [&](const InstrumentRecord& i) { return name_of(r, i.underlying_node); });
  }
  static Value sector(const Reader& r, std::uint32_t row) {
    return with(r, row, [&](const InstrumentRecord& i) { return name_of(r, i.sector_node); });
  }
  static Value issuer(const Reader& r, std::uint32_t row) {
    return with(r, row, [&](const InstrumentRecord& i) { return text_of(r, i.issuer); });
  }
  static Value expiry(const Reader& r, std::uint32_t row) {
    return with(r, row, [](const InstrumentRecord& i) { return i.expiry == 0 ? Value{} : Value::of(i.expiry); });
  }
  static Value multiplier(const Reader& r, std::uint32_t row) {
    return with(r, row, [](const InstrumentRecord& i) { return Value::of(i.multiplier); });
  }
};

#define HALOCLINE_INSTRUMENT_COLUMNS(of)                                                               \
  {"instrument_kind", kText, "", "equity, future or fx_pair", Calls<of::kind>{}},                      \
      {"currency", kText, "", "the instrument's currency", Calls<of::currency>{}},                     \
      {"underlying", kText, "", "the instrument's underlying", Calls<of::underlying>{}},               \
      {"sector", kText, "", "the instrument's sector; null for none", Calls<of::sector>{}},            \
      {"issuer", kText, "", "the instrument's issuer; null for none", Calls<of::issuer>{}},            \
      {"expiry", kInt, "yyyymmdd", "the instrument's expiry; null for none", Calls<of::expiry>{}},     \
      {"multiplier", kDecimal, "", "units of the underlying in one contract", Calls<of::multiplier>{}}

Value firm_name(const Reader& r, std::uint32_t) { return name_of(r, 0); }

// --- trades ---

const TradeRecord& trade_at(const Reader& r, std::uint32_t row) { return r.trade != nullptr ? *r.trade : r.state.trades[row]; }
std::uint32_t instrument_of_trade(const Reader& r, std::uint32_t row) { return trade_at(r, row).instrument; }
std::uint32_t book_of_trade(const Reader& r, std::uint32_t row) { return trade_at(r, row).book; }
std::uint32_t trader_of_trade(const Reader& r, std::uint32_t row) { return trade_at(r, row).trader; }
std::uint32_t counterparty_of_trade(const Reader& r, std::uint32_t row) { return trade_at(r, row).counterparty; }
using OfTrade = OfInstrument<instrument_of_trade>;

template <std::uint32_t (*id_of)(const Reader&, std::uint32_t)>
void ids(const Reader& r, std::span<const std::uint32_t> rows, std::span<const std::uint32_t> places, std::uint32_t* out) {
  for (const std::uint32_t place : places) *out++ = id_of(r, rows[place]);
}

// A field that a tombstone does not have.
template <class Get>
Value of_known(const Reader& r, std::uint32_t row, Get get) {
  const TradeRecord& trade = trade_at(r, row);
  return trade.book == kNoId ? Value{} : get(trade);
}
Value notional(const Reader& r, std::uint32_t row, bool with_sign) {
  return of_known(r, row, [&](const TradeRecord& t) {
    const Money size = value_of(t.quantity, t.price, catalog_of(r).instruments[t.instrument].multiplier);
    return Value::of(with_sign && t.side == Side::kSell ? -size : size);
  });
}

constexpr Column kTradeColumns[] = {
    {"source", kText, "", "who sent it",
     [](const Reader& r, std::uint32_t row) { return Value::of_text(r.state.source_of(trade_at(r, row))); }},
    {"trade_id", kText, "", "its id within the source",
     [](const Reader& r, std::uint32_t row) { return Value::of_text(r.state.trade_id_of(trade_at(r, row))); }},
    {"version", kInt, "", "of its current version", [](const Reader& r, std::uint32_t row) { return Value::of(trade_at(r, row).version); }},
    {"status", kText, "", "NEW or AMENDED while it counts, else CANCELLED (also of tombstones)",
     [](const Reader& r, std::uint32_t row) {
       const TradeRecord& t = trade_at(r, row);
       return Value::of_text(t.status == TradeStatus::kCancelled ? "CANCELLED" : t.action == Action::kAmend ? "AMENDED" : "NEW");
     }},
    {"live", kBool, "", "whether it counts",
     [](const Reader& r, std::uint32_t row) { return flag(trade_at(r, row).status == TradeStatus::kLive); }},
    {"book", kText, "", "", [](const Reader& r, std::uint32_t row) { return name_of(r, trade_at(r, row).book); },
     ids<book_of_trade>},
    {"desk", kText, "", "the book's desk, as it is now",
     [](const Reader& r, std::uint32_t row) {
       return of_known(r, row, [&](const TradeRecord& t) { return name_of(r, catalog_of(r).nodes[t.book].parent); });
     }},
    {"firm", kText, "", "the firm", Calls<firm_name>{}},
    {"trader", kText, "", "", [](const Reader& r, std::uint32_t row) { return name_of(r, trade_at(r, row).trader); },
     ids<trader_of_trade>},
    {"trader_desk", kText, "", "the trader's home desk; null for none",
     [](const Reader& r, std::uint32_t row) {
       return of_known(r, row, [&](const TradeRecord& t) { return name_of(r, catalog_of(r).nodes[t.trader].parent); });
     }},
    {"counterparty", kText, "", "", [](const Reader& r, std::uint32_t row) { return name_of(r, trade_at(r, row).counterparty); },
     ids<counterparty_of_trade>},
    {"instrument", kText, "", "its symbol", Calls<OfTrade::symbol>{}, ids<instrument_of_trade>},
    HALOCLINE_INSTRUMENT_COLUMNS(OfTrade),
    {"side", kText, "", "BUY or SELL",
     [](const Reader& r, std::uint32_t row) {
       return of_known(r, row, [](const TradeRecord& t) { return Value::of_text(side_name(t.side)); });
     }},
    {"quantity", kDecimal, "units", "above zero",
     [](const Reader& r, std::uint32_t row) { return of_known(r, row, [](const TradeRecord& t) { return Value::of(t.quantity); }); }},
    {"signed_quantity", kDecimal, "units", "below zero for SELL",
     [](const Reader& r, std::uint32_t row) {
       return of_known(r, row, [](const TradeRecord& t) { return Value::of(t.side == Side::kSell ? -t.quantity : t.quantity); });
     }},
    {"price", kDecimal, "instrument's currency", "",
     [](const Reader& r, std::uint32_t row) { return of_known(r, row, [](const TradeRecord& t) { return Value::of(t.price); }); }},
    {"fees", kDecimal, "instrument's currency", "",
     [](const Reader& r, std::uint32_t row) { return of_known(r, row, [](const TradeRecord& t) { return Value::of(t.fees); }); }},
    {"notional", kDecimal, "instrument's currency", "quantity × price × multiplier",
     [](const Reader& r, std::uint32_t row) { return notional(r, row, false); }},
    {"signed_notional", kDecimal, "instrument's currency", "below zero for SELL at a price above zero",
     [](const Reader& r, std::uint32_t row) { return notional(r, row, true); }},
    {"trade_time", kTimestamp, "", "business time, as sent; null when none was",
     [](const Reader& r, std::uint32_t row) { return of_known(r, row, [](const TradeRecord& t) { return time_or_null(t.trade_time); }); }},
    {"seq", kInt, "", "of the command that brought its first version",
     [](const Reader& r, std::uint32_t row) { return Value::of(trade_at(r, row).seq); }},
    {"version_seq", kInt, "", "of the command that brought its current version",
     [](const Reader& r, std::uint32_t row) { return Value::of(trade_at(r, row).version_seq); }},
};

// --- positions ---

const PositionRecord& position_at(const Reader& r, std::uint32_t row) { return r.state.positions[row]; }
std::uint32_t instrument_of_position(const Reader& r, std::uint32_t row) { return position_at(r, row).instrument; }
using OfPosition = OfInstrument<instrument_of_position>;
const InstrumentRecord& instrument_at_position(const Reader& r, std::uint32_t row) {
  return catalog_of(r).instruments[position_at(r, row).instrument];
}

// The desk a node belongs to: a desk's own name, a book's or trader's desk.
Value desk_of_node(const Reader& r, std::uint32_t node) {
  const NodeRecord& record = catalog_of(r).nodes[node];
  return name_of(r, record.kind == NodeKind::kDesk ? node : record.parent);
}

std::uint32_t kind_of_holder(const Reader& r, std::uint32_t row) {
  return static_cast<std::uint32_t>(catalog_of(r).nodes[position_at(r, row).node].kind);
}

constexpr Column kPositionColumns[] = {
    {"node_kind", kText, "", "firm, desk, book, trader or counterparty",
     [](const Reader& r, std::uint32_t row) { return Value::of_text(kind_name(catalog_of(r).nodes[position_at(r, row).node].kind)); },
     ids<kind_of_holder>},
    {"node", kText, "", "the holder's name", [](const Reader& r, std::uint32_t row) { return name_of(r, position_at(r, row).node); }},
    {"desk", kText, "", "the desk itself, or the desk of the book or trader; null for none",
     [](const Reader& r, std::uint32_t row) { return desk_of_node(r, position_at(r, row).node); }},
    {"firm", kText, "", "the firm", Calls<firm_name>{}},
    {"instrument", kText, "", "its symbol", Calls<OfPosition::symbol>{}},
    HALOCLINE_INSTRUMENT_COLUMNS(OfPosition),
    {"quantity", kDecimal, "units", "below zero when short",
     [](const Reader& r, std::uint32_t row) { return Value::of(position_at(r, row).quantity); }},
    {"average_price", kDecimal, "instrument's currency", "by average cost",
     [](const Reader& r, std::uint32_t row) {
       const AverageCost split = r.splits.of(position_at(r, row));
       return Value::of(average_price(split.cost, split.quantity, instrument_at_position(r, row).multiplier));
     }},
    {"cost", kDecimal, "instrument's currency", "what the open quantity was bought or sold for",
     [](const Reader& r, std::uint32_t row) { return Value::of(r.splits.of(position_at(r, row)).cost); }},
    {"market_value", kDecimal, "instrument's currency", "at the mark",
     [](const Reader& r, std::uint32_t row) { return Value::of(position_at(r, row).value); }},
    {"realised", kDecimal, "instrument's currency", "P&L, fees included",
     [](const Reader& r, std::uint32_t row) { return Value::of(position_at(r, row).cash + r.splits.of(position_at(r, row)).cost); }},
    {"unrealised", kDecimal, "instrument's currency", "P&L",
     [](const Reader& r, std::uint32_t row) {
       const PositionRecord& position = position_at(r, row);
       return Value::of(position.value - r.splits.of(position).cost);
     }},
    {"total_pnl", kDecimal, "instrument's currency", "realised + unrealised",
     [](const Reader& r, std::uint32_t row) { return Value::of(position_at(r, row).value + position_at(r, row).cash); }},
    {"mark", kDecimal, "instrument's currency", "the price it is valued at",
     [](const Reader& r, std::uint32_t row) { return Value::of(instrument_at_position(r, row).mark); }},
    {"mark_stale", kBool, "", "", [](const Reader& r, std::uint32_t row) { return flag(instrument_at_position(r, row).stale); }},
    {"trades", kInt, "", "live trades in it", [](const Reader& r, std::uint32_t row) { return Value::of(position_at(r, row).count); }},
};

// --- nodes ---

const NodeRecord& node_at(const Reader& r, std::uint32_t row) { return catalog_of(r).nodes[row]; }
std::uint32_t kind_of_node(const Reader& r, std::uint32_t row) { return static_cast<std::uint32_t>(node_at(r, row).kind); }

constexpr Column exposure(Column column) {
  column.is_exposure = true;
  return column;
}

constexpr Column kNodeColumns[] = {
    {"id", kInt, "", "dense, in the order of creation", [](const Reader&, std::uint32_t row) { return Value::of(row); }},
    {"kind", kText, "", "firm, desk, book, trader, counterparty, instrument, underlying, sector or currency",
     [](const Reader& r, std::uint32_t row) { return Value::of_text(kind_name(node_at(r, row).kind)); },
     ids<kind_of_node>},
    {"name", kText, "", "", [](const Reader& r, std::uint32_t row) { return name_of(r, row); }},
    {"desk", kText, "", "the desk itself, or the desk of the book or trader; null for none", Calls<desk_of_node>{}},
    {"firm", kText, "", "the firm", Calls<firm_name>{}},
    exposure({"net", kDecimal, "firm's currency", "",
     [](const Reader& r, std::uint32_t row) { return Value::of(r.state.in_firm_currency(row, &BucketRecord::net)); }}),
    exposure({"gross", kDecimal, "firm's currency", "long + short",
     [](const Reader& r, std::uint32_t row) { return Value::of(r.state.gross(row)); }}),
    exposure({"long", kDecimal, "firm's currency", "",
     [](const Reader& r, std::uint32_t row) { return Value::of(r.state.in_firm_currency(row, &BucketRecord::long_exposure)); }}),
    exposure({"short", kDecimal, "firm's currency", "above zero",
     [](const Reader& r, std::uint32_t row) { return Value::of(r.state.in_firm_currency(row, &BucketRecord::short_exposure)); }}),
    {"total_pnl", kDecimal, "firm's currency", "", [](const Reader& r, std::uint32_t row) { return Value::of(r.state.total_pnl(row)); }},
    {"day_pnl", kDecimal, "firm's currency", "since the last end of day",
     [](const Reader& r, std::uint32_t row) { return Value::of(r.state.total_pnl(row) - node_at(r, row).day_base); }},
    {"peak_pnl", kDecimal, "firm's currency", "the highest day P&L of the day",
     [](const Reader& r, std::uint32_t row) { return Value::of(node_at(r, row).peak_pnl); }},
    {"drawdown", kDecimal, "firm's currency", "fall from the peak",
     [](const Reader& r, std::uint32_t row) {
       const NodeRecord& node = node_at(r, row);
       return Value::of(node.peak_pnl - (r.state.total_pnl(row) - node.day_base));
     }},
    {"concentration", kDecimal, "fraction", "largest position over gross",
     [](const Reader& r, std::uint32_t row) { return Value::of(concentration_of(r.state, row)); }},
    {"largest_trade", kDecimal, "firm's currency", "of the day",
     [](const Reader& r, std::uint32_t row) { return Value::of(node_at(r, row).largest_trade); }},
    {"trade_rate", kInt, "trades", "in the last 10 seconds",
     [](const Reader& r, std::uint32_t row) { return Value::of(node_at(r, row).rate_sum); }},
    exposure({"stale", kDecimal, "firm's currency", "exposure at stale marks",
     [](const Reader& r, std::uint32_t row) { return Value::of(r.state.in_firm_currency(row, &BucketRecord::stale)); }}),
};

// --- limits ---

const LimitRecord& limit_at(const Reader& r, std::uint32_t row) { return r.state.limits[row]; }
Value limit_node(const Reader& r, const LimitRecord& limit) { return limit.node == kNoId ? Value::of_text("*") : name_of(r, limit.node); }

constexpr Column kLimitColumns[] = {
    {"name", kText, "", "", [](const Reader& r, std::uint32_t row) { return text_of(r, limit_at(r, row).name); }},
    {"node_kind", kText, "", "", [](const Reader& r, std::uint32_t row) { return Value::of_text(kind_name(limit_at(r, row).kind)); }},
    {"node", kText, "", "a node's name, or * for a template",
     [](const Reader& r, std::uint32_t row) { return limit_node(r, limit_at(r, row)); }},
    {"measure", kText, "", "net, gross, day_loss …",
     [](const Reader& r, std::uint32_t row) { return Value::of_text(measure_name(limit_at(r, row).measure)); }},
    {"warn", kDecimal, "of the measure", "null for no warning level",
     [](const Reader& r, std::uint32_t row) { return limit_at(r, row).warn == 0 ? Value{} : Value::of(limit_at(r, row).warn); }},
    {"breach", kDecimal, "of the measure", "", [](const Reader& r, std::uint32_t row) { return Value::of(limit_at(r, row).breach); }},
    {"hysteresis", kDecimal, "fraction", "", [](const Reader& r, std::uint32_t row) { return Value::of(limit_at(r, row).hysteresis); }},
    {"hard", kBool, "", "", [](const Reader& r, std::uint32_t row) { return flag(limit_at(r, row).hard); }},
    {"owner", kText, "", "null for none", [](const Reader& r, std::uint32_t row) { return text_of(r, limit_at(r, row).owner); }},
    {"escalate_after", kInterval, "", "null for never",
     [](const Reader& r, std::uint32_t row) { return time_or_null(limit_at(r, row).escalate_after); }},
};

// --- alerts ---

const AlertRecord& alert_at(const Reader& r, std::uint32_t row) { return r.state.alerts[row]; }
// What an alert of a limit has; null for one of a query.
template <class Get>
Value of_limit(const Reader& r, std::uint32_t row, Get get) {
  const AlertRecord& alert = alert_at(r, row);
  return alert.limit == kNoId ? Value{} : get(r.state.limits[alert.limit]);
}
const EventRecord& last_event(const Reader& r, std::uint32_t row) { return r.state.events[alert_at(r, row).last_event - 1]; }

constexpr Column kAlertColumns[] = {
    {"alert_id", kInt, "", "from 1", [](const Reader&, std::uint32_t row) { return Value::of(static_cast<Int128>(row) + 1); }},
    {"limit_name", kText, "", "null for an alert of a query",
     [](const Reader& r, std::uint32_t row) { return of_limit(r, row, [&](const LimitRecord& l) { return text_of(r, l.name); }); }},
    {"query", kText, "", "the name in CREATE ALERT; null for an alert of a limit",
     [](const Reader& r, std::uint32_t row) {
       const AlertRecord& alert = alert_at(r, row);
       return alert.query == kNoId ? Value{} : text_of(r, r.state.queries[alert.query].name);
     }},
    {"query_row", kText, "", "what the query's row read when it came, as a JSON object; null for an alert of a limit",
     [](const Reader& r, std::uint32_t row) { return text_of(r, alert_at(r, row).row); }},
    {"node_kind", kText, "", "null for an alert of a query",
     [](const Reader& r, std::uint32_t row) {
       return of_limit(r, row, [](const LimitRecord& l) { return Value::of_text(kind_name(l.kind)); });
     }},
    {"node", kText, "", "null for an alert of a query",
     [](const Reader& r, std::uint32_t row) { return name_of(r, alert_at(r, row).node); }},
    {"desk", kText, "", "the desk itself, or the desk of the book or trader; null for none",
     [](const Reader& r, std::uint32_t row) {
       return of_limit(r, row, [&](const LimitRecord&) { return desk_of_node(r, alert_at(r, row).node); });
     }},
    {"measure", kText, "", "net, gross, day_loss …; null for an alert of a query",
     [](const Reader& r, std::uint32_t row) {
       return of_limit(r, row, [](const LimitRecord& l) { return Value::of_text(measure_name(l.measure)); });
     }},
    {"level", kText, "", "NONE, WARN or BREACH",
     [](const Reader& r, std::uint32_t row) { return Value::of_text(level_name(alert_at(r, row).level)); }},
    {"hard", kBool, "", "null for an alert of a query",
     [](const Reader& r, std::uint32_t row) { return of_limit(r, row, [](const LimitRecord& l) { return flag(l.hard); }); }},
    {"acknowledged", kBool, "", "", [](const Reader& r, std::uint32_t row) { return flag(alert_at(r, row).acknowledged); }},
    {"cleared", kBool, "", "whether it is over", [](const Reader& r, std::uint32_t row) { return flag(alert_at(r, row).cleared); }},
    {"owner", kText, "", "the limit's; null for none",
     [](const Reader& r, std::uint32_t row) { return of_limit(r, row, [&](const LimitRecord& l) { return text_of(r, l.owner); }); }},
    {"acknowledged_by", kText, "", "null for nobody", [](const Reader& r, std::uint32_t row) { return text_of(r, alert_at(r, row).by); }},
    {"note", kText, "", "of who acknowledged; null for none",
     [](const Reader& r, std::uint32_t row) { return text_of(r, alert_at(r, row).note); }},
    {"value", kDecimal, "of the measure", "at its last step; null for an alert of a query",
     [](const Reader& r, std::uint32_t row) {
       return of_limit(r, row, [&](const LimitRecord&) { return Value::of(last_event(r, row).value); });
     }},
    {"threshold", kDecimal, "of the measure", "at its last step; null for an alert of a query",
     [](const Reader& r, std::uint32_t row) {
       return of_limit(r, row, [&](const LimitRecord&) { return Value::of(last_event(r, row).threshold); });
     }},
    {"raised_seq", kInt, "", "", [](const Reader& r, std::uint32_t row) { return Value::of(alert_at(r, row).raised_seq); }},
    {"raised_time", kTimestamp, "", "", [](const Reader& r, std::uint32_t row) { return Value::of(alert_at(r, row).raised_time); }},
    {"last_seq", kInt, "", "of its last step", [](const Reader& r, std::uint32_t row) { return Value::of(last_event(r, row).seq); }},
    {"last_time", kTimestamp, "", "of its last step",
     [](const Reader& r, std::uint32_t row) { return Value::of(last_event(r, row).time); }},
    {"last_event_id", kInt, "", "of its last step",
     [](const Reader& r, std::uint32_t row) { return Value::of(alert_at(r, row).last_event); }},
};

// --- prices and instruments ---

std::uint32_t itself(const Reader&, std::uint32_t row) { return row; }
using Itself = OfInstrument<itself>;
const InstrumentRecord& instrument_at(const Reader& r, std::uint32_t row) { return catalog_of(r).instruments[row]; }

constexpr Column kPriceColumns[] = {
    {"instrument", kText, "", "its symbol", Calls<Itself::symbol>{}},
    HALOCLINE_INSTRUMENT_COLUMNS(Itself),
    {"price", kDecimal, "instrument's currency", "the mark",
     [](const Reader& r, std::uint32_t row) { return Value::of(instrument_at(r, row).mark); }},
    {"price_source", kText, "", "PRICE, or TRADE when it is the price of its first trade",
     [](const Reader& r, std::uint32_t row) {
       return Value::of_text(instrument_at(r, row).mark_source == MarkSource::kPrice ? "PRICE" : "TRADE");
     }},
    {"mark_time", kTimestamp, "", "journal time of the mark",
     [](const Reader& r, std::uint32_t row) { return Value::of(instrument_at(r, row).mark_time); }},
    {"price_time", kTimestamp, "", "the source's own time; null when it gave none",
     [](const Reader& r, std::uint32_t row) { return time_or_null(instrument_at(r, row).price_time); }},
    {"stale", kBool, "", "older than the instrument's stale_after",
     [](const Reader& r, std::uint32_t row) { return flag(instrument_at(r, row).stale); }},
};

constexpr Column kInstrumentColumns[] = {
    {"symbol", kText, "", "", Calls<Itself::symbol>{}},
    HALOCLINE_INSTRUMENT_COLUMNS(Itself),
    {"firm", kText, "", "the firm", Calls<firm_name>{}},
    {"stale_after", kInterval, "", "null for never",
     [](const Reader& r, std::uint32_t row) { return time_or_null(instrument_at(r, row).stale_after); }},
};

constexpr Column kBookColumns[] = {
    {"book", kText, "", "", [](const Reader& r, std::uint32_t row) { return name_of(r, row); }},
    {"desk", kText, "", "", Calls<desk_of_node>{}},
    {"firm", kText, "", "the firm", Calls<firm_name>{}},
};

constexpr Column kCurrencyColumns[] = {
    {"currency", kText, "", "its code", [](const Reader& r, std::uint32_t row) { return text_of(r, catalog_of(r).currencies[row].code); }},
    {"rate", kDecimal, "firm's currency", "for one unit",
     [](const Reader& r, std::uint32_t row) { return Value::of(catalog_of(r).currencies[row].rate); }},
    {"rate_time", kTimestamp, "", "the source's own time; null when it gave none",
     [](const Reader& r, std::uint32_t row) { return time_or_null(catalog_of(r).currencies[row].rate_time); }},
};

const QueryRecord& query_at(const Reader& r, std::uint32_t row) { return r.state.queries[row]; }

constexpr Column kQueryColumns[] = {
    {"name", kText, "", "", [](const Reader& r, std::uint32_t row) { return text_of(r, query_at(r, row).name); }},
    {"kind", kText, "", "QUERY, or ALERT when its rows are alerts",
     [](const Reader& r, std::uint32_t row) {
       return Value::of_text(query_at(r, row).severity == AlertLevel::kNone ? "QUERY" : "ALERT");
     }},
    {"severity", kText, "", "WARN or BREACH; null for a QUERY",
     [](const Reader& r, std::uint32_t row) {
       const AlertLevel severity = query_at(r, row).severity;
       return severity == AlertLevel::kNone ? Value{} : Value::of_text(level_name(severity));
     }},
    {"sql", kText, "", "its SELECT, as it was given", [](const Reader& r, std::uint32_t row) { return text_of(r, query_at(r, row).sql); }},
    {"created_seq", kInt, "", "", [](const Reader& r, std::uint32_t row) { return Value::of(query_at(r, row).created_seq); }},
    {"created_time", kTimestamp, "", "", [](const Reader& r, std::uint32_t row) { return Value::of(query_at(r, row).created); }},
    {"failure", kText, "", "why an ALERT is worked out no more; null while it is",
     [](const Reader& r, std::uint32_t row) { return text_of(r, query_at(r, row).failure); }},
};

#undef HALOCLINE_INSTRUMENT_COLUMNS

bool always(const State&, std::uint32_t) { return true; }

const std::array kTables = {
    Table{"trades", Source::kTrades, "source, trade_id", "Every trade known, in its current version; cancelled ones and tombstones too.",
          [](const State& s) { return s.trades.size(); },
          [](const State& s, std::uint32_t row) { return s.lists(s.trades[row]); }, kTradeColumns},
    Table{"positions", Source::kPositions, "node_kind, node, instrument",
          "What a firm, desk, book, trader or counterparty holds of an instrument, where it has live trades.",
          [](const State& s) { return s.positions.size(); }, [](const State& s, std::uint32_t row) { return s.positions[row].count != 0; },
          kPositionColumns},
    Table{"nodes", Source::kNodes, "kind, name",
          "The risk nodes with their measures.", [](const State& s) { return s.catalog.nodes.size(); }, always,
          kNodeColumns},
    Table{"limits", Source::kLimits, "name", "The limits in force.", [](const State& s) { return s.limits.size(); },
          [](const State& s, std::uint32_t row) { return !s.limits[row].removed; }, kLimitColumns},
    Table{"alerts", Source::kAlerts, "alert_id",
          "Every alert ever raised, cleared ones too.", [](const State& s) { return s.alerts.size(); }, always, kAlertColumns},
    Table{"prices", Source::kPrices, "instrument",
          "The marks of the instruments that have one.", [](const State& s) { return s.catalog.instruments.size(); },
          [](const State& s, std::uint32_t row) { return s.catalog.instruments[row].mark_source != MarkSource::kNone; }, kPriceColumns},
    Table{"instruments", Source::kInstruments, "symbol",
          "The instruments.", [](const State& s) { return s.catalog.instruments.size(); }, always,
          kInstrumentColumns},
    Table{"books", Source::kBooks, "book", "The books.", [](const State& s) { return s.catalog.nodes.size(); },
          [](const State& s, std::uint32_t row) { return s.catalog.nodes[row].kind == NodeKind::kBook; }, kBookColumns},
    Table{"currencies", Source::kCurrencies, "currency",
          "The currencies with their rates.", [](const State& s) { return s.catalog.currencies.size(); }, always,
          kCurrencyColumns},
    Table{"queries", Source::kQueries, "name", "The queries that have a name: CREATE CONTINUOUS QUERY and CREATE ALERT.",
          [](const State& s) { return s.queries.size(); }, [](const State& s, std::uint32_t row) { return !s.queries[row].dropped; },
          kQueryColumns},
};

}  // namespace

std::span<const Table> tables() { return kTables; }

const Table* find_table(std::string_view name) {
  for (const Table& table : kTables) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

const Table& table_of(Source source) { return kTables[static_cast<std::size_t>(source)]; }

std::string sources_page() {
  std::string page;
  for (const Table& table : kTables) {
    page += "### " + std::string(table.name) + "\n" + std::string(table.meaning) + " Key: " + std::string(table.key) + ".\n\n";
    page += "| column | type | unit | meaning |\n|---|---|---|---|\n";
    for (const Column& column : table.columns) {
      page += "| `";
      for (const std::string_view part : {column.name, std::string_view("` | "), value_type_name(column.type), std::string_view(" | "),
                                          column.unit, std::string_view(" | "), column.meaning, std::string_view(" |\n")}) {
        page += part;
      }
    }
    page += "\n";
  }
  return page;
}

}  // namespace halocline::queries
