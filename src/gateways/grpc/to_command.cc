#include "gateways/grpc/to_command.h"

#include "base/decimal.h"
#include "base/limits.h"
#include "gateways/grpc/refusal.h"

namespace halocline::rpc {
namespace {

// The enum's number as its byte: what does not fit becomes 255, which means nothing either.
template <class To, class From>
To enum_to(From value) {
  const int number = static_cast<int>(value);
  return static_cast<To>(number >= 0 && number < 255 ? number : 255);
}

static_assert(static_cast<int>(NodeKind::kCurrency) == v1::CURRENCY && v1::NodeKind_MAX == v1::CURRENCY);
static_assert(static_cast<int>(InstrumentKind::kFxPair) == v1::FX_PAIR && v1::InstrumentKind_MAX == v1::FX_PAIR);
static_assert(static_cast<int>(Measure::kStale) == v1::STALE_EXPOSURE && v1::Measure_MAX == v1::STALE_EXPOSURE);

// Gathers what is wrong with one request.
class Checker {
 public:
  explicit Checker(std::vector<Violation>& violations) : violations_(violations), before_(violations.size()) {}

  std::string_view text(const char* field, const std::string& value, std::size_t most = limits::kMaxName) {
    if (value.size() <= most) return value;
    add(field, std::string(field) + " has " + std::to_string(value.size()) + " bytes, more than " + std::to_string(most));
    return {};
  }

  // Decimal text; empty is 0.
  Int128 decimal(const char* field, const std::string& value) {
    if (value.empty()) return 0;
    if (value.size() <= kMostDecimalBytes) {
      if (const auto parsed = parse_decimal128(value)) return *parsed;
      add(field, std::string(field) + " " + quoted(value) + " is no decimal number with at most 8 decimals");
    } else {
      add(field, std::string(field) + " has " + std::to_string(value.size()) + " characters: that is no decimal number");
    }
    return 0;
  }

  bool ok() const { return violations_.size() == before_; }

 private:
  static constexpr std::size_t kMostDecimalBytes = 64;

  void add(const char* field, std::string description) { violations_.push_back({field, std::move(description)}); }

  std::vector<Violation>& violations_;
  std::size_t before_;
};

}  // namespace

bool to_command(const v1::ReferenceItem& item, Command& command, std::vector<Violation>& violations) {
  Checker check(violations);
  switch (item.item_case()) {
    case v1::ReferenceItem::kFirm:
      command = Firm{check.text("firm.name", item.firm().name()), check.text("firm.currency", item.firm().currency())};
      break;
    case v1::ReferenceItem::kCurrency:
      command = Currency{check.text("currency.code", item.currency().code()), item.currency().rate_e8()};
      break;
    case v1::ReferenceItem::kDesk: command = Desk{check.text("desk.name", item.desk().name())}; break;
    case v1::ReferenceItem::kBook:
      command = Book{check.text("book.name", item.book().name()), check.text("book.desk", item.book().desk())};
      break;
    case v1::ReferenceItem::kTrader:
      command = Trader{check.text("trader.name", item.trader().name()), check.text("trader.desk", item.trader().desk())};
      break;
    case v1::ReferenceItem::kCounterparty:
      command = Counterparty{check.text("counterparty.name", item.counterparty().name())};
      break;
    case v1::ReferenceItem::kInstrument: {
      const v1::InstrumentItem& in = item.instrument();
      Instrument out;
      out.symbol = check.text("instrument.symbol", in.symbol());
      out.kind = enum_to<InstrumentKind>(in.kind());
      out.currency = check.text("instrument.currency", in.currency());
      out.multiplier = in.multiplier_e8();
      out.underlying = check.text("instrument.underlying", in.underlying());
      out.sector = check.text("instrument.sector", in.sector());
      out.issuer = check.text("instrument.issuer", in.issuer());
      out.expiry = in.expiry();
      out.stale_after = in.stale_after_ns();
      command = out;
      break;
    }
    case v1::ReferenceItem::kRename: {
      const v1::RenameItem& in = item.rename();
      command = Rename{enum_to<NodeKind>(in.kind()), check.text("rename.from", in.from()), check.text("rename.to", in.to())};
      break;
    }
    case v1::ReferenceItem::ITEM_NOT_SET:
      violations.push_back({"item", "the item is empty: none of firm, currency, desk, book, … is set"});
      break;
  }
  return check.ok();
}

bool to_command(const v1::Limit& request, Command& command, std::vector<Violation>& violations) {
  Checker check(violations);
  Limit limit;
  limit.name = check.text("name", request.name());
  limit.kind = enum_to<NodeKind>(request.kind());
  limit.node = check.text("node", request.node());
  limit.measure = enum_to<Measure>(request.measure());
  limit.warn = check.decimal("warn", request.warn());
  limit.breach = check.decimal("breach", request.breach());
  limit.hysteresis = request.hysteresis_e8();
  limit.hard = request.hard();
  limit.owner = check.text("owner", request.owner());
  limit.escalate_after = request.escalate_after_ns();
  command = limit;
  return check.ok();
}

bool to_command(const v1::RemoveLimitRequest& request, Command& command, std::vector<Violation>& violations) {
  Checker check(violations);
  command = LimitRemove{check.text("name", request.name())};
  return check.ok();
}

bool to_command(const v1::AckAlertRequest& request, Command& command, std::vector<Violation>& violations) {
  Checker check(violations);
  command = AlertAck{request.alert_id(), check.text("by", request.by()), check.text("note", request.note(), limits::kMaxNote)};
  return check.ok();
}

bool to_command(const v1::EndOfDayRequest& request, Command& command, std::vector<Violation>&) {
  command = EndOfDay{request.date()};
  return true;
}

AsOf to_as_of(const v1::AsOf& as_of) {
  AsOf out;
  if (as_of.has_seq()) out.seq = as_of.seq();
  if (as_of.has_time_ns()) out.time = as_of.time_ns();
  if (as_of.has_time()) out.text = as_of.time();
  if (as_of.has_effective_time_ns()) out.effective_time = as_of.effective_time_ns();
  if (as_of.has_effective_time()) out.effective_text = as_of.effective_time();
  return out;
}

PositionFilter to_filter(const v1::ListPositionsRequest& request) {
  return {enum_to<NodeKind>(request.kind()), request.node(), request.instrument()};
}

NodeFilter to_filter(const v1::ListNodesRequest& request) { return {enum_to<NodeKind>(request.kind()), request.name()}; }

AlertFilter to_filter(const v1::ListAlertsRequest& request) {
  return {!request.all(), enum_to<NodeKind>(request.kind()), request.node()};
}

}  // namespace halocline::rpc
