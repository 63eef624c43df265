#include "command/codec.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/limits.h"

namespace halocline {
namespace {

// One of each kind with every field set to something of its own.
std::vector<Command> one_of_each() {
  return {Timer{},
          Trade{"FIX1", "T-1", 3, Action::kAmend, "eq1", "ann", "acme", "AAPL", Side::kSell, 100, 2, -3, 4},
          Price{"AAPL", -5, 6},
          FxRate{"EUR", 7, 8},
          Firm{"Acme", "USD"},
          Currency{"EUR", 9},
          Desk{"rates"},
          Book{"eq1", "rates"},
          Trader{"ann", ""},
          Counterparty{"acme"},
          Instrument{"ESZ6", InstrumentKind::kFuture, "USD", 50, "SPX", "index", "CME", 20261218, 10},
          Rename{NodeKind::kBook, "a", "b"},
          EndOfDay{20261124},
          Limit{"l", NodeKind::kTrader, "*", Measure::kGross, 1, (static_cast<Int128>(1) << 90) + 1, 2, true, "risk", 3},
          LimitRemove{"l"},
          AlertAck{11, "ann", std::string_view("a note")},
          TradeReport{{"FIX1", "E-2", 0, Action::kAmend, "eq1", "ann", "acme", "AAPL", Side::kSell, 100, 2, -3, 4}, "E-1", "rates",
              "USD", true},
          FixReceived{"oms", 7, 2, FixReply::kAlways, "AE", "571=R1\x01"},
          FixSent{"oms", 8, 9, "8=FIX.4.4\x01"},
          FixReserved{"oms", 1'000},
          FixReset{"oms"},
          QueryCreate{"busy", AlertLevel::kBreach, "SELECT name FROM nodes WHERE trade_rate > 100"},
          QueryDrop{"busy", true}};
}

std::span<const std::byte> payload_of(const std::vector<std::byte>& record) {
  return std::span(record).subspan(kRecordHeaderBytes);
}

TEST(Codec, EveryCommandComesBackWhole) {
  for (const Command& command : one_of_each()) {
    std::vector<std::byte> record;
    append_record(command, record);
    std::uint32_t length = 0;
    std::uint16_t type = 0;
    std::memcpy(&length, record.data(), 4);
    std::memcpy(&type, record.data() + 4, 2);
    EXPECT_EQ(length, record.size() - kRecordHeaderBytes);
    EXPECT_EQ(type, static_cast<std::uint16_t>(type_of(command)));
    Command back;
    ASSERT_TRUE(decode(type_of(command), payload_of(record), back)) << type_name(type_of(command));
    std::vector<std::byte> again;
    append_record(back, again);
    EXPECT_EQ(record, again) << type_name(type_of(command));
  }
}

TEST(Codec, FieldsKeepTheirValues) {
  std::vector<std::byte> record;
  append_record(Trade{"FIX1", "T-1", 3, Action::kAmend, "eq1", "ann", "acme", "AAPL", Side::kSell, 100, 2, -3, 4}, record);
  Trade t;
  ASSERT_TRUE(decode_trade(payload_of(record), t));
  EXPECT_EQ(t.source, "FIX1");
  EXPECT_EQ(t.trade_id, "T-1");
  EXPECT_EQ(t.version, 3u);
  EXPECT_EQ(t.action, Action::kAmend);
  EXPECT_EQ(t.book, "eq1");
  EXPECT_EQ(t.trader, "ann");
  EXPECT_EQ(t.counterparty, "acme");
  EXPECT_EQ(t.instrument, "AAPL");
  EXPECT_EQ(t.side, Side::kSell);
  EXPECT_EQ(t.quantity, 100);
  EXPECT_EQ(t.price, 2);
  EXPECT_EQ(t.fees, -3);
  EXPECT_EQ(t.trade_time, 4);
}

TEST(Codec, NothingShorterOrLongerIsTaken) {
  for (const Command& command : one_of_each()) {
    std::vector<std::byte> record;
    append_record(command, record);
    Command back;
    for (std::size_t length = kRecordHeaderBytes; length < record.size(); ++length) {
      const auto cut = std::span(record).subspan(kRecordHeaderBytes, length - kRecordHeaderBytes);
      EXPECT_FALSE(decode(type_of(command), cut, back)) << type_name(type_of(command)) << " cut to " << length;
    }
    record.push_back(std::byte{0});
    EXPECT_FALSE(decode(type_of(command), payload_of(record), back)) << type_name(type_of(command));
  }
  Command back;
  EXPECT_FALSE(decode(static_cast<CommandType>(0), {}, back));
  EXPECT_FALSE(decode(static_cast<CommandType>(99), {}, back));
}

TEST(Codec, AnyBytesAreTakenOrRefused) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes, again;
  for (int i = 0; i < 100'000; ++i) {
    bytes.resize(random() % 200);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % 8 == 0 ? random() : random() % 6);
    const auto type = static_cast<CommandType>(random() % (kCommandTypeCount + 1));
    Command command;
    if (!decode(type, bytes, command)) continue;
    again.clear();
    append_record(command, again);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), again.begin() + kRecordHeaderBytes, again.end()));
  }
}

TEST(Names, GoBothWays) {
  for (int k = 1; k < kNodeKindCount; ++k) EXPECT_EQ(kind_from(kind_name(static_cast<NodeKind>(k))), static_cast<NodeKind>(k));
  for (int m = 1; m < kMeasureCount; ++m) EXPECT_EQ(measure_from(measure_name(static_cast<Measure>(m))), static_cast<Measure>(m));
  EXPECT_EQ(measure_from("gros"), Measure{});
  EXPECT_EQ(type_name(CommandType::kAlertAck), "ALERT_ACK");
  EXPECT_EQ(type_name(CommandType::kFixReset), "FIX_RESET");
}

}  // namespace
}  // namespace halocline
