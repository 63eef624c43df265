// Messages to commands and answers, in the words of docs/fix.md.
#include "gateways/fix/mapping.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "command/codec.h"
#include "gateways/fix/fix_text.h"
#include "gateways/fix/replies.h"

namespace halocline::fix {
namespace {

constexpr std::int64_t kOne = limits::kScale;

MappingRules default_rules() {
  MappingRules rules;
  rules.source = "OMS";
  const auto set = [](TagRule& rule, const char* text) { rule = TagRule::parse(text).take(); };
  set(rules.book, "1");
  set(rules.trader, "party:12 party:11 party:36 party:53 116 50");
  set(rules.counterparty, "party:17 party:1 375 76 49");
  set(rules.instrument, "55 48");
  set(rules.currency, "15 120");
  return rules;
}

// A message, what it became, and its commands.
struct Result44 {
  std::string text;
  Message message;
  std::vector<std::byte> records;
  Mapped mapped;

  std::vector<Command> commands() const {
    std::vector<Command> all;
    for (std::span<const std::byte> rest(records); !rest.empty();) {
      const FramedCommand one = first_command(rest);
      all.push_back(one.command);
      rest = rest.subspan(one.bytes);
    }
    return all;
  }
  TradeReport report(std::size_t i = 0) const { return std::get<TradeReport>(commands().at(i)); }
};

std::unique_ptr<Result44> mapped(std::string_view begin_string, const std::string& type, const std::string& body,
    const MappingRules& rules = default_rules()) {
  auto result = std::make_unique<Result44>();
  result->text = whole_message(begin_string, "35=" + type + "|34=7|49=OMS|56=HALOCLINE|52=20261124-10:42:13|" + body);
  EXPECT_TRUE(result->message.parse(result->text)) << result->text;
  result->mapped = Mapping(rules).map(result->message, result->records);
  return result;
}

const std::string kBody = "1=eq1|55=AAPL|54=1|32=100|31=187.25|60=20261124-10:42:12.5|453=2|448=anna|447=D|452=12|448=acme|447=D|452=17|";

TEST(Mapping, AnExecutionReportOf44) {
  const auto result = mapped("FIX.4.4", "8", "17=E1|150=F|" + kBody + "12=1.5|13=3|136=2|137=0.25|139=4|137=-0.05|139=7|15=USD|");
  ASSERT_EQ(result->mapped.fate, Fate::kCommands) << result->mapped.text;
  EXPECT_EQ(result->mapped.commands, 1);
  EXPECT_EQ(result->mapped.reply, FixReply::kWhenRefused);
  const TradeReport report = result->report();
  EXPECT_EQ(report.trade.source, "OMS");
  EXPECT_EQ(report.trade.trade_id, "E1");
  EXPECT_EQ(report.reference, "");
  EXPECT_EQ(report.trade.action, Action::kNew);
  EXPECT_EQ(report.trade.book, "eq1");
  EXPECT_EQ(report.trade.trader, "anna");
  EXPECT_EQ(report.trade.counterparty, "acme");
  EXPECT_EQ(report.trade.instrument, "AAPL");
  EXPECT_EQ(report.currency, "USD");
  EXPECT_EQ(report.trade.side, Side::kBuy);
  EXPECT_EQ(report.trade.quantity, 100 * kOne);
  EXPECT_EQ(report.trade.price, 18'725'000'000);
  EXPECT_EQ(report.trade.fees, 170'000'000);
  EXPECT_EQ(report.trade.trade_time, 1'795'516'932'500'000'000);
}

TEST(Mapping, WhichExecutionsAreTrades) {
  const struct {
    const char* version;
    const char* fields;
    Fate fate;
    Action action;
  } cases[] = {
      {"FIX.4.4", "150=F|", Fate::kCommands, Action::kNew},          {"FIX.4.4", "150=1|", Fate::kCommands, Action::kNew},
      {"FIX.4.4", "150=G|19=E0|", Fate::kCommands, Action::kAmend},  {"FIX.4.4", "150=H|19=E0|", Fate::kCommands, Action::kCancel},
      {"FIX.4.4", "150=0|", Fate::kIgnored, Action{}},               {"FIX.4.4", "150=4|", Fate::kIgnored, Action{}},
      {"FIX.4.4", "150=G|", Fate::kRefused, Action{}},               {"FIX.4.4", "", Fate::kMalformed, Action{}},
      {"FIXT.1.1", "150=F|", Fate::kCommands, Action::kNew},         {"FIX.4.2", "20=0|150=2|", Fate::kCommands, Action::kNew},
      {"FIX.4.2", "20=0|150=1|", Fate::kCommands, Action::kNew},     {"FIX.4.2", "20=2|150=2|19=E0|", Fate::kCommands, Action::kAmend},
      {"FIX.4.2", "20=1|150=2|19=E0|", Fate::kCommands, Action::kCancel}, {"FIX.4.2", "20=0|150=0|", Fate::kIgnored, Action{}},
      {"FIX.4.2", "20=3|150=2|", Fate::kIgnored, Action{}},          {"FIX.4.2", "150=2|", Fate::kMalformed, Action{}},
      {"FIX.4.2", "20=9|150=2|", Fate::kMalformed, Action{}},        {"FIX.4.2", "20=0|150=F|", Fate::kIgnored, Action{}},
  };
  for (const auto& one : cases) {
    const auto result = mapped(one.version, "8", "17=E1|" + std::string(one.fields) + kBody);
    EXPECT_EQ(result->mapped.fate, one.fate) << one.version << " " << one.fields << " " << result->mapped.text;
    if (result->mapped.fate != Fate::kCommands) continue;
    EXPECT_EQ(result->report().trade.action, one.action) << one.fields;
    EXPECT_EQ(result->report().reference, one.action == Action::kNew ? "" : "E0") << one.fields;
  }
}

TEST(Mapping, WhatCannotBeUsedNamesTheTag) {
  const std::string head = "17=E1|150=F|";
  const struct {
    std::string body;
    Fate fate;
    int tag;
    int reason;  // Malformed or BusinessReason
  } cases[] = {
      {"150=F|" + kBody, Fate::kMalformed, 17, 1},
      {head + "55=AAPL|54=1|32=1|31=1|50=anna|", Fate::kRefused, 0, 5},
      {head + "1=eq1|55=AAPL|32=1|31=1|50=anna|", Fate::kMalformed, 54, 1},
      {head + "1=eq1|55=AAPL|54=8|32=1|31=1|50=anna|", Fate::kRefused, 54, 0},
      {head + "1=eq1|55=AAPL|54=@|32=1|31=1|50=anna|", Fate::kMalformed, 54, 5},
      {head + "1=eq1|55=AAPL|54=1|31=1|50=anna|", Fate::kRefused, 32, 5},
      {head + "1=eq1|55=AAPL|54=1|32=ten|31=1|50=anna|", Fate::kMalformed, 32, 6},
      {head + "1=eq1|55=AAPL|54=1|32=1|31=1e5|50=anna|", Fate::kMalformed, 31, 6},
      {head + "1=eq1|55=AAPL|54=1|32=1|31=1|60=yesterday|50=anna|", Fate::kMalformed, 60, 6},
      {head + "1=eq1|55=AAPL|54=1|32=1|31=1|31=2|50=anna|", Fate::kMalformed, 31, 13},
      {head + "1=eq1|55=AAPL|54=1|32=1|31=1|453=2|448=anna|452=12|", Fate::kMalformed, 453, 16},
      {head + "1=eq1|55=AAPL|54=1|32=1|31=1|448=anna|452=12|", Fate::kMalformed, 453, 16},
      {head + "1=eq1|55=" + std::string(65, 'A') + "|54=1|32=1|31=1|50=anna|", Fate::kRefused, 55, 0},
      {head + "1=\xff|55=AAPL|54=1|32=1|31=1|50=anna|", Fate::kRefused, 1, 0},
  };
  for (const auto& one : cases) {
    const auto result = mapped("FIX.4.4", "8", one.body);
    EXPECT_EQ(result->mapped.fate, one.fate) << one.body << ": " << result->mapped.text;
    EXPECT_EQ(result->mapped.tag, one.tag) << one.body;
    EXPECT_EQ(one.fate == Fate::kMalformed ? static_cast<int>(result->mapped.malformed) : static_cast<int>(result->mapped.reason),
        one.reason) << one.body;
    EXPECT_TRUE(result->records.empty()) << one.body;
  }
}

TEST(Mapping, RulesLookPlaceByPlace) {
  MappingRules rules = default_rules();
  rules.book = TagRule::parse("party:38 =house").take();
  rules.instrument = TagRule::parse("id:4 55").take();
  rules.desk = TagRule::parse("57").take();
  const auto with_ids = mapped("FIX.4.4", "8", "17=E1|150=F|57=rates|454=1|455=US0378331005|456=4|" + kBody, rules);
  ASSERT_EQ(with_ids->mapped.fate, Fate::kCommands) << with_ids->mapped.text;
  EXPECT_EQ(with_ids->report().trade.book, "house");
  EXPECT_EQ(with_ids->report().trade.instrument, "US0378331005");
  EXPECT_EQ(with_ids->report().desk, "rates");
  EXPECT_EQ(mapped("FIX.4.4", "8", "17=E1|150=F|48=XS1|22=4|" + kBody, rules)->report().trade.instrument, "XS1");
  EXPECT_EQ(mapped("FIX.4.4", "8", "17=E1|150=F|48=XS1|22=1|" + kBody, rules)->report().trade.instrument, "AAPL");
  for (const char* wrong : {"party:", "id", "x", "0", "=", "1,2", "-5"}) EXPECT_FALSE(TagRule::parse(wrong).ok()) << wrong;
  EXPECT_TRUE(TagRule::parse("").value().empty());
}

TEST(Mapping, IdsOfADayHoldTheDay) {
  MappingRules rules = default_rules();
  rules.id_day = TagRule::parse("75 60").take();
  const auto correction = mapped("FIX.4.4", "8", "17=E2|150=G|19=E1|75=20261123|" + kBody, rules);
  ASSERT_EQ(correction->mapped.fate, Fate::kCommands) << correction->mapped.text;
  EXPECT_EQ(correction->report().trade.trade_id, "20261123/E2");
  EXPECT_EQ(correction->report().reference, "20261123/E1");
  EXPECT_EQ(mapped("FIX.4.4", "8", "17=E1|150=F|" + kBody, rules)->report().trade.trade_id, "20261124/E1");
  EXPECT_EQ(mapped("FIX.4.4", "8", "17=E1|150=F|75=today|" + kBody, rules)->mapped.tag, 75);
  EXPECT_EQ(mapped("FIX.4.4", "8", "17=" + std::string(56, 'E') + "|150=F|" + kBody, rules)->mapped.tag, 17) << "too long with the day";

  const std::string sides = "552=2|54=1|1=eq1|50=anna|54=2|1=eq2|50=anna|";
  const auto capture = mapped("FIX.4.4", "AE", "571=R1|487=2|75=20261123|32=5|31=2|55=AAPL|" + sides, rules);
  ASSERT_EQ(capture->mapped.commands, 2) << capture->mapped.text;
  EXPECT_EQ(capture->report(1).trade.trade_id, "20261123/R1/2");
  EXPECT_EQ(capture->report(1).reference, "20261123/R1/2");

  std::vector<std::byte> records;
  append_record(FixReceived{"oms", 7, 1, FixReply::kWhenRefused, "8", ""}, records);
  records.insert(records.end(), correction->records.begin(), correction->records.end());
  const Reply reject = reply_to(records, {Outcome::kUnknownBook, 0}, rules);
  for (const auto& [tag, text] : reject.body) {
    if (tag == 379) {
      EXPECT_EQ(text, "E2") << "as it came";
    }
  }
}

TEST(Mapping, ATradeCaptureReportHasASideOrTwo) {
  const std::string side = "54=1|1=eq1|453=1|448=anna|447=D|452=12|", other = "54=2|1=eq2|453=1|448=boris|447=D|452=12|";
  const std::string head = "571=R1|32=5|31=2|55=AAPL|";
  const auto one = mapped("FIX.4.4", "AE", head + "552=1|" + side);
  ASSERT_EQ(one->mapped.fate, Fate::kCommands) << one->mapped.text;
  EXPECT_EQ(one->mapped.reply, FixReply::kAlways);
  EXPECT_EQ(one->report().trade.trade_id, "R1");
  EXPECT_EQ(one->report().trade.book, "eq1");

  const auto two = mapped("FIX.4.4", "AE", head + "487=2|572=R0|552=2|" + side + other);
  ASSERT_EQ(two->mapped.commands, 2) << two->mapped.text;
  EXPECT_EQ(two->report(0).reference, "R0");
  EXPECT_EQ(two->report(1).trade.trade_id, "R1/2");
  EXPECT_EQ(two->report(1).reference, "R0/2");
  EXPECT_EQ(two->report(1).trade.book, "eq2");
  EXPECT_EQ(two->report(1).trade.trader, "boris");
  EXPECT_EQ(two->report(1).trade.side, Side::kSell);

  // A side does not take what is said of the other one; it takes what is said of the whole trade, before the sides or after them.
  MappingRules rules = default_rules();
  rules.counterparty = TagRule::parse("5001 49").take();
  const std::string entered = "54=1|1=eq1|453=1|448=carla|447=D|452=36|";
  const auto mixed = mapped("FIX.4.4", "AE", "50=desk|" + head + "552=2|" + entered + other + "5001=street|", rules);
  ASSERT_EQ(mixed->mapped.commands, 2) << mixed->mapped.text;
  EXPECT_EQ(mixed->report(0).trade.trader, "carla");
  EXPECT_EQ(mixed->report(1).trade.trader, "boris");
  EXPECT_EQ(mixed->report(0).trade.counterparty, "street");
  EXPECT_EQ(mixed->report(1).trade.counterparty, "street");
  EXPECT_EQ(mapped("FIX.4.4", "AE", head + "552=2|54=1|" + other)->mapped.reason, BusinessReason::kFieldMissing) << "the first has no book";

  // Without a reference a correction is about the id itself; a cancel needs no side.
  EXPECT_EQ(mapped("FIX.4.4", "AE", head + "487=2|552=1|" + side)->report().reference, "R1");
  const auto cancel = mapped("FIX.4.4", "AE", "571=R2|572=R1|487=1|");
  ASSERT_EQ(cancel->mapped.commands, 2) << "whichever sides there were";
  EXPECT_EQ(cancel->report(0).trade.action, Action::kCancel);
  EXPECT_EQ(cancel->report(0).reference, "R1");
  EXPECT_EQ(cancel->report(1).reference, "R1/2");

  EXPECT_EQ(mapped("FIX.4.4", "AE", head + "552=2|" + side)->mapped.malformed, Malformed::kGroupCount);
  EXPECT_EQ(mapped("FIX.4.4", "AE", head + "552=0|")->mapped.malformed, Malformed::kGroupCount);
  EXPECT_EQ(mapped("FIX.4.4", "AE", head + "552=x|")->mapped.malformed, Malformed::kGroupCount);
  EXPECT_EQ(mapped("FIX.4.4", "AE", head + "552=3|" + side + other + side)->mapped.fate, Fate::kRefused);
  EXPECT_EQ(mapped("FIX.4.4", "AE", head + "487=7|552=1|" + side)->mapped.tag, 487);
  EXPECT_EQ(mapped("FIX.4.4", "AE", "552=1|" + side)->mapped.malformed, Malformed::kMissing);
  EXPECT_EQ(mapped("FIX.4.2", "AE", head + "552=1|" + side)->mapped.reason, BusinessReason::kUnsupportedType);
}

TEST(Mapping, MarketDataIsPrices) {
  const auto prices = [](const Result44& result) {
    std::vector<std::pair<std::string, std::int64_t>> all;
    for (const Command& command : result.commands()) all.emplace_back(std::get<Price>(command).instrument, std::get<Price>(command).price);
    return all;
  };
  using Rows = std::vector<std::pair<std::string, std::int64_t>>;
  const auto last = mapped("FIX.4.4", "W", "55=AAPL|268=2|269=0|270=9|269=2|270=10.5|272=20261124|273=09:30:00|");
  EXPECT_EQ(prices(*last), (Rows{{"AAPL", 10 * kOne + kOne / 2}}));
  EXPECT_EQ(std::get<Price>(last->commands()[0]).price_time, 1'795'512'600'000'000'000);
  EXPECT_EQ(prices(*mapped("FIX.4.4", "W", "55=AAPL|268=2|269=0|270=9|269=1|270=10|")),
      (Rows{{"AAPL", 9 * kOne + kOne / 2}})) << "the middle";
  EXPECT_EQ(mapped("FIX.4.4", "W", "55=AAPL|268=1|269=0|270=9|")->mapped.fate, Fate::kIgnored);
  EXPECT_EQ(prices(*mapped("FIX.4.4", "X", "268=3|279=0|269=2|55=AAPL|270=1|279=1|269=4|270=2|279=0|269=2|55=MSFT|270=3|")),
            (Rows{{"AAPL", kOne}, {"AAPL", 2 * kOne}, {"MSFT", 3 * kOne}}));
  EXPECT_EQ(prices(*mapped("FIX.4.4", "X", "268=2|279=0|269=2|55=AAPL|270=1|279=0|269=2|48=XS1|22=4|270=3|")),
            (Rows{{"AAPL", kOne}, {"XS1", 3 * kOne}})) << "an entry's own instrument, not another's";
  EXPECT_EQ(mapped("FIX.4.4", "X", "268=1|279=2|269=2|55=AAPL|270=1|")->mapped.fate, Fate::kIgnored) << "deleted";
  EXPECT_EQ(mapped("FIX.4.4", "X", "268=2|279=0|269=2|55=AAPL|270=1|")->mapped.malformed, Malformed::kGroupCount);
  EXPECT_EQ(mapped("FIX.4.4", "X", "55=AAPL|")->mapped.tag, 268);
  EXPECT_EQ(mapped("FIX.4.4", "V", "262=r|")->mapped.reason, BusinessReason::kUnsupportedType);
}

TEST(Mapping, SaysWhereEachFieldStood) {
  const auto why = [](const std::string& type, const std::string& body) {
    const std::string text = whole_message("FIX.4.4", "35=" + type + "|34=7|49=OMS|56=HALOCLINE|52=20261124-10:42:13|" + body);
    Message message;
    EXPECT_TRUE(message.parse(text));
    std::vector<std::byte> records;
    std::vector<MappedField> fields;
    static_cast<void>(Mapping(default_rules()).map(message, records, &fields));
    std::string all;
    for (const MappedField& field : fields) {
      all += std::to_string(field.command) + " " + field.field + "=" + field.value + " (" + field.from + ")\n";
    }
    return all;
  };
  EXPECT_EQ(why("8", "17=E2|150=G|19=E1|" + kBody + "12=1.5|13=3|"),
            "0 action=AMEND (tag 150 = G)\n0 trade_id=E2 (tag 17)\n0 reference=E1 (tag 19)\n0 source=OMS (the session's)\n"
            "0 book=eq1 (tag 1)\n0 trader=anna (party:12)\n0 counterparty=acme (party:17)\n0 instrument=AAPL (tag 55)\n"
            "0 side=BUY (tag 54 = 1)\n0 quantity=100 (tag 32)\n0 price=187.25 (tag 31)\n0 fees=1.5 (tags 12 and 137)\n"
            "0 trade_time=20261124-10:42:12.5 (tag 60)\n");
  EXPECT_EQ(why("X", "268=2|279=0|269=2|55=AAPL|270=1|279=1|269=4|270=2|"),
            "0 instrument=AAPL (tag 55)\n0 price=1 (tag 269 = 2)\n1 instrument=AAPL (the entry before)\n1 price=2 (tag 269 = 4)\n");
}

std::string value(const Reply& reply, int tag) {
  for (const auto& [of, text] : reply.body) {
    if (of == tag) return text;
  }
  return "";
}

TEST(Replies, TellWhatBecameOfAReport) {
  const auto result = mapped("FIX.4.4", "AE", "571=R1|487=0|32=5|31=2|55=AAPL|552=1|54=1|1=eq9|50=anna|");
  std::vector<std::byte> records;
  append_record(FixReceived{"oms", 7, 1, FixReply::kAlways, "AE", Mapping::echo(result->message)}, records);
  records.insert(records.end(), result->records.begin(), result->records.end());

  const Reply accepted = reply_to(records, {Outcome::kAccepted, 0}, default_rules());
  EXPECT_EQ(accepted.type, "AR");
  EXPECT_EQ(value(accepted, 571), "R1");
  EXPECT_EQ(value(accepted, 55), "AAPL");
  EXPECT_EQ(value(accepted, 150), "F");
  EXPECT_EQ(value(accepted, 939), "0");
  EXPECT_EQ(value(accepted, 58), "");
  EXPECT_EQ(value(reply_to(records, {Outcome::kParked, 0}, default_rules()), 939), "3");
  const Reply duplicate = reply_to(records, {Outcome::kDuplicate, 0}, default_rules());
  EXPECT_EQ(value(duplicate, 939), "0");
  EXPECT_EQ(value(duplicate, 58), "DUPLICATE: \"R1\" is known already");
  const Reply refused = reply_to(records, {Outcome::kUnknownBook, 0}, default_rules());
  EXPECT_EQ(value(refused, 939), "1");
  EXPECT_EQ(value(refused, 751), "1");
  EXPECT_EQ(value(refused, 58), "UNKNOWN_BOOK: no book \"eq9\" (tag 1)");
}

TEST(Replies, ARefusedExecutionGetsABusinessReject) {
  const auto result = mapped("FIX.4.4", "8", "17=E1|150=F|" + kBody);
  std::vector<std::byte> records;
  append_record(FixReceived{"oms", 7, 1, FixReply::kWhenRefused, "8", ""}, records);
  records.insert(records.end(), result->records.begin(), result->records.end());
  const Reply reject = reply_to(records, {Outcome::kUnknownInstrument, 0}, default_rules());
  EXPECT_EQ(reject.type, "j");
  EXPECT_EQ(value(reject, 45), "7");
  EXPECT_EQ(value(reject, 372), "8");
  EXPECT_EQ(value(reject, 379), "E1");
  EXPECT_EQ(value(reject, 380), "2");
  EXPECT_EQ(value(reject, 58), "UNKNOWN_INSTRUMENT: no instrument \"AAPL\" (tag 55, tag 48)");

  const auto price = mapped("FIX.4.4", "W", "262=md7|55=AAPL|268=1|269=2|270=10|");
  records.clear();
  append_record(FixReceived{"oms", 8, 1, FixReply::kWhenRefused, "W", Mapping::echo(price->message)}, records);
  records.insert(records.end(), price->records.begin(), price->records.end());
  EXPECT_EQ(value(reply_to(records, {Outcome::kUnknownInstrument, 0}, default_rules()), 379), "md7");

  const auto malformed = mapped("FIX.4.2", "8", "17=E1|20=0|150=2|31=1|" + kBody);
  const Reply session_reject = reject_of(malformed->message, malformed->mapped);
  EXPECT_EQ(session_reject.type, "3");
  EXPECT_EQ(value(session_reject, 371), "31");
  EXPECT_EQ(value(session_reject, 373), "") << "FIX 4.2 has no such reason";
}

}  // namespace
}  // namespace halocline::fix
