// CSV, fields and reference files: what comes from outside.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "cli/csv.h"
#include "cli/fields.h"
#include "cli/input.h"
#include "cli/json.h"
#include "cli/reference_file.h"
#include "halocline/v1/risk.pb.h"

namespace halocline::cli {
namespace {

struct Parsed {
  std::vector<std::vector<std::string>> records;
  std::vector<std::uint64_t> lines;
  Status status;
};

Parsed parse(const std::string& text) {
  Parsed parsed;
  std::FILE* file = fmemopen(const_cast<char*>(text.data()), text.size(), "r");
  CsvReader csv(file);
  std::vector<std::string> fields;
  while (true) {
    const Result<bool> more = csv.next(fields);
    parsed.status = more.ok() ? ok_status() : more.status();
    if (!more.ok() || !more.value()) break;
    parsed.records.push_back(fields);
    parsed.lines.push_back(csv.line());
  }
  std::fclose(file);
  return parsed;
}

using Records = std::vector<std::vector<std::string>>;

TEST(Csv, ReadsQuotesLineEndsAndEmptyFields) {
  const Parsed parsed = parse("\xEF\xBB\xBF" "a,b,c\r\n1,,\"x, \"\"y\"\"\"\n\n\"two\nlines\",2,3\nlast,,");
  EXPECT_TRUE(parsed.status.ok());
  EXPECT_EQ(parsed.records, (Records{{"a", "b", "c"}, {"1", "", "x, \"y\""}, {"two\nlines", "2", "3"}, {"last", "", ""}}));
  EXPECT_EQ(parsed.lines, (std::vector<std::uint64_t>{1, 2, 4, 6}));
}

TEST(Csv, SaysWhereItIsNoCsv) {
  EXPECT_EQ(parse("a\n\"b").status.message(), "line 2: a quote is opened and never closed");
  EXPECT_EQ(parse("a\n\"b\"c\n").status.message(), "line 2: text after a closing quote");
  EXPECT_NE(parse("a\nb\"c\n").status.message().find("line 2: a quote inside"), std::string::npos);
  EXPECT_NE(parse(std::string(70'000, 'x')).status.message().find("longer than 64 KiB"), std::string::npos);
  EXPECT_NE(parse("\"" + std::string(70'000, '\n')).status.message().find("longer than 64 KiB"), std::string::npos);
}

TEST(Fields, ReadATrade) {
  v1::Trade trade;
  EXPECT_TRUE(set_field(trade, "quantity", "1500").ok());
  EXPECT_TRUE(set_field(trade, "price", "-0.00000001").ok());
  EXPECT_TRUE(set_field(trade, "side", "sell").ok());
  EXPECT_TRUE(set_field(trade, "action", "Amend").ok());
  EXPECT_TRUE(set_field(trade, "version", "3").ok());
  EXPECT_TRUE(set_field(trade, "fees", "").ok());
  EXPECT_EQ(trade.quantity_e8(), 150'000'000'000);
  EXPECT_EQ(trade.price_e8(), -1);
  EXPECT_EQ(trade.side(), v1::SELL);
  EXPECT_EQ(trade.action(), v1::AMEND);
  EXPECT_EQ(trade.version(), 3u);
}

TEST(Fields, SayWhatIsWrong) {
  v1::Trade trade;
  EXPECT_EQ(set_field(trade, "quantiy", "1").message(), "unknown field \"quantiy\": did you mean quantity?");
  EXPECT_NE(set_field(trade, "quantity", "1,500").message().find("quantity: \"1,500\" is not a decimal number"), std::string::npos);
  EXPECT_FALSE(set_field(trade, "price", "1.123456789").ok());
  EXPECT_FALSE(set_field(trade, "price", "1e5").ok());
  EXPECT_FALSE(set_field(trade, "side", "long").ok());
  EXPECT_FALSE(set_field(trade, "version", "-1").ok());
  EXPECT_FALSE(set_field(trade, "version", "1.0").ok());
  EXPECT_FALSE(set_field(trade, "trade_time", "noon").ok());
  EXPECT_NE(new_item("instrumet").status().message().find("did you mean instrument?"), std::string::npos);
}

TEST(Fields, ReadJsonWithoutLosingDigits) {
  const auto pairs = parse_json_fields(R"({"price": 12345678.12345678, "quantity": 9007199254740993, "fees": "0.1", "book": null})");
  ASSERT_TRUE(pairs.ok());
  EXPECT_EQ(pairs.value(), (std::vector<std::pair<std::string, std::string>>{
                               {"price", "12345678.12345678"}, {"quantity", "9007199254740993"}, {"fees", "0.1"}, {"book", ""}}));
  EXPECT_NE(parse_json_fields(R"({"a": [1]})").status().message().find("a is an array"), std::string::npos);
  EXPECT_NE(parse_json_fields(R"({"a": {}})").status().message().find("a is an object"), std::string::npos);
  EXPECT_NE(parse_json_fields("{\"a\": ").status().message().find("not JSON"), std::string::npos);
  EXPECT_NE(parse_json_fields("7").status().message().find("not an object"), std::string::npos);
  EXPECT_NE(parse_json_fields("[1]").status().message().find("one object a line"), std::string::npos);
}

std::string file_with(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "halocline-" + std::to_string(getpid()) + "-" + name;
  std::ofstream(path) << text;
  return path;
}

TEST(ReferenceFile, ReadsTomlInTheOrderThingsNeedEachOther) {
  const std::string path = file_with("floor.toml", R"(
[[book]]
name = "b1"
desk = "rates"
[[instrument]]
symbol = "AAPL"
kind = "equity"
currency = "USD"
stale_after = "30s"
multiplier = 0.1
expiry = 2026-12-18
[[desk]]
name = "rates"
[firm]
name = "Acme"
currency = "USD"
[[currency]]
code = "EUR"
rate = 1.08250001
)");
  const auto rows = read_reference_toml(path);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_EQ(rows.value().size(), 5u);
  EXPECT_EQ(item_text(rows.value()[0].item), "firm Acme");
  EXPECT_EQ(rows.value()[1].item.currency().rate_e8(), 108'250'001);
  EXPECT_EQ(item_text(rows.value()[2].item), "desk rates");
  EXPECT_EQ(rows.value()[3].item.book().desk(), "rates");
  const v1::InstrumentItem& instrument = rows.value()[4].item.instrument();
  EXPECT_EQ(instrument.multiplier_e8(), 10'000'000);  // 0.1 as written, not as a double has it
  EXPECT_EQ(instrument.stale_after_ns(), 30'000'000'000);
  EXPECT_EQ(instrument.expiry(), 20261218u);
}

TEST(ReferenceFile, SaysFileLineAndField) {
  const auto message = [](const std::string& text) {
    return read_reference_toml(file_with("bad.toml", text)).status().message();
  };
  EXPECT_NE(message("[[boook]]\nname = \"b\"\n").find("bad.toml:1: unknown kind of reference data \"boook\": did you mean book?"),
            std::string::npos);
  EXPECT_NE(message("[[book]]\nname = \"b\"\ndeks = \"d\"\n").find("bad.toml:3: unknown field \"deks\": did you mean desk?"),
            std::string::npos);
  EXPECT_NE(message("[[currency]]\ncode = \"EUR\"\nrate = 1e3\n").find("bad.toml:3: rate: \"1e3\" is not a decimal"), std::string::npos);
  EXPECT_NE(message("[[book]\n").find("bad.toml:1"), std::string::npos);
  EXPECT_NE(message("book = 1\n").find("write [[book]]"), std::string::npos);
  EXPECT_EQ(read_reference_toml("/no/such/file").status().message(), "cannot open /no/such/file: No such file or directory");
  const Status short_row = read_reference_csv(file_with("b.csv", "name,desk\nb1\n"), "book").status();
  EXPECT_NE(short_row.message().find("b.csv:2: 1 fields, the header has 2"), std::string::npos);
}

TEST(Json, ShowsMessagesForScripts) {
  v1::Limit limit;
  limit.set_name("l");
  limit.set_kind(v1::TRADER);
  limit.set_measure(v1::STALE_EXPOSURE);
  limit.set_breach("5000000.5");
  limit.set_hysteresis_e8(5'000'000);
  EXPECT_EQ(to_json(limit).dump(),
            R"({"name":"l","kind":"trader","node":"","measure":"stale","warn":"","breach":"5000000.5","hysteresis":"0.05","hard":false,)"
            R"("owner":"","escalate_after_ns":0,"active_alerts":0})");
  v1::AlertEvent event;
  event.set_time_ns(1'500'000'000);
  event.set_cause(v1::CAUSE_TRADE);
  const Json json = to_json(event);
  EXPECT_EQ(json["time"], "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(json["cause"], "TRADE");
  EXPECT_EQ(json["level"], "NONE");
}

}  // namespace
}  // namespace halocline::cli
