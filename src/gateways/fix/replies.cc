#include "gateways/fix/replies.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/decimal.h"
#include "base/limits.h"
#include "command/codec.h"

namespace halocline::fix {
namespace {

constexpr std::size_t kMostText = 300, kMostType = 8;

// What the outcome is about, in the words of the message's tags.
std::string about(Outcome outcome, const TradeReport& report, const MappingRules& rules) {
  const Trade& t = report.trade;
  const auto named = [](const char* what, std::string_view name, const TagRule& rule) {
    return std::string("no ") + what + " \"" + std::string(name) + "\" (" + rule.to_string() + ")";
  };
  switch (outcome) {
    case Outcome::kUnknownBook: return named("book", t.book, rules.book);
    case Outcome::kUnknownTrader: return named("trader", t.trader, rules.trader);
    case Outcome::kUnknownCounterparty: return named("counterparty", t.counterparty, rules.counterparty);
    case Outcome::kUnknownInstrument: return named("instrument", t.instrument, rules.instrument);
    case Outcome::kParked: return named("instrument", t.instrument, rules.instrument) + " yet: the trade waits for it";
    case Outcome::kWrongDesk: return "book \"" + std::string(t.book) + "\" is not of desk \"" + std::string(report.desk) + "\" (" +
        rules.desk.to_string() + ")";
    case Outcome::kWrongCurrency:
      return "instrument \"" + std::string(t.instrument) + "\" is not in \"" + std::string(report.currency) + "\" (" +
          rules.currency.to_string() + ")";
    case Outcome::kInvalidQuantity: return "LastQty(32) is " + to_decimal(t.quantity);
    case Outcome::kInvalidPrice: return "LastPx(31) is " + to_decimal(t.price);
    case Outcome::kInvalidName: return "an id or name is empty, too long or has a control character";
    case Outcome::kConflict: return "\"" + std::string(t.trade_id) + "\" was reported with other content";
    case Outcome::kOutOfRange: return "LastQty(32) " + to_decimal(t.quantity) + " at LastPx(31) " + to_decimal(t.price);
    case Outcome::kDuplicate: return "\"" + std::string(t.trade_id) + "\" is known already";
    case Outcome::kStale: return "a later version of \"" + std::string(t.trade_id) + "\" is known";
    default: return "\"" + std::string(t.trade_id) + "\"";
  }
}

std::string about(Outcome outcome, const Price& price, const MappingRules& rules) {
  if (outcome == Outcome::kUnknownInstrument) return "no instrument \"" + std::string(price.instrument) + "\" (" +
      rules.instrument.to_string() + ")";
  return "MDEntryPx(270) " + to_decimal(price.price) + " of \"" + std::string(price.instrument) + "\"";
}

template <class C>
std::string about(Outcome, const C&, const MappingRules&) {
  return {};
}

BusinessReason business_reason(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUnknownInstrument: return BusinessReason::kUnknownSecurity;
    case Outcome::kUnknownBook: case Outcome::kUnknownTrader: case Outcome::kUnknownCounterparty: return BusinessReason::kUnknownId;
    default: return BusinessReason::kOther;
  }
}

// TradeReportRejectReason(751).
const char* trade_reason(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUnknownInstrument: return "2";
    case Outcome::kUnknownBook: case Outcome::kUnknownTrader: case Outcome::kUnknownCounterparty: case Outcome::kWrongDesk: return "1";
    case Outcome::kInvalidAction: return "4";
    default: return "99";
  }
}

std::string clipped(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  if (text.size() <= kMostText) return text;
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  text.resize(end);
  return text;
}

// What Mapping::echo() wrote.
std::vector<TagValue> read_echo(std::string_view echo) {
  std::vector<TagValue> values;
  while (!echo.empty()) {
    const std::size_t equals = echo.find('='), soh = echo.find(kSoh);
    CHECK(equals < soh && soh != std::string_view::npos, "an echo that is no FIX text");
    values.emplace_back(static_cast<int>(sequence_number(echo.substr(0, equals))), std::string(echo.substr(equals + 1, soh - equals - 1)));
    echo.remove_prefix(soh + 1);
  }
  return values;
}

Reply trade_ack(std::string_view echo, const char* status, const char* reason, std::string text) {
  Reply reply{"AR", read_echo(echo)};
  bool has_transaction = false, has_type = false;
  for (const TagValue& field : reply.body) {
    has_transaction |= field.first == tag::kTradeReportTransType;
    has_type |= field.first == tag::kExecType;
  }
  if (!has_transaction) reply.body.emplace_back(tag::kTradeReportTransType, "0");
  if (!has_type) reply.body.emplace_back(tag::kExecType, "F");
  reply.body.emplace_back(tag::kTrdRptStatus, status);
  if (reason != nullptr) reply.body.emplace_back(tag::kTradeReportRejectReason, reason);
  if (!text.empty()) reply.body.emplace_back(tag::kText, clipped(std::move(text)));
  return reply;
}

