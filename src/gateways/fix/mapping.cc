#include "gateways/fix/mapping.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/decimal.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "command/codec.h"

namespace halocline::fix {
namespace {

// Why a message cannot be used, as it is found; thrown nowhere, kept by the reader below.
struct Trouble {
  Fate fate;
  int tag;
  Malformed malformed;
  BusinessReason reason;
  std::string text;
};

bool wanted_once(int tag) {
  switch (tag) {
    case tag::kExecId: case tag::kExecRefId: case tag::kExecTransType: case tag::kExecType: case tag::kLastPx: case tag::kLastQty:
    case tag::kSymbol: case tag::kTransactTime: case tag::kTradeReportId: case tag::kTradeReportRefId: case tag::kTradeReportTransType:
      return true;
    default: return false;
  }
}

// What the standard knows as a Side, of use here or not.
bool is_side(std::string_view side) {
  return side.size() == 1 && std::string_view("123456789ABCDEFGH").find(side[0]) != std::string_view::npos;
}

// Of a side of a TradeCaptureReport, and of nothing else in it: FIX 4.4 volume 4, "TrdCapRptSideGrp", with what 5.0 SP2 added.
constexpr std::array kSideTags{
    1, 11, 12, 13, 15, 18, 37, 40, 54, 58, 66, 70, 77, 78, 79, 80, 81, 118, 119, 120, 136, 137, 138, 139, 155, 156, 157, 158, 159,
    198, 230, 232, 233, 234, 237, 238, 336, 354, 355, 376, 377, 381, 447, 448, 452, 453, 467, 479, 483, 497, 518, 519, 520, 521,
    523, 526, 528, 529, 575, 576, 577, 578, 579, 581, 582, 591, 625, 635, 660, 661, 736, 738, 752, 756, 757, 758, 759, 760, 802,
    803, 806, 807, 821, 825, 826, 891, 920, 921, 922, 943, 1005, 1006, 1007, 1008, 1009, 1057, 1154, 1155, 1427, 1428, 1429, 1444};

std::string in_quotes(std::string_view text) { return "\"" + std::string(text.substr(0, 64)) + "\""; }

// One pass over a message on its way to commands. The first trouble wins; after it nothing more is looked at.
class Reader {
 public:
  Reader(const MappingRules& rules, const Message& message, std::vector<std::byte>& records, std::vector<MappedField>* why)
      : rules_(rules), all_(message.fields()), records_(records), why_(why) {}

  Mapped execution_report();
  Mapped trade_capture_report();
  Mapped market_data(bool incremental);

 private:
  // A field; one that is missing or empty is no trouble, or is refused, or is malformed because the standard requires it.
  enum Need { kOptional, kWanted, kRequired };
  std::string_view text(Fields fields, int tag, const char* name, std::size_t most, Need need);
  std::string_view character(int tag, const char* name, Need need) { return text(all_, tag, name, 2, need); }
  std::int64_t decimal(Fields fields, int tag, const char* name, bool required);
  // By a rule: in a part of the message, before what is no part of it.
  std::string_view name(const TagRule& rule, Fields part, Fields rest, const char* what, bool required);
  void check_structure();
  void find_day();
  // An id as the books know it; lives as long as the reader.
  std::string_view known_as(std::string_view id, std::string& whole) const {
    if (day_.empty() || id.empty()) return id;
    return whole = day_ + std::string(id);
  }
  void trade_fields(Fields part, Fields rest, Trade& trade, TradeReport& report);
  void add(const TradeReport& report);
  void refuse(int tag, BusinessReason reason, std::string text) { set({Fate::kRefused, tag, Malformed::kNone, reason, std::move(text)}); }
  void malformed(int tag, Malformed how) { set({Fate::kMalformed, tag, how, BusinessReason::kOther, {}}); }
  void set(Trouble trouble) {
    if (!trouble_.has_value()) trouble_ = std::move(trouble);
  }
  void say(const char* field, std::string_view value, const std::string& from) {
    const bool again = !why_->empty() && why_->back().command == commands_ && why_->back().field == field;
    if (!again) why_->push_back({commands_, field, std::string(value), from});
  }
  void say(const char* field, std::string_view value, int tag, std::string_view content = {}) {
    if (why_ == nullptr || value.empty()) return;
    say(field, value, "tag " + std::to_string(tag) + (content.empty() ? "" : " = " + std::string(content)));
  }
  Mapped result(FixReply reply);
  Mapped ignored(std::string text);

