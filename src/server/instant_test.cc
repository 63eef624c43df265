// Times as people write them. The zones' facts are those of the tz database.
#include "server/instant.h"

#include <gtest/gtest.h>

#include "base/civil_time.h"

namespace halocline {
namespace {

constexpr Nanos kNow = 1'795'516'933'000'000'000;

TEST(Instant, IsExactInAnyZone) {
  const std::pair<const char*, const char*> cases[] = {
      {"2026-11-17 10:42 America/New_York", "2026-11-17T15:42:00Z"},
      {"2026-07-17 10:42:13.5 America/New_York", "2026-07-17T14:42:13.500Z"},
      {"2026-07-17 10:42 Europe/London", "2026-07-17T09:42:00Z"},
      {"2026-01-05T09:00 Asia/Kolkata", "2026-01-05T03:30:00Z"},
      {"2026-01-05 09:00 UTC", "2026-01-05T09:00:00Z"},
      {"2026-01-05 09:00", "2026-01-05T09:00:00Z"},
      {"2026-01-05", "2026-01-05T00:00:00Z"},
      {"2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z"},
      {"2026-01-05T09:00:00-05:00", "2026-01-05T14:00:00Z"},
      {"2026-01-05 09:00+05:30", "2026-01-05T03:30:00Z"},
      {"2026-11-01T01:30:00-04:00", "2026-11-01T05:30:00Z"},
  };
  for (const auto& [text, expected] : cases) {
    const Result<Nanos> time = parse_time(text, kNow);
    ASSERT_TRUE(time.ok()) << time.status().message();
    EXPECT_EQ(instant_text(time.value()), expected) << text;
  }
  EXPECT_EQ(parse_time("-30s", kNow).value(), kNow - 30'000'000'000);
  EXPECT_EQ(parse_time("-1 hour 30 minutes", kNow).value(), kNow - 5'400'000'000'000);
}

TEST(Instant, WhatIsNoneOrTwoIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"2026-11-01 01:30 America/New_York", "showed it twice: write 2026-11-01T01:30:00-04:00 or 2026-11-01T01:30:00-05:00"},
      {"2026-03-08 02:30 America/New_York", "put forward over it"},
      {"2026-03-08 02:30 America/Nowhere", "there is no time zone"},
      {"2026-03-08 02:30 ../../etc/passwd", "is no time"},
      {"2026-03-08T02:30Z Europe/London", "is no time"},
      {"yesterday", "is no time"},
      {"", "is no time"},
      {"-", "is no time"},
      {"-5 parsecs", "is no time"},
      {"2026-13-01", "is no time"},
      {"2026-01-05T09:00:00-25:00", "is no time"},
  };
  for (const auto& [text, why] : cases) {
    const Result<Nanos> time = parse_time(text, kNow);
    ASSERT_FALSE(time.ok()) << text;
    EXPECT_EQ(time.status().code(), Code::kInvalidArgument);
    EXPECT_NE(time.status().message().find(why), std::string::npos) << time.status().message();
  }
  EXPECT_EQ(instant_of({{}, kNow + 1, {}}, kNow).status().code(), Code::kOutOfRange);
  EXPECT_EQ(instant_of({Seq{5}, kNow, {}}, kNow).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(instant_of({Seq{0}, {}, {}}, kNow).status().code(), Code::kInvalidArgument);
  EXPECT_TRUE(instant_of({}, kNow).value().is_now());
}

}  // namespace
}  // namespace halocline