Reply business_reject(std::uint32_t number, std::string_view type, std::string_view about, BusinessReason reason, std::string text) {
  Reply reply{"j", {}};
  reply.body.emplace_back(tag::kRefSeqNum, std::to_string(number));
  reply.body.emplace_back(tag::kRefMsgType, std::string(type.substr(0, kMostType)));
  if (!about.empty()) reply.body.emplace_back(tag::kBusinessRejectRefId, std::string(about.substr(0, limits::kMaxName)));
  reply.body.emplace_back(tag::kBusinessRejectReason, std::to_string(static_cast<int>(reason)));
  reply.body.emplace_back(tag::kText, clipped(std::move(text)));
  return reply;
}

}  // namespace

std::string outcome_text(Outcome outcome, const Command& command, const MappingRules& rules) {
  const std::string what = std::visit([&](const auto& one) { return about(outcome, one, rules); }, command);
  return std::string(outcome_name(outcome)) + (what.empty() ? "" : ": ") + what;
}

Reply reply_to(std::span<const std::byte> records, ToldOutcome told, const MappingRules& rules) {
  const FramedCommand head = first_command(records);
  const FixReceived* received = std::get_if<FixReceived>(&head.command);
  CHECK(received != nullptr, "a reply to what is no FIX message");
  std::size_t at = head.bytes;
  FramedCommand told_of = first_command(records.subspan(at));
  for (std::uint16_t i = 0; i < told.index; ++i) {
    at += told_of.bytes;
    told_of = first_command(records.subspan(at));
  }
  std::string text = weight_of(told.outcome) > 1 ? outcome_text(told.outcome, told_of.command, rules) : std::string();
  const bool refused = is_refused(told.outcome);
  if (received->reply == FixReply::kAlways) {
    if (refused && received->commands > 1) text += "; the report's other side is judged by itself";
    const char* status = refused ? "1" : told.outcome == Outcome::kParked ? "3" : "0";
    return trade_ack(received->answer, status, refused ? trade_reason(told.outcome) : nullptr, std::move(text));
  }
  const TradeReport* report = std::get_if<TradeReport>(&told_of.command);
  std::string_view id = report != nullptr ? report->trade.trade_id : std::string_view();
  if (!rules.id_day.empty()) id.remove_prefix(std::min(id.size(), kIdDayBytes));
  const std::vector<TagValue> echo = read_echo(received->answer);
  if (id.empty() && !echo.empty()) id = echo.front().second;  // the MDReqID
  return business_reject(received->number, received->message_type, id, business_reason(told.outcome), std::move(text));
}

Reply reply_to_refused(const Message& message, const Mapped& mapped) {
  if (mapped.acknowledged) {
    const char* reason = mapped.tag == tag::kTradeReportTransType ? "4" : "99";
    return trade_ack(Mapping::echo(message), "1", reason, mapped.text);
  }
  return business_reject(message.number(), message.type(), mapped.about, mapped.reason, mapped.text);
}

Reply reject_of(const Message& message, const Mapped& mapped) {
  const auto why = [&] {
    switch (mapped.malformed) {
      case Malformed::kMissing: return "is missing";
      case Malformed::kWrongValue: return "has a value that the standard does not know";
      case Malformed::kWrongFormat: return "is not in the format of its type";
      case Malformed::kTwice: return "is there more than once";
      case Malformed::kGroupCount: return "is not the number of entries that follow";
      case Malformed::kNone: break;
    }
    return "is wrong";
  };
  Reply reply{"3", {}};
  reply.body.emplace_back(tag::kRefSeqNum, std::to_string(message.number()));
  reply.body.emplace_back(tag::kRefTagId, std::to_string(mapped.tag));
  reply.body.emplace_back(tag::kRefMsgType, std::string(message.type().substr(0, kMostType)));
  // FIX 4.2 knows the reasons up to 11.
  const int reason = static_cast<int>(mapped.malformed);
  if (reason <= 11 || value_of(message.fields(), tag::kBeginString) != "FIX.4.2") {
    reply.body.emplace_back(tag::kSessionRejectReason, std::to_string(reason));
  }
  reply.body.emplace_back(tag::kText, "tag " + std::to_string(mapped.tag) + " " + why());
  return reply;
}

}  // namespace halocline::fix
