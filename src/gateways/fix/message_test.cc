// Bytes to messages to fields.
#include "gateways/fix/message.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "gateways/fix/fix_text.h"
#include "gateways/fix/framer.h"

namespace halocline::fix {
namespace {

TEST(Message, IsItsFieldsInOrder) {
  const std::string text = with_soh("8=FIX.4.4|9=5|35=8|34=7|1=B1|58=|453=1|448=a=b|10=000|");
  Message message;
  ASSERT_TRUE(message.parse(text));
  EXPECT_EQ(message.type(), "8");
  EXPECT_EQ(message.number(), 7u);
  ASSERT_EQ(message.fields().size(), 9u);
  EXPECT_EQ(value_of(message.fields(), tag::kAccount), "B1");
  EXPECT_EQ(value_of(message.fields(), tag::kPartyId), "a=b");
  EXPECT_EQ(value_of(message.fields(), tag::kSymbol), "");
}

TEST(Message, ADataFieldIsAsLongAsItsLengthSays) {
  const std::string text = with_soh("8=FIX.4.4|9=5|35=8|34=1|95=5|96=a|b=c|10=000|");
  Message message;
  ASSERT_TRUE(message.parse(text));
  EXPECT_EQ(value_of(message.fields(), 96), with_soh("a|b=c"));
  EXPECT_FALSE(message.parse(with_soh("8=FIX.4.4|9=5|35=8|34=1|95=500|96=a|10=000|")));
  EXPECT_FALSE(message.parse(with_soh("8=FIX.4.4|9=5|35=8|34=1|95=4294967295|96=a|10=000|"))) << "no length";
}

TEST(Message, AnythingElseIsNone) {
  Message message;
  for (const char* text : {"", "8=FIX.4.4", "8=FIX.4.4|9=5|35=8|34=1", "8=FIX.4.4|35=8|9=5|34=1|", "9=5|8=FIX.4.4|35=8|34=1|",
      "8=FIX.4.4|9=5|35=8|x=1|",
                           "8=FIX.4.4|9=5|35=8|=1|", "8=FIX.4.4|9=5|35=8|0=1|", "8=FIX.4.4|9=5|35=8|-1=1|", "8=FIX.4.4|9=5|35=8|+1=1|",
                           "8=FIX.4.4|9=5|35=8|99999999999=1|", "8=FIX.4.4|9=5|35=8|1|"}) {
    EXPECT_FALSE(message.parse(with_soh(text))) << text;
  }
}

TEST(Message, Numbers) {
  EXPECT_EQ(sequence_number("17"), 17u);
  EXPECT_EQ(sequence_number("2000000000"), 2'000'000'000u);
  for (const char* text : {"", "0", "-1", "+1", "1.0", "2000000001", "99999999999", "1a"}) EXPECT_EQ(sequence_number(text), 0u) << text;
}

TEST(Message, Timestamps) {
  const struct {
    const char* text;
    std::int64_t nanoseconds;
  } good[] = {{"19700101-00:00:00", 0},
              {"20261124-10:42:13", 1'795'516'933'000'000'000},
              {"20261124-10:42:13.5", 1'795'516'933'500'000'000},
              {"20261124-10:42:13.123456789", 1'795'516'933'123'456'789},
              {"20240229-23:59:60", 1'709'251'200'000'000'000}};
  for (const auto& one : good) {
    std::int64_t nanoseconds = -1;
    EXPECT_TRUE(parse_timestamp(one.text, nanoseconds)) << one.text;
    EXPECT_EQ(nanoseconds, one.nanoseconds) << one.text;
  }
  std::int64_t ignored = 0;
  for (const char* text : {"", "20261124", "20261324-10:42:13", "20261124-24:00:00", "20261124-10:42:13.", "20261124-10:42:1x",
      "20261124 10:42:13",
                           "20261124-10:42:13.1234567890", "19691231-23:59:59"}) {
    EXPECT_FALSE(parse_timestamp(text, ignored)) << text;
  }
}

std::vector<std::string> messages_in(std::string_view bytes, std::size_t piece, int* garbled = nullptr) {
  Framer framer(1'000);
  std::vector<std::string> found;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    framer.take(bytes.substr(at, piece));
    std::string_view text;
    for (Framer::Step step; (step = framer.next(text)) != Framer::kNeedsMore;) {
      if (step == Framer::kTooLarge) return found;
      if (step == Framer::kMessage) found.emplace_back(text);
      if (step == Framer::kGarbled && garbled != nullptr) ++*garbled;
    }
  }
  return found;
}

TEST(Framer, CutsMessagesHoweverTheBytesCome) {
  const std::string one = whole_message("FIX.4.4", "35=0|34=1|"), two = whole_message("FIXT.1.1", "35=8|34=2|58=8=FIX|");
  for (std::size_t piece = 1; piece < 60; ++piece) {
    EXPECT_EQ(messages_in(one + two + one, piece), (std::vector<std::string>{one, two, one})) << piece;
  }
}

TEST(Framer, GarbledBytesArePassedOver) {
  const std::string good = whole_message("FIX.4.4", "35=0|34=1|");
  std::string bad_sum = good, bad_length = good;
  bad_sum[bad_sum.size() - 2] = bad_sum[bad_sum.size() - 2] == '9' ? '8' : '9';
  bad_length[bad_length.find("9=") + 2] = '7';
  for (const std::string& bad : {std::string("noise"), bad_sum, with_soh("8=FIX.4.4|35=0|"), with_soh("8=FIX.4.4|9=x|"),
      with_soh("8=FIX.4.4|9=0|"),
                                 std::string("8=FIX") + std::string(100, 'x')}) {
    int garbled = 0;
    EXPECT_EQ(messages_in(bad + good, 7, &garbled), std::vector<std::string>{good}) << bad;
    EXPECT_GT(garbled, 0) << bad;
  }
  // A length that reaches into the next message takes that with it, and no more.
  EXPECT_EQ(messages_in(bad_length + good + good + good + good + good + good + good, 1'000).back(), good);
}

TEST(Framer, WhatIsTooLargeIsSaidAtOnce) {
  Framer framer(100);
  framer.take(with_soh("8=FIX.4.4|9=101|35="));
  std::string_view text;
  EXPECT_EQ(framer.next(text), Framer::kTooLarge);
}

TEST(Framer, AnyBytes) {
  std::mt19937 random(11);
  const std::string good = whole_message("FIX.4.2", "35=8|34=2|1=a|");
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes = good + good;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random() % 4 == 0 ? kSoh : random() % 128);
    for (const std::string& message : messages_in(bytes, 1 + random() % 40)) {
      Message parsed;
      if (parsed.parse(message)) {
        EXPECT_GE(parsed.fields().size(), 4u);
      }
    }
  }
}

}  // namespace
}  // namespace halocline::fix