  const MappingRules& rules_;
  const Fields all_;
  std::vector<std::byte>& records_;
  std::vector<MappedField>* why_;
  std::optional<Trouble> trouble_;
  std::uint16_t commands_ = 0;
  std::string_view about_;
  bool acknowledged_ = false;
  std::string day_, id_, reference_;
};

std::string_view Reader::text(Fields fields, int tag, const char* name, std::size_t most, Need need) {
  const std::string_view value = value_of(fields, tag);
  if (value.empty()) {
    if (need == kRequired) malformed(tag, Malformed::kMissing);
    if (need == kWanted) refuse(tag, BusinessReason::kFieldMissing, std::string(name) + "(" + std::to_string(tag) + ") is missing");
    return {};
  }
  if (value.size() > most || !is_utf8(value)) {
    refuse(tag, BusinessReason::kOther, std::string(name) + "(" + std::to_string(tag) + ") " +
                                            (value.size() > most ? "has more than " + std::to_string(most) + " bytes"
                                                : std::string("is not UTF-8")));
    return {};
  }
  return value;
}

std::int64_t Reader::decimal(Fields fields, int tag, const char* name, bool required) {
  const std::string_view value = value_of(fields, tag);
  if (value.empty()) {
    if (required) refuse(tag, BusinessReason::kFieldMissing, std::string(name) + "(" + std::to_string(tag) + ") is missing");
    return 0;
  }
  // The standard's float: digits, perhaps a minus and a point, no plus and no exponent.
  const std::optional<std::int64_t> number = value[0] == '+' ? std::nullopt : parse_decimal(value);
  if (!number.has_value()) malformed(tag, Malformed::kWrongFormat);
  return number.value_or(0);
}

std::string_view Reader::name(const TagRule& rule, Fields part, Fields rest, const char* what, bool required) {
  const TagPlace* place = nullptr;
  const std::string_view value = rule.find(part, rest, &place);
  if (value.empty()) {
    if (required) refuse(0, BusinessReason::kFieldMissing, std::string("no ") + what + ": looked at " + rule.to_string());
    return {};
  }
  if (value.size() > limits::kMaxName || !is_utf8(value)) {
    refuse(place->tag, BusinessReason::kOther, std::string(what) + " from " + place->to_string() + " is no UTF-8 text of at most " +
                                                   std::to_string(limits::kMaxName) + " bytes");
    return {};
  }
  if (why_ != nullptr) say(what, value, place->to_string());
  return value;
}

// The fields that steer stand in no group, so twice is once too often. Groups have as many entries as their counts say.
void Reader::check_structure() {
  std::uint64_t seen[3] = {};  // tags below 64, below 500, the rest: by their last bits, which no two of the few share
  struct {
    const int count_tag, first_tag;
    std::uint32_t left = 0;
  } groups[] = {{tag::kNoPartyIds, tag::kPartyId}, {tag::kNoMiscFees, tag::kMiscFeeAmt}, {tag::kNoSecurityAltId, tag::kSecurityAltId}};
  for (const Field& field : all_) {
    for (auto& group : groups) {
      if (field.tag == group.count_tag) {
        if (group.left != 0) return malformed(group.count_tag, Malformed::kGroupCount);
        group.left = sequence_number(field.value);
      } else if (field.tag == group.first_tag && group.left-- == 0) {
        return malformed(group.count_tag, Malformed::kGroupCount);
      }
    }
    if (!wanted_once(field.tag)) continue;
    const auto bit = std::uint64_t{1} << (field.tag % 64);
    std::uint64_t& of = seen[field.tag < 64 ? 0 : field.tag < 500 ? 1 : 2];
    if ((of & bit) != 0) return malformed(field.tag, Malformed::kTwice);
    of |= bit;
  }
  for (const auto& group : groups) {
    if (group.left != 0) malformed(group.count_tag, Malformed::kGroupCount);
  }
}

void Reader::find_day() {
  if (rules_.id_day.empty()) return;
  const TagPlace* place = nullptr;
  const std::string_view day = rules_.id_day.find(all_, {}, &place).substr(0, kIdDayBytes - 1);
  std::int64_t ignored = 0;
  if (!parse_timestamp(std::string(day) + "-00:00:00", ignored)) {
    return refuse(place == nullptr ? 0 : place->tag, BusinessReason::kFieldMissing,
                  "no day for the ids: looked at " + rules_.id_day.to_string());
  }
  day_ = std::string(day) + "/";
}

void Reader::trade_fields(Fields part, Fields rest, Trade& trade, TradeReport& report) {
  trade.source = rules_.source;
  report.park = rules_.park;
  if (why_ != nullptr) say("source", rules_.source, "the session's");
  if (trade.action == Action::kCancel) return;
  trade.book = name(rules_.book, part, rest, "book", true);
  trade.trader = name(rules_.trader, part, rest, "trader", true);
  trade.counterparty = name(rules_.counterparty, part, rest, "counterparty", true);
  trade.instrument = name(rules_.instrument, part, rest, "instrument", true);
  report.desk = name(rules_.desk, part, rest, "desk", false);
  report.currency = name(rules_.currency, part, rest, "currency", false);
  const std::string_view side = text(part, tag::kSide, "Side", 2, kRequired);
  if (side == "1" || side == "3") {
    trade.side = Side::kBuy;
  } else if (side == "2" || side == "4" || side == "5" || side == "6") {
    trade.side = Side::kSell;
  } else if (!side.empty() && !is_side(side)) {
    malformed(tag::kSide, Malformed::kWrongValue);
  } else if (!side.empty()) {
    refuse(tag::kSide, BusinessReason::kOther, "Side(54) is " + in_quotes(side) + ": neither a buy nor a sell");
  }
  if (!side.empty()) say("side", side_name(trade.side), tag::kSide, side);
  trade.quantity = decimal(all_, tag::kLastQty, "LastQty", true);
  say("quantity", value_of(all_, tag::kLastQty), tag::kLastQty);
  trade.price = decimal(all_, tag::kLastPx, "LastPx", true);
  say("price", value_of(all_, tag::kLastPx), tag::kLastPx);
  if (value_of(part, tag::kCommType) == "3") trade.fees = decimal(part, tag::kCommission, "Commission", false);
  for (const Field& field : part) {
    if (field.tag != tag::kMiscFeeAmt) continue;
    const std::optional<std::int64_t> fee = parse_decimal(field.value);
    const bool wrong = !fee.has_value() || __builtin_add_overflow(trade.fees, *fee, &trade.fees);
    if (wrong) return malformed(tag::kMiscFeeAmt, Malformed::kWrongFormat);
  }
  if (why_ != nullptr && trade.fees != 0) say("fees", to_decimal(trade.fees), "tags 12 and 137");
  const int time_tag = value_of(all_, tag::kTransactTime).empty() ? tag::kSendingTime : tag::kTransactTime;
  if (!parse_timestamp(value_of(all_, time_tag), trade.trade_time)) malformed(time_tag, Malformed::kWrongFormat);
  say("trade_time", value_of(all_, time_tag), time_tag);
}

void Reader::add(const TradeReport& report) {
  if (trouble_.has_value()) return;
  append_record(report, records_);
  ++commands_;
}

Mapped Reader::result(FixReply reply) {
  Mapped mapped;
  mapped.about = about_;
  mapped.acknowledged = acknowledged_;
  if (!trouble_.has_value()) {
    mapped.commands = commands_;
    mapped.reply = reply;
    return mapped;
  }
  mapped.fate = trouble_->fate;
  mapped.tag = trouble_->tag;
  mapped.malformed = trouble_->malformed;
  mapped.reason = trouble_->reason;
  mapped.text = std::move(trouble_->text);
  return mapped;
}

Mapped Reader::ignored(std::string text) {
  Mapped mapped = result(FixReply::kNone);
  if (mapped.fate == Fate::kCommands) mapped.fate = Fate::kIgnored, mapped.text = std::move(text);
  return mapped;
}

Mapped Reader::execution_report() {
  check_structure();
  about_ = value_of(all_, tag::kExecId);
  const bool old = value_of(all_, tag::kBeginString) == "FIX.4.2";
  const std::string_view type = character(tag::kExecType, "ExecType", kRequired);
  Trade trade;
  trade.action = Action{};
  if (old) {
    const std::string_view transaction = character(tag::kExecTransType, "ExecTransType", kRequired);
    if (transaction == "1") {
      trade.action = Action::kCancel;
    } else if (transaction == "2") {
      trade.action = Action::kAmend;
    } else if (transaction == "0" && (type == "1" || type == "2")) {
      trade.action = Action::kNew;
    } else if (!transaction.empty() && transaction != "0" && transaction != "3") {
      malformed(tag::kExecTransType, Malformed::kWrongValue);
    }
    if (trade.action == Action{}) return ignored("ExecTransType(20) " + std::string(transaction) + " with ExecType(150) " +
        std::string(type) + " is no trade");
    say("action", action_name(trade.action), tag::kExecTransType, transaction);
  } else {
    if (type == "F" || type == "1" || type == "2") trade.action = Action::kNew;
    if (type == "G") trade.action = Action::kAmend;
    if (type == "H") trade.action = Action::kCancel;
    if (trade.action == Action{}) return ignored("ExecType(150) " + std::string(type) + " is no trade");
    say("action", action_name(trade.action), tag::kExecType, type);
  }
  TradeReport report;
  find_day();
  trade.trade_id = known_as(text(all_, tag::kExecId, "ExecID", limits::kMaxTradeId - day_.size(), kRequired), id_);
  say("trade_id", trade.trade_id, tag::kExecId);
  if (trade.action != Action::kNew) {
    report.reference = known_as(text(all_, tag::kExecRefId, "ExecRefID", limits::kMaxTradeId - day_.size(), kWanted), reference_);
    say("reference", report.reference, tag::kExecRefId);
  }
  trade_fields(all_, {}, trade, report);
  report.trade = trade;
  add(report);
  return result(FixReply::kWhenRefused);
}

Mapped Reader::trade_capture_report() {
  check_structure();
  find_day();
  const std::size_t most = limits::kMaxTradeId - day_.size() - 2;
  about_ = text(all_, tag::kTradeReportId, "TradeReportID", most, kRequired);
  acknowledged_ = !about_.empty();
  const std::string_view transaction = character(tag::kTradeReportTransType, "TradeReportTransType", kOptional);
  Action action = Action::kNew;
  if (transaction == "1") action = Action::kCancel;
  if (transaction == "2") action = Action::kAmend;
  if (!transaction.empty() && transaction != "0" && transaction != "1" && transaction != "2") {
    refuse(tag::kTradeReportTransType, BusinessReason::kOther, "TradeReportTransType(487) is " + in_quotes(transaction) +
        ": 0 new, 1 cancel and 2 replace are taken");
  }
  std::string_view reference;
  if (action != Action::kNew) {
    reference = text(all_, tag::kTradeReportRefId, "TradeReportRefID", most, kOptional);
    if (reference.empty()) reference = about_;
  }

  // The sides: each begins with Side(54) after NoSides(552), and the last ends with the last field that only a side has.
  std::vector<Fields> sides;
  std::size_t at = 0;
  while (at < all_.size() && all_[at].tag != tag::kNoSides) ++at;
  const std::uint32_t count = at < all_.size() ? sequence_number(all_[at].value) : 0;
  std::size_t begin = all_.size();
  for (std::size_t i = at; i < all_.size(); ++i) {
    if (all_[i].tag != tag::kSide) continue;
    if (begin < all_.size()) sides.push_back(all_.subspan(begin, i - begin));
    begin = i;
  }
  std::size_t end = all_.size();
  while (end > begin && !std::binary_search(kSideTags.begin(), kSideTags.end(), all_[end - 1].tag)) --end;
  if (begin < all_.size()) sides.push_back(all_.subspan(begin, end - begin));
  // What is said of the whole trade: never what is said of its other side.
  std::vector<Field> rest(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(at));
  rest.insert(rest.end(), all_.begin() + static_cast<std::ptrdiff_t>(end), all_.end());
  if (at == all_.size()) {
    if (action != Action::kCancel) refuse(tag::kNoSides, BusinessReason::kFieldMissing, "NoSides(552) is missing");
    sides.assign(2, Fields());  // whichever there are
  } else if (count == 0 || count != sides.size()) {
    malformed(tag::kNoSides, Malformed::kGroupCount);
  } else if (count > 2) {
    refuse(tag::kNoSides, BusinessReason::kOther, "NoSides(552) is " + in_quotes(all_[at].value) + ": 1 and 2 are taken");
  }
  const std::string_view id = known_as(about_, id_);
  reference = known_as(reference, reference_);
  const std::string second_id = std::string(id) + "/2", second_reference = std::string(reference) + "/2";
  for (std::size_t i = 0; i < sides.size() && !trouble_.has_value(); ++i) {
    Trade trade;
    TradeReport report;
    trade.action = action;
    trade.trade_id = i == 0 ? id : second_id;
    say("action", action_name(action), tag::kTradeReportTransType, transaction.empty() ? "0, by default" : transaction);
    say("trade_id", trade.trade_id, tag::kTradeReportId);
    if (action != Action::kNew) {
      report.reference = i == 0 ? reference : second_reference;
      say("reference", report.reference, tag::kTradeReportRefId);
    }
    trade_fields(sides[i], rest, trade, report);
    report.trade = trade;
    add(report);
  }
  return result(FixReply::kAlways);
}

Mapped Reader::market_data(bool incremental) {
  about_ = value_of(all_, tag::kMdReqId);
  std::size_t at = 0;
  while (at < all_.size() && all_[at].tag != tag::kNoMdEntries) ++at;
  if (at == all_.size()) {
    malformed(tag::kNoMdEntries, Malformed::kMissing);
    return result(FixReply::kWhenRefused);
  }
  const Fields head = all_.first(at);
  const int first_of_entry = incremental ? tag::kMdUpdateAction : tag::kMdEntryType;
  std::int64_t sending_time = 0;
  if (!parse_timestamp(value_of(all_, tag::kSendingTime), sending_time)) malformed(tag::kSendingTime, Malformed::kWrongFormat);

  std::vector<Fields> entries;
  std::size_t begin = all_.size();
  for (std::size_t i = at + 1; i < all_.size(); ++i) {
    if (all_[i].tag != first_of_entry) continue;
    if (begin < all_.size()) entries.push_back(all_.subspan(begin, i - begin));
    begin = i;
  }
  if (begin < all_.size()) entries.push_back(all_.subspan(begin));
  if (entries.size() != sequence_number(all_[at].value)) {
    malformed(tag::kNoMdEntries, Malformed::kGroupCount);
  }
  if (entries.size() > Mapping::kMostCommands) refuse(tag::kNoMdEntries, BusinessReason::kOther, "more than " +
      std::to_string(Mapping::kMostCommands) + " entries");

  std::optional<std::int64_t> bid, offer;
  std::int64_t quote_time = 0;
  std::string_view instrument;
  const auto add_price = [&](std::int64_t price, std::int64_t time) {
    if (trouble_.has_value()) return;
    append_record(Command(Price{instrument, price, time}), records_);
    ++commands_;
  };
  for (const Fields entry : entries) {
    if (trouble_.has_value()) break;
    // An entry without an instrument of its own is about the one before it.
    const TagPlace* place = nullptr;
    if (const std::string_view own = rules_.instrument.find(entry, head, &place); !own.empty()) instrument =
        name(rules_.instrument, entry, head, "instrument", true);
    if (instrument.empty()) refuse(0, BusinessReason::kFieldMissing, "no instrument: looked at " + rules_.instrument.to_string());
    if (incremental && value_of(entry, tag::kMdUpdateAction) == "2") continue;
    const std::string_view type = value_of(entry, tag::kMdEntryType);
    const bool quoted = !incremental && (type == "0" || type == "1");
    if (!quoted && type != "2" && type != "4" && type != "5" && type != "6") continue;
    const std::int64_t price = decimal(entry, tag::kMdEntryPx, "MDEntryPx", true);
    std::int64_t time = sending_time;
    const std::string_view date = value_of(entry, tag::kMdEntryDate), of_day = value_of(entry, tag::kMdEntryTime);
    if (!date.empty() && !of_day.empty() && !parse_timestamp(std::string(date) + "-" + std::string(of_day), time)) {
      malformed(tag::kMdEntryTime, Malformed::kWrongFormat);
    }
    if (quoted) {
      (type == "0" ? bid : offer) = price;
      quote_time = std::max(quote_time, time);
      continue;
    }
    const bool inherits = why_ != nullptr && (why_->empty() || why_->back().command != commands_);
    if (inherits) say("instrument", instrument, "the entry before");
    say("price", value_of(entry, tag::kMdEntryPx), tag::kMdEntryType, type);
    add_price(price, time);
  }
  if (commands_ == 0 && bid.has_value() && offer.has_value()) {
    const auto middle = static_cast<std::int64_t>(div_round(static_cast<Int128>(*bid) + *offer, 2));
    if (why_ != nullptr) say("price", to_decimal(middle), "the middle of bid and offer");
    add_price(middle, quote_time);
  }
  return commands_ == 0 ? ignored("no entry is a price to value positions at") : result(FixReply::kWhenRefused);
}

}  // namespace

Mapped Mapping::map(const Message& message, std::vector<std::byte>& records, std::vector<MappedField>* why) const {
  const std::size_t before = records.size();
  Reader reader(rules_, message, records, why);
  const std::string_view type = message.type();
  Mapped mapped;
  if (type == "8") {
    mapped = reader.execution_report();
  } else if (type == "AE" && value_of(message.fields(), tag::kBeginString) != "FIX.4.2") {
    mapped = reader.trade_capture_report();
  } else if (type == "W" || type == "X") {
    mapped = reader.market_data(type == "X");
  } else {
    mapped.fate = Fate::kRefused;
    mapped.reason = BusinessReason::kUnsupportedType;
    mapped.tag = tag::kMsgType;
    mapped.text = "MsgType(35) " + in_quotes(type) + " is not taken: 8, AE, W and X are";
  }
  if (mapped.fate != Fate::kCommands) records.resize(before);
  return mapped;
}

std::string Mapping::echo(const Message& message) {
  static constexpr std::array kOfCapture{tag::kTradeReportId, tag::kTradeReportTransType, tag::kTradeReportType, tag::kTradeReportRefId,
                                         tag::kExecType,      tag::kSymbol,               tag::kSecurityId,      tag::kSecurityIdSource};
  static constexpr std::array kOfPrices{tag::kMdReqId};
  std::span<const int> tags;
  if (message.type() == "AE") tags = kOfCapture;
  if (message.type() == "W" || message.type() == "X") tags = kOfPrices;
  std::string echo;
  for (const int tag : tags) {
    const std::string_view value = value_of(message.fields(), tag);
    if (!value.empty() && value.size() <= limits::kMaxName && value.find(kSoh) == std::string_view::npos) append_field(echo, tag, value);
  }
  return echo;
}

}  // namespace halocline::fix
