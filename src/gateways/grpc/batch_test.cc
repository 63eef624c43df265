// The wire reader against protobuf itself, and batches from bytes to answer.
#include "gateways/grpc/batch.h"

#include <random>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "command/codec.h"
#include "gateways/grpc/refusal.h"
#include "gateways/grpc/wire.h"

namespace halocline::rpc {
namespace {

v1::Trade usual_trade() {
  v1::Trade t;
  t.set_source("FIX1");
  t.set_trade_id("abc");
  t.set_version(3);
  t.set_action(v1::AMEND);
  t.set_book("EQ1");
  t.set_trader("alice");
  t.set_counterparty("bank");
  t.set_instrument("AAPL");
  t.set_side(v1::SELL);
  t.set_quantity_e8(150000000);
  t.set_price_e8(-7);
  t.set_fees_e8(INT64_MIN);
  t.set_trade_time_ns(INT64_MAX);
  return t;
}

void expect_same(const v1::Trade& want, const Trade& got) {
  EXPECT_EQ(want.source(), got.source);
  EXPECT_EQ(want.trade_id(), got.trade_id);
  EXPECT_EQ(want.version(), got.version);
  EXPECT_EQ(static_cast<int>(want.action()), static_cast<int>(got.action));
  EXPECT_EQ(want.book(), got.book);
  EXPECT_EQ(want.trader(), got.trader);
  EXPECT_EQ(want.counterparty(), got.counterparty);
  EXPECT_EQ(want.instrument(), got.instrument);
  EXPECT_EQ(static_cast<int>(want.side()), static_cast<int>(got.side));
  EXPECT_EQ(want.quantity_e8(), got.quantity);
  EXPECT_EQ(want.price_e8(), got.price);
  EXPECT_EQ(want.fees_e8(), got.fees);
  EXPECT_EQ(want.trade_time_ns(), got.trade_time);
}

std::vector<Trade> decode_trades(const std::vector<std::byte>& records) {
  std::vector<Trade> out;
  for (std::size_t at = 0; at < records.size();) {
    std::uint32_t length = 0;
    std::memcpy(&length, records.data() + at, sizeof length);
    EXPECT_TRUE(decode_trade(std::span(records).subspan(at + kRecordHeaderBytes, length), out.emplace_back()));
    at += kRecordHeaderBytes + length;
  }
  return out;
}

TEST(Wire, ReadsWhatProtobufWrites) {
  const v1::Trade want = usual_trade();
  const std::string bytes = want.SerializeAsString();
  Trade got;
  ASSERT_TRUE(read_trade(bytes, got));
  expect_same(want, got);
}

TEST(Wire, AnEmptyTradeHasNoActionAndNoSide) {
  Trade got;
  ASSERT_TRUE(read_trade("", got));
  expect_same(v1::Trade(), got);
}

TEST(Wire, UnknownEnumNumbersStayUnknown) {
  for (const int number : {3, 4, 254, 255, 256, 257, -1, INT32_MAX, INT32_MIN}) {
    v1::Trade want;
    want.set_action(static_cast<v1::Action>(number));
    Trade got;
    const std::string bytes = want.SerializeAsString();
    ASSERT_TRUE(read_trade(bytes, got));
    const int expected = number >= 0 && number < 255 ? number : 255;
    EXPECT_EQ(expected, static_cast<int>(got.action));
  }
}

// Damaged bytes: what protobuf refuses is refused, what it takes is read the same. (Text that is not UTF-8 apart.)
TEST(Wire, AgreesWithProtobufOnDamagedBytes) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  google::protobuf::LogSilencer silence;
  std::mt19937 random(seed);
  const std::string good = usual_trade().SerializeAsString() + std::string("\x7a\x03xyz\x80\x01\x05\x93\x01\x0b\x08\x01\x0c\x94\x01", 16);
  int taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = good;
    for (std::uint32_t hits = random() % 4; hits > 0; --hits) bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % 3 == 0 ? random() % (bytes.size() + 1) : bytes.size());
    v1::Trade want;
    const bool takes = want.ParseFromString(bytes);
    Trade got;
    const bool read = read_trade(bytes, got);
    bool utf8 = true;
    for (const std::string_view text : {got.source, got.trade_id, got.book, got.trader, got.counterparty, got.instrument}) {
      utf8 = utf8 && is_utf8(text);
    }
    // A text that is given twice is looked at twice by protobuf, and once by us: then only one direction holds.
    if (takes) {
      ASSERT_TRUE(read) << round;
      ASSERT_TRUE(utf8) << round;
      if (want.action() < 0 || want.action() > 254 || want.side() < 0 || want.side() > 254) continue;
      expect_same(want, got);
      if (::testing::Test::HasFailure()) return;
      ++taken;
    } else if (read && utf8) {
      bool twice = false;
      WireReader reader(bytes);
      while (const std::uint32_t tag = reader.tag()) {
        twice = twice || ((tag & 7) == kBytes && tag >> 3 <= 8);
        reader.skip(tag);
      }
      ASSERT_TRUE(twice) << round;
    }
  }
  EXPECT_GT(taken, 1000);
}

