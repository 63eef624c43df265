#include "cli/text.h"

#include <gtest/gtest.h>

namespace halocline::cli {
namespace {

TEST(Text, SeparatesThousands) {
  EXPECT_EQ(with_separators("0"), "0");
  EXPECT_EQ(with_separators("999"), "999");
  EXPECT_EQ(with_separators("-1000"), "-1,000");
  EXPECT_EQ(with_separators("1234567.125"), "1,234,567.125");
  EXPECT_EQ(with_separators("-123456.5"), "-123,456.5");
}

TEST(Text, RoundsHalfToEven) {
  EXPECT_EQ(rounded("1234567.005", 2), "1,234,567.00");
  EXPECT_EQ(rounded("0.015", 2), "0.02");
  EXPECT_EQ(rounded("-0.5", 0), "0");
  EXPECT_EQ(rounded("1.5", 0), "2");
  EXPECT_EQ(rounded("7", 2), "7.00");
  EXPECT_EQ(rounded("no number", 2), "no number");
  EXPECT_EQ(percent_text("0.25"), "25.0 %");
}

TEST(Text, PrintsTimes) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_text(1'500'000'000), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(time_text(1'763'980'933'123'456'789), "2025-11-24T10:42:13.123456789Z");
  EXPECT_EQ(time_text(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(Text, ReadsTimesAsItPrintsThem) {
  for (const std::int64_t ns : {std::int64_t{0}, std::int64_t{1'763'980'933'123'456'789}, std::int64_t{-1}, std::int64_t{1'500'000'000}}) {
    EXPECT_EQ(parse_time(time_text(ns)), ns);
  }
  EXPECT_EQ(parse_time("1970-01-02"), 86'400'000'000'000);
  EXPECT_EQ(parse_time("1970-01-01 00:01"), 60'000'000'000);
  EXPECT_EQ(parse_time("42"), 42);
  for (const char* bad : {"", "yesterday", "2026-13-01", "2026-02-29", "2026-01-01T25:00", "2026-01-01T10:00:00.Z", "2026-01-01x",
                          "2026-1-1"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(Text, DurationsAndDates) {
  EXPECT_EQ(duration_text(850), "850 ns");
  EXPECT_EQ(duration_text(12'345), "12.3 us");
  EXPECT_EQ(duration_text(4'560'000), "4.56 ms");
  EXPECT_EQ(duration_text(200'000'000'000), "3 min 20 s");
  EXPECT_EQ(parse_duration("500ms"), 500'000'000);
  EXPECT_EQ(parse_duration("5m"), 300'000'000'000);
  EXPECT_EQ(parse_duration("0"), 0);
  for (const char* bad : {"", "5", "-5s", "5 s", "s", "99999999999999h"}) EXPECT_FALSE(parse_duration(bad)) << bad;
  EXPECT_EQ(parse_date("2026-11-24"), 20261124u);
  EXPECT_EQ(parse_date("20261124"), 20261124u);
  EXPECT_FALSE(parse_date("24.11.2026"));
  EXPECT_EQ(bytes_text(1'536), "1.50 KiB");
}

TEST(Text, SuggestsWhatIsClose) {
  const std::vector<std::string> known = {"quantity", "price", "book"};
  EXPECT_EQ(closest("quantiy", known), "quantity");
  EXPECT_EQ(closest("pirce", known), "price");
  EXPECT_EQ(closest("NWO", std::vector<std::string>{"NVL", "NOW"}), "NOW") << "two letters that changed places are one mistake";
  EXPECT_EQ(closest("zzzzzz", known), "");
  EXPECT_EQ(width_of("├ Zürich"), 8u);
}

}  // namespace
}  // namespace halocline::cli
