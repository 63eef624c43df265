#include "base/log.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/clock.h"

namespace halocline {
namespace {

constexpr std::int64_t kTime = 1'795'516'933'123'456'789;  // 2026-11-24T10:42:13.123456789Z

std::vector<std::string> lines;
void keep(std::string_view line) { lines.emplace_back(line); }

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override { lines.clear(), set_log_writer(keep); }
  void TearDown() override { set_log_writer(nullptr), set_log_level(LogLevel::kInfo), set_log_format(LogFormat::kText); }
};

TEST_F(LogTest, Text) {
  EXPECT_EQ(
      format_log_line(LogFormat::kText, kTime, LogLevel::kInfo, "a.b",
                      {{"n", -1}, {"u", 7u}, {"ok", true}, {"ratio", 0.5}, {"name", "x"}, {"why", "no \"room\"\n"}, {"empty", ""}}, 0),
      "2026-11-24T10:42:13.123456Z info a.b n=-1 u=7 ok=true ratio=0.5 name=x why=\"no \\\"room\\\"\\n\" empty=\"\"");
}

TEST_F(LogTest, Json) {
  EXPECT_EQ(format_log_line(LogFormat::kJson, kTime, LogLevel::kError, "a.b", {{"n", -1}, {"name", "x\t"}, {"nan", 0.0 / 0.0}}, 3),
            "{\"time\":\"2026-11-24T10:42:13.123456Z\",\"level\":\"error\",\"event\":\"a.b\",\"n\":-1,\"name\":\"x\\u0009\",\"nan\":null,"
            "\"suppressed\":3}");
}

TEST_F(LogTest, BelowTheLevelNothingIsWritten) {
  log_line(LogLevel::kDebug, "quiet");
  EXPECT_TRUE(lines.empty());
  set_log_level(LogLevel::kDebug);
  log_line(LogLevel::kDebug, "loud");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find(" debug loud\n"), std::string::npos);
}

TEST_F(LogTest, AFloodOfOneKindIsHeldBackAndOthersAreNot) {
  constexpr std::uint64_t kFlood = 100'000;
  for (std::uint64_t i = 0; i < kFlood; ++i) log_line(LogLevel::kWarn, "flood", {{"i", i}});
  const std::size_t written = lines.size();
  EXPECT_GE(written, kLogLinesPerSecond);
  EXPECT_LT(written, kFlood / 10);
  log_line(LogLevel::kWarn, "other");
  EXPECT_EQ(lines.size(), written + 1);
}

TEST(ManualClock, MovesOnlyWhenToldAndAlsoBackwards) {
  ManualClock clock(1'000, 5);
  clock.advance(10);
  EXPECT_EQ(clock.wall(), 1'010);
  EXPECT_EQ(clock.monotonic(), 15);
  clock.set_wall(3);
  EXPECT_EQ(clock.wall(), 3);
  EXPECT_EQ(clock.monotonic(), 15);
}

TEST(SystemClock, Runs) {
  SystemClock clock;
  const std::int64_t before = clock.monotonic();
  EXPECT_GE(clock.monotonic(), before);
  EXPECT_GT(clock.wall(), 1'700'000'000'000'000'000);
}

}  // namespace
}  // namespace halocline
