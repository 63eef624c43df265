#include "gateways/grpc/refusal.h"

#include <initializer_list>
#include <type_traits>

#include "base/decimal.h"
#include "base/limits.h"

namespace halocline::rpc {
namespace {

struct Named {
  const char* field;
  std::string_view text;
};

std::string unknown(const char* field, std::string_view text) {
  if (text.empty()) return std::string(field) + " is empty";
  return std::string(field) + " " + quoted(text) + " is not known";
}

// The first name that is no name; `all` are those that must be one.
std::string invalid_name(std::initializer_list<Named> all) {
  for (const Named& one : all) {
    if (one.text.empty()) return std::string(one.field) + " is empty";
    for (const char c : one.text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7F) return std::string(one.field) + " " + quoted(one.text) + " has a control character";
    }
  }
  return "a name is empty, too long or has a control character";
}

std::string out_of_range(const char* field, Int128 value, const char* bounds) {
  return std::string(field) + " " + to_decimal(value) + " is out of range: " + bounds;
}

std::string key(const Trade& t) { return "trade " + std::string(t.source) + "/" + std::string(t.trade_id); }

std::string detail_of(Outcome outcome, const Trade& t) {
  switch (outcome) {
    case Outcome::kConflict:
      return "version " + std::to_string(t.version) + " of " + key(t) + " was accepted with other content";
    case Outcome::kInvalidName: return invalid_name({{"source", t.source}, {"trade_id", t.trade_id}});
    case Outcome::kInvalidVersion: return "version is 0; versions start at 1";
    case Outcome::kInvalidAction:
      return "action " + std::to_string(static_cast<int>(t.action)) + " is none of NEW, AMEND and CANCEL";
    case Outcome::kInvalidSide: return "side " + std::to_string(static_cast<int>(t.side)) + " is neither BUY nor SELL";
    case Outcome::kInvalidQuantity: return "quantity_e8 is " + to_decimal(t.quantity) + "; it must be above 0";
    case Outcome::kInvalidPrice:
      return "price_e8 is " + to_decimal(t.price) + "; it must be above 0 for anything but a future";
    case Outcome::kUnknownBook: return unknown("book", t.book);
    case Outcome::kUnknownTrader: return unknown("trader", t.trader);
    case Outcome::kUnknownCounterparty: return unknown("counterparty", t.counterparty);
    case Outcome::kUnknownInstrument: return unknown("instrument", t.instrument);
    case Outcome::kTooMany: return "the table of trades or of sources is full";
    case Outcome::kOutOfRange:
      if (t.action == Action::kCancel) return "without " + key(t) + " a position would be larger than 1e11 units";
      if (t.quantity > limits::kMaxQuantity) return out_of_range("quantity_e8", t.quantity, "at most 1e10");
      if (t.price > limits::kMaxPrice || t.price < -limits::kMaxPrice) {
        return out_of_range("price_e8", t.price, "at most 1e9 either way");
      }
      if (t.fees > limits::kMaxFees || t.fees < -limits::kMaxFees) {
        return out_of_range("fees_e8", t.fees, "at most 1e10 either way");
      }
      return "quantity_e8 " + to_decimal(t.quantity) + " at price_e8 " + to_decimal(t.price) +
             " is out of range: price x multiplier may be 1e9, the notional 1e12, a position 1e11 units";
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const Price& p) {
  switch (outcome) {
    case Outcome::kUnknownInstrument: return unknown("instrument", p.instrument);
    case Outcome::kInvalidPrice:
      return "price_e8 is " + to_decimal(p.price) + "; it must be above 0 for anything but a future";
    case Outcome::kOutOfRange:
      return out_of_range("price_e8", p.price, "price and price x multiplier may be 1e9 either way");
    default: return {};
  }
}

std::string invalid_rate(std::string_view currency, std::int64_t rate) {
  return "rate_e8 of " + quoted(currency) + " is " + to_decimal(rate) +
         "; it must be above 0 and at most 1e5, and 1 for the firm's own currency";
}

std::string detail_of(Outcome outcome, const FxRate& r) {
  switch (outcome) {
    case Outcome::kUnknownCurrency: return unknown("currency", r.currency);
    case Outcome::kInvalidRate: return invalid_rate(r.currency, r.rate);
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const Firm& f) {
  switch (outcome) {
    case Outcome::kInvalidName: return invalid_name({{"firm.name", f.name}, {"firm.currency", f.currency}});
    case Outcome::kAlreadySet: return "the firm is set already, with another name or currency; it cannot be changed";
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const Currency& c) {
  switch (outcome) {
    case Outcome::kInvalidName: return invalid_name({{"currency.code", c.code}});
    case Outcome::kInvalidRate: return invalid_rate(c.code, c.rate);
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const Desk& d) {
  return outcome == Outcome::kInvalidName ? invalid_name({{"desk.name", d.name}}) : std::string();
}

std::string detail_of(Outcome outcome, const Book& b) {
  switch (outcome) {
    case Outcome::kInvalidName: return invalid_name({{"book.name", b.name}});
    case Outcome::kUnknownDesk: return unknown("desk", b.desk);
    case Outcome::kOutOfRange:
      return "with book " + quoted(b.name) + " a position of desk " + quoted(b.desk) + " would be larger than 1e11 units";
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const Trader& t) {
  switch (outcome) {
    case Outcome::kInvalidName: return invalid_name({{"trader.name", t.name}});
    case Outcome::kUnknownDesk: return unknown("desk", t.desk);
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const Counterparty& c) {
  return outcome == Outcome::kInvalidName ? invalid_name({{"counterparty.name", c.name}}) : std::string();
}

std::string detail_of(Outcome outcome, const Instrument& i) {
  switch (outcome) {
    case Outcome::kInvalidName:
      // The last three may be empty: then they are not what is wrong.
      return invalid_name({{"instrument.symbol", i.symbol},
                           {"instrument.underlying", i.underlying.empty() ? "-" : i.underlying},
                           {"instrument.sector", i.sector.empty() ? "-" : i.sector},
                           {"instrument.issuer", i.issuer.empty() ? "-" : i.issuer}});
    case Outcome::kUnknownCurrency: return unknown("currency", i.currency);
    case Outcome::kOutOfRange:
      if (i.multiplier <= 0 || i.multiplier > limits::kMaxMultiplier) {
        return out_of_range("multiplier_e8", i.multiplier, "above 0 and at most 1e6");
      }
      if (i.stale_after < 0) return "stale_after_ns is " + std::to_string(i.stale_after) + "; it cannot be negative";
      return "expiry " + std::to_string(i.expiry) + " is no date yyyymmdd";
    case Outcome::kImmutableField:
      return "kind, currency and multiplier of " + quoted(i.symbol) + " are fixed: it has been traded or priced";
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const Rename& r) {
  const std::string kind(kind_name(r.kind));
  switch (outcome) {
    case Outcome::kInvalidName: return invalid_name({{"rename.to", r.to}});
    case Outcome::kUnknownName:
      if (kind.empty()) return "rename.kind " + std::to_string(static_cast<int>(r.kind)) + " is no kind of node";
      if (r.kind == NodeKind::kFirm || r.kind == NodeKind::kCurrency) return "a " + kind + " cannot be renamed";
      return kind + " " + quoted(r.from) + " is not known";
    case Outcome::kNameTaken: return "there is a " + kind + " " + quoted(r.to) + " already";
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const EndOfDay& e) {
  return outcome == Outcome::kOutOfRange ? "date " + std::to_string(e.date) + " is no date yyyymmdd" : std::string();
}

std::string detail_of(Outcome outcome, const Limit& l) {
  switch (outcome) {
    case Outcome::kInvalidName: 
      return invalid_name({{"name", l.name}, {"node", l.node}, {"owner", l.owner.empty() ? "-" : l.owner}});
    case Outcome::kInvalidLimit:
      if (kind_name(l.kind).empty()) return "kind " + std::to_string(static_cast<int>(l.kind)) + " is no kind of node";
      if (measure_name(l.measure).empty()) return "measure " + std::to_string(static_cast<int>(l.measure)) + " is no measure";
      if (l.breach <= 0 || l.breach > limits::kMaxLimitLevel) {
        return out_of_range("breach", l.breach, "above 0 and at most 1e18");
      }
      if (l.warn < 0 || l.warn > l.breach) {
        return "warn " + to_decimal(l.warn) + " is not between 0 and the breach level " + to_decimal(l.breach);
      }
      if (l.hysteresis < 0 || l.hysteresis >= limits::kScale) {
        return out_of_range("hysteresis_e8", l.hysteresis, "from 0 to below 1");
      }
      return "escalate_after_ns is " + std::to_string(l.escalate_after) + "; it cannot be negative";
    case Outcome::kUnknownNode: return std::string(kind_name(l.kind)) + " " + quoted(l.node) + " is not known";
    case Outcome::kImmutableField:
      return "limit " + quoted(l.name) + " is on another node or measure: remove it first";
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const LimitRemove& r) {
  return outcome == Outcome::kUnknownLimit ? "limit " + quoted(r.name) + " is not known" : std::string();
}

std::string detail_of(Outcome outcome, const AlertAck& a) {
  const std::string alert = "alert " + std::to_string(a.alert_id);
  switch (outcome) {
    case Outcome::kInvalidName: return invalid_name({{"by", a.by}});
    case Outcome::kOutOfRange: return "note has more than " + std::to_string(limits::kMaxNote) + " bytes";
    case Outcome::kUnknownAlert: return alert + " is not known";
    case Outcome::kAlertCleared: return alert + " is cleared already";
    case Outcome::kAlreadyAcknowledged: return alert + " is acknowledged already";
    default: return {};
  }
}

std::string detail_of(Outcome outcome, const TradeReport& r) {
  switch (outcome) {
    case Outcome::kConflict:
      return "report " + quoted(r.trade.trade_id) + " was accepted with other content, or its place in the chain contradicts what is known";
    case Outcome::kInvalidName:
      return invalid_name({{"source", r.trade.source}, {"trade_id", r.trade.trade_id}, {"reference", r.reference}});
    case Outcome::kInvalidAction: return "a NEW report has no reference; AMEND and CANCEL correct one";
    case Outcome::kWrongDesk: return "book " + quoted(r.trade.book) + " is not of desk " + quoted(r.desk);
    case Outcome::kWrongCurrency: return "instrument " + quoted(r.trade.instrument) + " is not in " + quoted(r.currency);
    case Outcome::kTooMany: return "the table of trades, of sources or of parked reports is full";
    default: return detail_of(outcome, r.trade);
  }
}

// What only FIX sessions or SQL statements send has no sender here, and a Timer none at all.
template <class C>
  requires(std::is_same_v<C, Timer> || std::is_same_v<C, FixReceived> || std::is_same_v<C, FixSent> || std::is_same_v<C, FixReserved> ||
           std::is_same_v<C, FixReset> || std::is_same_v<C, QueryCreate> || std::is_same_v<C, QueryDrop>)
std::string detail_of(Outcome, const C&) {
  return {};
}

template <class C>
std::string detail(Outcome outcome, const C& command) {
  if (!is_refused(outcome)) return {};
  if (outcome == Outcome::kNoFirm) return "the firm is not set yet: send reference data that begins with it";
  std::string text = detail_of(outcome, command);
  if (!text.empty()) return text;
  if (outcome == Outcome::kTooMany) return "the table is full: there are as many as this server takes";
  return "refused: " + std::string(outcome_name(outcome));
}

}  // namespace

std::string refusal_detail(Outcome outcome, const Trade& trade) { return detail(outcome, trade); }

std::string refusal_detail(Outcome outcome, const Command& command) {
  return std::visit([&](const auto& one) { return detail(outcome, one); }, command);
}

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out += '"';
}

}  // namespace halocline::rpc