TEST(Wire, Utf8) {
  for (const char* good : {"", "plain text of some length", "Zürich", "€", "\xF0\x9F\x98\x80", "12345678é", "\xED\x9F\xBF",
                           "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "1234567\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Batch, TradesBecomeRecordsInOrder) {
  v1::TradeBatch request;
  request.set_batch_id(77);
  for (int i = 0; i < 3; ++i) {
    *request.add_trades() = usual_trade();
    request.mutable_trades(i)->set_trade_id("t" + std::to_string(i));
  }
  Batch batch;
  std::string error;
  std::vector<std::byte> records;
  for (int again = 0; again < 2; ++again) {  // buffers are used again
    records.clear();
    batch.wire = request.SerializeAsString();
    ASSERT_TRUE(read_trades(batch, records, error)) << error;
    EXPECT_EQ(77u, batch.batch_id);
    EXPECT_EQ(3u, batch.commands);
    const std::vector<Trade> trades = decode_trades(records);
    ASSERT_EQ(3u, trades.size());
    for (int i = 0; i < 3; ++i) expect_same(request.trades(i), trades[static_cast<std::size_t>(i)]);
  }
}

TEST(Batch, OneBadTradeDoesNotFailItsBatch) {
  v1::TradeBatch request;
  for (int i = 0; i < 5; ++i) *request.add_trades() = usual_trade();
  request.mutable_trades(1)->set_source(std::string(33, 's'));
  request.mutable_trades(3)->set_book("b???");
  Batch batch;
  batch.wire = request.SerializeAsString();
  batch.wire.replace(batch.wire.find("b???"), 4, "b\xFF\xFE!");
  std::vector<std::byte> records;
  std::string error;
  ASSERT_TRUE(read_trades(batch, records, error)) << error;
  EXPECT_EQ(5u, batch.items);
  EXPECT_EQ(3u, batch.commands);

  const Acknowledgement acks[] = {{10, 0, Outcome::kAccepted}, {11, 4, Outcome::kDuplicate}, {12, 0, Outcome::kUnknownTrader}};
  take_acks(batch, acks);
  v1::TradeAcks answer;
  fill_answer(batch, answer);
  EXPECT_EQ(10u, answer.first_seq());
  EXPECT_EQ(1u, answer.accepted());
  ASSERT_EQ(4, answer.exceptions_size());
  EXPECT_EQ(1u, answer.exceptions(0).index());
  EXPECT_EQ(v1::INVALID_NAME, answer.exceptions(0).ack().outcome());
  EXPECT_EQ(0u, answer.exceptions(0).ack().seq());
  EXPECT_EQ("source has 33 bytes, more than 32", answer.exceptions(0).ack().detail());
  EXPECT_EQ(2u, answer.exceptions(1).index());
  EXPECT_EQ(v1::DUPLICATE, answer.exceptions(1).ack().outcome());
  EXPECT_EQ(11u, answer.exceptions(1).ack().seq());
  EXPECT_EQ(4u, answer.exceptions(1).ack().first_seq());
  EXPECT_EQ("", answer.exceptions(1).ack().detail());
  EXPECT_EQ(3u, answer.exceptions(2).index());
  EXPECT_EQ("book is not UTF-8", answer.exceptions(2).ack().detail());
  EXPECT_EQ(4u, answer.exceptions(3).index());
  EXPECT_EQ("trader \"alice\" is not known", answer.exceptions(3).ack().detail());
}

TEST(Batch, ATombstoneIsInEffectAndAnException) {
  v1::TradeBatch request;
  *request.add_trades() = usual_trade();
  Batch batch;
  batch.wire = request.SerializeAsString();
  std::vector<std::byte> records;
  std::string error;
  ASSERT_TRUE(read_trades(batch, records, error));
  const Acknowledgement acks[] = {{9, 0, Outcome::kTombstone}};
  take_acks(batch, acks);
  v1::TradeAcks answer;
  fill_answer(batch, answer);
  EXPECT_EQ(1u, answer.accepted());
  EXPECT_EQ(1, answer.exceptions_size());
}

TEST(Batch, WhatIsBeyondABatchIsRefusedItemByItem) {
  v1::TradeBatch request;
  for (std::uint32_t i = 0; i < kMaxBatchItems + 2; ++i) request.add_trades()->set_source("s");
  Batch batch;
  batch.wire = request.SerializeAsString();
  std::vector<std::byte> records;
  std::string error;
  ASSERT_TRUE(read_trades(batch, records, error));
  EXPECT_EQ(kMaxBatchItems, batch.commands);
  ASSERT_EQ(2u, batch.rejects.size());
  EXPECT_EQ(Outcome::kTooMany, batch.rejects[0].outcome);

  request.clear_trades();  // full names: 2300 or so fill a submission
  for (std::uint32_t i = 0; i < kMaxBatchItems; ++i) {
    v1::Trade& t = *request.add_trades();
    t = usual_trade();
    t.set_book(std::string(limits::kMaxName, 'b'));
  }
  batch.wire = request.SerializeAsString();
  records.clear();
  ASSERT_TRUE(read_trades(batch, records, error));
  EXPECT_LE(records.size(), limits::kMaxSubmissionBytes);
  EXPECT_EQ(kMaxBatchItems, batch.commands + batch.rejects.size());
  EXPECT_EQ(batch.commands, decode_trades(records).size());

  request.clear_trades();
  for (std::uint32_t i = 0; i <= kMaxCountedItems; ++i) request.add_trades();
  batch.wire = request.SerializeAsString();
  records.clear();
  EXPECT_FALSE(read_trades(batch, records, error));
  EXPECT_NE(std::string::npos, error.find("at most 4096")) << error;
}

TEST(Batch, DamagedBytesAreNoBatch) {
  Batch batch;
  std::vector<std::byte> records;
  std::string error;
  batch.wire = "\x12\x05hi";
  EXPECT_FALSE(read_trades(batch, records, error));
  EXPECT_FALSE(error.empty());
  batch.wire = std::string("\x12\x02\x0a\x09", 4);
  EXPECT_FALSE(read_trades(batch, records, error));
  EXPECT_EQ("item 0 of the batch is damaged", error);
}

TEST(Batch, PricesComeBeforeRatesWhateverTheirPlace) {
  v1::PriceBatch rates, prices;
  rates.set_batch_id(4);
  rates.add_rates()->set_currency("EUR");
  rates.mutable_rates(0)->set_rate_e8(110000000);
  rates.mutable_rates(0)->set_rate_time_ns(5);
  prices.add_prices()->set_instrument("AAPL");
  prices.mutable_prices(0)->set_price_e8(42);
  prices.mutable_prices(0)->set_price_time_ns(6);
  Batch batch;
  batch.wire = rates.SerializeAsString() + prices.SerializeAsString();
  std::vector<std::byte> records;
  std::string error;
  ASSERT_TRUE(read_prices(batch, records, error)) << error;
  EXPECT_EQ(4u, batch.batch_id);
  ASSERT_EQ(2u, batch.commands);
  std::vector<std::byte> want;
  append_record(Price{"AAPL", 42, 6}, want);
  append_record(FxRate{"EUR", 110000000, 5}, want);
  EXPECT_EQ(want, records);

  const Acknowledgement acks[] = {{5, 0, Outcome::kStale}, {6, 0, Outcome::kUnknownCurrency}};
  take_acks(batch, acks);
  v1::TradeAcks answer;
  fill_answer(batch, answer);
  v1::PriceAcks out;
  ASSERT_TRUE(out.ParseFromString(answer.SerializeAsString()));
  EXPECT_EQ(4u, out.batch_id());
  EXPECT_EQ(5u, out.first_seq());
  ASSERT_EQ(2, out.exceptions_size());
  EXPECT_EQ(v1::STALE, out.exceptions(0).ack().outcome());
  EXPECT_EQ("currency \"EUR\" is not known", out.exceptions(1).ack().detail());
}

}  // namespace
}  // namespace halocline::rpc
