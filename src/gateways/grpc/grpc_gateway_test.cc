// The gateway over a real connection on loopback, with gRPC's own client on one side and a recording port on the other.
#include "gateways/grpc/grpc_gateway.h"

#include <chrono>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "command/event_memory.h"
#include "gateways/grpc/recording_port.h"
#include "halocline/v1/ingest.grpc.pb.h"
#include "halocline/v1/queries.grpc.pb.h"
#include "halocline/v1/reference.grpc.pb.h"
#include "halocline/v1/risk.grpc.pb.h"

namespace halocline::rpc {
namespace {

// Asks again until it is so; the bound is only for a test that fails.
template <class Condition>
[[nodiscard]] bool eventually(Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

using Seen = RecordingPort::Seen;
using Reads = RecordingPort::Reads;
// Long enough for something that must not happen to happen.
constexpr std::chrono::milliseconds kAWhile{150};

class GatewayTest : public ::testing::Test {
 protected:
  void start(GrpcOptions options = {}, bool answers_at_once = true) {
    port = std::make_unique<RecordingPort>(answers_at_once);
    options.listen = "127.0.0.1:0";
    gateway = make_grpc_gateway(options);
    const Status started = gateway->start(*port);
    ASSERT_TRUE(started.ok()) << started.message();
    channel = connect();
    ingest = v1::Ingest::NewStub(channel);
    reference = v1::Reference::NewStub(channel);
    risk = v1::Risk::NewStub(channel);
  }
  std::shared_ptr<grpc::Channel> connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);            // and windows that stay as they are
    return grpc::CreateCustomChannel(gateway->address(), grpc::InsecureChannelCredentials(), arguments);
  }
  void TearDown() override {
    if (gateway != nullptr) gateway->stop();
    gateway.reset();
  }

  static v1::Trade trade(const std::string& id) {
    v1::Trade t;
    t.set_source("FIX1");
    t.set_trade_id(id);
    t.set_version(1);
    t.set_action(v1::NEW);
    t.set_book("EQ1");
    t.set_trader("alice");
    t.set_counterparty("bank");
    t.set_instrument("AAPL");
    t.set_side(v1::BUY);
    t.set_quantity_e8(100);
    t.set_price_e8(100);
    return t;
  }
  static v1::TradeBatch batch(std::uint64_t id, int trades) {
    v1::TradeBatch b;
    b.set_batch_id(id);
    for (int i = 0; i < trades; ++i) *b.add_trades() = trade(std::to_string(id) + "-" + std::to_string(i));
    return b;
  }
  static std::shared_ptr<const AlertEvent> event(std::uint64_t id) {
    auto e = std::make_shared<AlertEvent>();
    e->event_id = id;
    e->limit = "some limit";
    e->node = std::string(64, 'n');
    return e;
  }
  template <class Detail>
  static Detail detail_of(const grpc::Status& status) {
    google::rpc::Status details;
    Detail detail;
    EXPECT_TRUE(details.ParseFromString(status.error_details()));
    EXPECT_EQ(status.error_code(), details.code());
    EXPECT_TRUE(details.details_size() == 1 && details.details(0).UnpackTo(&detail));
    return detail;
  }

  std::unique_ptr<RecordingPort> port;
  std::unique_ptr<Gateway> gateway;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Ingest::Stub> ingest;
  std::unique_ptr<v1::Reference::Stub> reference;
  std::unique_ptr<v1::Risk::Stub> risk;
};

TEST_F(GatewayTest, ATradeIsAnswered) {
  start();
  grpc::ClientContext context;
  v1::Ack ack;
  const grpc::Status status = ingest->SubmitTrade(&context, trade("a"), &ack);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(v1::ACCEPTED, ack.outcome());
  EXPECT_EQ(1u, ack.seq());
  EXPECT_EQ("", ack.detail());
}

TEST_F(GatewayTest, ARefusedTradeIsAnAnswerWithWords) {
  start();
  port->judge_by([](const Command&) { return Outcome::kUnknownBook; });
  grpc::ClientContext context;
  v1::Ack ack;
  ASSERT_TRUE(ingest->SubmitTrade(&context, trade("a"), &ack).ok());
  EXPECT_EQ(v1::UNKNOWN_BOOK, ack.outcome());
  EXPECT_EQ("book \"EQ1\" is not known", ack.detail());
}

TEST_F(GatewayTest, WhatIsNoTradeNamesItsField) {
  start();
  v1::Trade t = trade("a");
  t.set_trader(std::string(65, 't'));
  grpc::ClientContext context;
  v1::Ack ack;
  const grpc::Status status = ingest->SubmitTrade(&context, t, &ack);
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, status.error_code());
  const auto bad = detail_of<google::rpc::BadRequest>(status);
  EXPECT_EQ("trader", bad.field_violations(0).field());
  EXPECT_EQ("trader has 65 bytes, more than 64", bad.field_violations(0).description());
  EXPECT_EQ(0u, port->submissions());
}

TEST_F(GatewayTest, BatchesAreAnsweredInOrder) {
  start();
  port->judge_by([](const Command& command) {
    return std::get<Trade>(command).trade_id.ends_with("-7") ? Outcome::kConflict : Outcome::kAccepted;
  });
  grpc::ClientContext context;
  const auto stream = ingest->SubmitTrades(&context);
  constexpr std::uint64_t kBatches = 300;  // more than the window
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= kBatches; ++i) {
      if (!stream->Write(batch(i, static_cast<int>(i % 20)))) return;  // some are empty
    }
    stream->WritesDone();
  });
  v1::TradeAcks acks;
  Seq next_seq = 1;
  for (std::uint64_t i = 1; i <= kBatches; ++i) {
    ASSERT_TRUE(stream->Read(&acks));
    ASSERT_EQ(i, acks.batch_id());
    const std::uint64_t trades = i % 20;
    EXPECT_EQ(trades == 0 ? 0 : next_seq, acks.first_seq());
    EXPECT_EQ(trades > 7 ? trades - 1 : trades, acks.accepted());
    ASSERT_EQ(trades > 7 ? 1 : 0, acks.exceptions_size());
    if (trades > 7) {
      EXPECT_EQ(7u, acks.exceptions(0).index());
      EXPECT_EQ("version 1 of trade FIX1/" + std::to_string(i) + "-7 was accepted with other content", acks.exceptions(0).ack().detail());
    }
    next_seq += trades;
  }
  EXPECT_FALSE(stream->Read(&acks));
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GatewayTest, AFullWindowStopsReadingUntilItIsAnswered) {
  GrpcOptions options;
  options.window_batches = 4;
  start(options, false);
  grpc::ClientContext context;
  const auto stream = ingest->SubmitTrades(&context);
  for (std::uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(stream->Write(batch(i, 1)));
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.submissions == 4; }));
  EXPECT_FALSE(port->sees([](const Seen& seen) { return seen.submissions > 4; }, kAWhile));
  port->release(true);
  stream->WritesDone();
  v1::TradeAcks acks;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(stream->Read(&acks));
    EXPECT_EQ(i, acks.batch_id());
  }
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GatewayTest, TheWindowOfAllStreamsIsBoundedAndNoneStarves) {
  GrpcOptions options;
  options.total_window_bytes = 1;
  start(options, false);
  grpc::ClientContext contexts[3];
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<v1::TradeBatch, v1::TradeAcks>>> streams;
  for (grpc::ClientContext& context : contexts) streams.push_back(ingest->SubmitTrades(&context));
  for (const auto& stream : streams) {
    for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(stream->Write(batch(i, 1)));
    stream->WritesDone();
  }
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.submissions == 3; }));
  EXPECT_FALSE(port->sees([](const Seen& seen) { return seen.submissions > 3; }, kAWhile));
  port->release(true);
  v1::TradeAcks acks;
  for (const auto& stream : streams) {
    for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(stream->Read(&acks));
    EXPECT_TRUE(stream->Finish().ok());
  }
}

TEST_F(GatewayTest, AFullCoreHoldsUpSendersAndNobodyElse) {
  start();
  port->block(true);
  grpc::ClientContext contexts[6];
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<v1::TradeBatch, v1::TradeAcks>>> streams;
  for (grpc::ClientContext& context : contexts) streams.push_back(ingest->SubmitTrades(&context));
  for (const auto& stream : streams) ASSERT_TRUE(stream->Write(batch(1, 1)));
  EXPECT_FALSE(port->sees([](const Seen& seen) { return seen.submissions > 0; }, kAWhile));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::Status out;
    ASSERT_TRUE(risk->GetStatus(&context, {}, &out).ok());
  }
  port->block(false);
  v1::TradeAcks acks;
  for (const auto& stream : streams) {
    EXPECT_TRUE(stream->Read(&acks));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
  }
}

TEST_F(GatewayTest, AnOversizedBatchEndsItsStream) {
  start();
  grpc::ClientContext context;
  const auto stream = ingest->SubmitTrades(&context);
  v1::TradeBatch big;
  big.add_trades()->set_book(std::string(2u << 20, 'b'));
  stream->Write(big);
  v1::TradeAcks acks;
  EXPECT_FALSE(stream->Read(&acks));
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, stream->Finish().error_code());
}

TEST_F(GatewayTest, TooManyTradesEndTheStreamAfterWhatWasTaken) {
  start();
  grpc::ClientContext context;
  const auto stream = ingest->SubmitTrades(&context);
  ASSERT_TRUE(stream->Write(batch(1, 2)));
  v1::TradeBatch many;
  for (int i = 0; i < 20'000; ++i) many.add_trades();
  stream->Write(many);
  v1::TradeAcks acks;
  EXPECT_TRUE(stream->Read(&acks));
  EXPECT_EQ(2u, acks.accepted());
  EXPECT_FALSE(stream->Read(&acks));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, status.error_code());
  EXPECT_EQ("trades", detail_of<google::rpc::BadRequest>(status).field_violations(0).field());
}

TEST_F(GatewayTest, ACancelledStreamIsFreed) {
  start({}, false);
  {
    grpc::ClientContext context;
    const auto stream = ingest->SubmitTrades(&context);
    ASSERT_TRUE(stream->Write(batch(1, 3)));
    ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.submissions == 1; }));
    context.TryCancel();
    EXPECT_EQ(grpc::StatusCode::CANCELLED, stream->Finish().error_code());
  }
  port->release(true);  // the answer finds nobody
  grpc::ClientContext context;
  v1::Ack ack;
  EXPECT_TRUE(ingest->SubmitTrade(&context, trade("a"), &ack).ok());
}

TEST_F(GatewayTest, WhatTheCoreAbandonsIsUnavailable) {
  start({}, false);
  grpc::ClientContext context;
  const auto stream = ingest->SubmitTrades(&context);
  ASSERT_TRUE(stream->Write(batch(1, 3)));
  ASSERT_TRUE(stream->Write(batch(2, 3)));
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.submissions == 2; }));
  port->abandon();
  v1::TradeAcks acks;
  EXPECT_FALSE(stream->Read(&acks));
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, stream->Finish().error_code());
  grpc::ClientContext again;
  v1::Ack ack;
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, ingest->SubmitTrade(&again, trade("a"), &ack).error_code());
}

TEST_F(GatewayTest, PricesUnaryAndByStream) {
  start();
  v1::PriceBatch prices;
  prices.set_batch_id(5);
  prices.add_rates()->set_currency("EUR");
  prices.add_prices()->set_instrument("AAPL");
  v1::PriceAcks acks;
  grpc::ClientContext unary;
  ASSERT_TRUE(ingest->PublishPrices(&unary, prices, &acks).ok());
  EXPECT_EQ(2u, acks.accepted());
  grpc::ClientContext context;
  const auto stream = ingest->StreamPrices(&context);
  ASSERT_TRUE(stream->Write(prices));
  ASSERT_TRUE(stream->Read(&acks));
  EXPECT_EQ(5u, acks.batch_id());
  EXPECT_EQ(3u, acks.first_seq());
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GatewayTest, OneBadItemDoesNotStopAnUpsert) {
  start();
  port->judge_by([](const Command& command) {
    return std::holds_alternative<Book>(command) ? Outcome::kUnknownDesk : Outcome::kAccepted;
  });
  v1::UpsertRequest request;
  request.add_items()->mutable_desk()->set_name("D");
  request.add_items()->mutable_book()->set_name(std::string(65, 'b'));
  request.add_items();
  request.add_items()->mutable_book()->set_desk("X");
  request.add_items()->mutable_trader()->set_name("T");
  v1::UpsertResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(reference->Upsert(&context, request, &response).ok());
  ASSERT_EQ(5, response.acks_size());
  EXPECT_EQ(v1::ACCEPTED, response.acks(0).outcome());
  EXPECT_EQ("book.name has 65 bytes, more than 64", response.acks(1).detail());
  EXPECT_EQ(v1::INVALID_NAME, response.acks(2).outcome());
  EXPECT_EQ("desk \"X\" is not known", response.acks(3).detail());
  EXPECT_EQ(3u, response.acks(4).seq());
}

TEST_F(GatewayTest, AnUpsertLargerThanASubmissionIsTakenInParts) {
  start();
  v1::UpsertRequest request;
  for (int i = 0; i < 1024; ++i) {
    v1::InstrumentItem& item = *request.add_items()->mutable_instrument();
    item.set_symbol(std::string(60, 's') + std::to_string(i));
    item.set_underlying(std::string(64, 'u'));
    item.set_sector(std::string(64, 's'));
    item.set_issuer(std::string(64, 'i'));
  }
  v1::UpsertResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(reference->Upsert(&context, request, &response).ok());
  EXPECT_EQ(1024, response.acks_size());
  EXPECT_EQ(1024u, response.acks(1023).seq());
  EXPECT_EQ(2u, port->submissions());

  request.add_items();
  grpc::ClientContext again;
  const grpc::Status status = reference->Upsert(&again, request, &response);
  EXPECT_EQ("items", detail_of<google::rpc::BadRequest>(status).field_violations(0).field());
}

TEST_F(GatewayTest, ListingsComeInPages) {
  start();
  port->reads([](Reads& reads) {
    for (std::uint32_t i = 0; i < 1234; ++i) reads.positions.emplace_back().trades = i;
  });
  grpc::ClientContext context;
  const auto pages = risk->ListPositions(&context, {});
  v1::PositionsPage page;
  std::uint32_t rows = 0, count = 0;
  while (pages->Read(&page)) {
    ++count;
    EXPECT_EQ(42u, page.seq());
    for (const v1::Position& row : page.positions()) EXPECT_EQ(rows++, row.trades());
  }
  EXPECT_TRUE(pages->Finish().ok());
  EXPECT_EQ(1234u, rows);
  EXPECT_EQ(3u, count);

  grpc::ClientContext empty;  // still says at which seq there is nothing
  const auto none = risk->ListNodes(&empty, {});
  v1::NodesPage nodes;
  EXPECT_TRUE(none->Read(&nodes));
  EXPECT_EQ(42u, nodes.seq());
  EXPECT_FALSE(none->Read(&nodes));
}

TEST_F(GatewayTest, QueriesComeInPagesWithTheirColumnsFirst) {
  start();
  port->reads([](Reads& reads) {
    reads.query.columns = {{"trader", ValueType::kText}, {"total", ValueType::kDecimal}};
    for (int i = 0; i < 501; ++i) {
      std::string& row = reads.query.rows.emplace_back();
      pack(i == 0 ? Value{} : Value::of_text("zoë"), ValueType::kText, row);
      pack(Value::of(i * Int128{50'000'000}), ValueType::kDecimal, row);
    }
  });
  const auto queries = v1::Queries::NewStub(channel);
  v1::QueryRequest request;
  request.set_sql("SELECT");
  (*request.mutable_parameters())["1"].set_decimal_value("-12.5");
  (*request.mutable_parameters())["none"];
  grpc::ClientContext context;
  const auto pages = queries->Query(&context, request);
  v1::QueryPage page;
  ASSERT_TRUE(pages->Read(&page));
  EXPECT_EQ(42u, page.seq());
  ASSERT_EQ(2, page.columns_size());
  EXPECT_EQ(v1::QUERY_DECIMAL, page.columns(1).type());
  ASSERT_EQ(500, page.rows_size());
  EXPECT_EQ(v1::QueryValue::VALUE_NOT_SET, page.rows(0).values(0).value_case());
  EXPECT_EQ("zoë", page.rows(3).values(0).text_value());
  EXPECT_EQ("1.5", page.rows(3).values(1).decimal_value());
  ASSERT_TRUE(pages->Read(&page));
  EXPECT_EQ(0, page.columns_size());
  EXPECT_EQ(1, page.rows_size());
  EXPECT_FALSE(pages->Read(&page));
  EXPECT_TRUE(pages->Finish().ok());
  const QueryParameters asked = port->reads([](const Reads& reads) { return reads.parameters; });
  EXPECT_EQ(Int128{-1'250'000'000}, asked.at("1").number);
  EXPECT_TRUE(asked.at("none").null);

  (*request.mutable_parameters())["1"].set_decimal_value("12.5x");
  grpc::ClientContext again;
  const auto refused = queries->Query(&again, request);
  EXPECT_FALSE(refused->Read(&page));
  const grpc::Status status = refused->Finish();
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, status.error_code());
  EXPECT_EQ("parameters[1]", detail_of<google::rpc::BadRequest>(status).field_violations(0).field());
}

TEST_F(GatewayTest, ReferenceDataComesWithItsHeaderFirst) {
  start();
  port->reads([](Reads& reads) {
    reads.reference.firm = "F";
    reads.reference.firm_currency = "USD";
    reads.reference.currencies.resize(2);
    reads.reference.names.resize(700);
    reads.reference.instruments.resize(3);
  });
  grpc::ClientContext context;
  const auto pages = reference->List(&context, {});
  v1::ReferencePage page;
  ASSERT_TRUE(pages->Read(&page));
  EXPECT_EQ("F", page.firm().name());
  EXPECT_EQ(500, page.items_size());
  ASSERT_TRUE(pages->Read(&page));
  EXPECT_FALSE(page.has_firm());
  EXPECT_EQ(205, page.items_size());
  EXPECT_FALSE(pages->Read(&page));
}

TEST_F(GatewayTest, AListingNobodyReadsHoldsUpNobody) {
  GrpcOptions options;
  options.max_listings = 1;
  start(options);
  port->reads([](Reads& reads) {  // many times what the connection's window takes
    for (int i = 0; i < 20'000; ++i) reads.nodes.emplace_back().name = std::string(64, 'x');
  });
  grpc::ClientContext slow;
  const auto unread = risk->ListNodes(&slow, {});
  v1::NodesPage page;
  ASSERT_TRUE(unread->Read(&page));
  grpc::ClientContext context;
  v1::Ack ack;
  EXPECT_TRUE(ingest->SubmitTrade(&context, trade("a"), &ack).ok());

  grpc::ClientContext second;  // the bound on listings
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, risk->ListNodes(&second, {})->Finish().error_code());
  slow.TryCancel();
  EXPECT_EQ(grpc::StatusCode::CANCELLED, unread->Finish().error_code());
  EXPECT_TRUE(eventually([&] {
    grpc::ClientContext third;
    const auto pages = risk->ListNodes(&third, {});
    return pages->Read(&page);
  }));
}

TEST_F(GatewayTest, OneTradeOrNotFound) {
  start();
  v1::GetTradeRequest wanted;
  wanted.set_source("s");
  wanted.set_trade_id("t");
  v1::TradeState state;
  grpc::ClientContext first;
  const grpc::Status missing = risk->GetTrade(&first, wanted, &state);
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, missing.error_code());
  EXPECT_EQ("trade s/t is not known", missing.error_message());
  port->reads([](Reads& reads) { reads.trades.emplace_back().source = "s"; });
  grpc::ClientContext second;
  ASSERT_TRUE(risk->GetTrade(&second, wanted, &state).ok());
  EXPECT_EQ("s", state.trade().source());
  EXPECT_EQ(42u, state.at_seq());
}

TEST_F(GatewayTest, ASubscriberGetsProgressBacklogAndEvents) {
  start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));  // a write that is stuck is a failure
  v1::FollowAlertsRequest request;
  request.set_after_event_id(5);
  const auto stream = risk->FollowAlerts(&context, request);
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.has_subscriber; }));
  port->subscriber()->started({*event(6), *event(7)}, 7, 99);
  EXPECT_TRUE(port->subscriber()->offer(event(8)));
  v1::AlertMessage message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(7u, message.progress().event_id());
  EXPECT_EQ(99u, message.progress().seq());
  for (std::uint64_t id = 6; id <= 8; ++id) {
    ASSERT_TRUE(stream->Read(&message));
    EXPECT_EQ(id, message.event().event_id());
  }
  EXPECT_TRUE(port->subscriber()->offer(event(9)));
  port->subscriber()->ended(Status(Code::kUnavailable, "bye"));  // what was offered still comes
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(9u, message.event().event_id());
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, stream->Finish().error_code());
}

TEST_F(GatewayTest, ASlowSubscriberIsCutWithItsBookmark) {
  GrpcOptions options;
  options.subscriber_queue = 5000;  // many times what the connection's window takes
  start(options);
  grpc::ClientContext context;
  const auto stream = risk->FollowAlerts(&context, {});
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.has_subscriber; }));
  const std::shared_ptr<AlertSubscriber> subscriber = port->subscriber();
  subscriber->started({}, 0, 1);
  v1::AlertMessage message;
  ASSERT_TRUE(stream->Read(&message));
  std::uint64_t offered = 0, last = 0;
  for (; offered < 10; ++offered) {  // it reads for a while …
    ASSERT_TRUE(subscriber->offer(event(offered + 1)));
    ASSERT_TRUE(stream->Read(&message));
    ASSERT_EQ(++last, message.event().event_id());
  }
  for (; subscriber->offer(event(offered + 1)); ++offered) ASSERT_LT(offered, 1'000'000u);  // … and then no more
  subscriber->ended(Status(Code::kResourceExhausted, "the subscriber fell behind"));
  while (stream->Read(&message)) {
    if (!message.has_event()) continue;
    ASSERT_EQ(++last, message.event().event_id());
  }
  EXPECT_GE(last, 10u);
  EXPECT_LT(last, offered);
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, status.error_code());
  EXPECT_EQ("the subscriber fell behind; resume with after_event_id " + std::to_string(last), status.error_message());
  EXPECT_EQ(last, detail_of<v1::ResumePoint>(status).after_event_id());
}

TEST_F(GatewayTest, ABookmarkOutOfRange) {
  start();
  v1::FollowAlertsRequest request;
  request.set_after_event_id(2'000'000);
  grpc::ClientContext context;
  const auto stream = risk->FollowAlerts(&context, request);
  v1::AlertMessage message;
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(grpc::StatusCode::OUT_OF_RANGE, stream->Finish().error_code());
}

TEST_F(GatewayTest, ACancelledSubscriberIsUnfollowedAndFreed) {
  start();
  std::weak_ptr<AlertSubscriber> subscriber;
  {
    grpc::ClientContext context;
    const auto stream = risk->FollowAlerts(&context, {});
    ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.has_subscriber; }));
    subscriber = port->subscriber();
    port->subscriber()->started({}, 0, 1);
    port->subscriber()->offer(event(1));
    context.TryCancel();
    stream->Finish();
  }
  EXPECT_TRUE(port->sees([](const Seen& seen) { return seen.unfollowed == 1; }));
  EXPECT_TRUE(eventually([&] { return subscriber.expired(); }));
}

TEST_F(GatewayTest, AVanishedClientIsUnfollowedAndFreed) {
  start();
  {
    auto other = v1::Risk::NewStub(connect());
    grpc::ClientContext context;
    const auto stream = other->FollowAlerts(&context, {});
    ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.has_subscriber; }));
    port->subscriber()->started({}, 0, 1);
  }  // neither cancelled nor finished: the connection goes
  EXPECT_TRUE(port->sees([](const Seen& seen) { return seen.unfollowed == 1; }));
}

TEST_F(GatewayTest, AChangeDoesNotWaitForASubscriptionThatHasNothingToSay) {
  start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));  // a write that is stuck is a failure
  const auto stream = v1::Queries::NewStub(channel)->Subscribe(&context);
  v1::SubscribeRequest request;
  request.set_sql("SELECT 1 FROM books");
  v1::SubscribeMessage message;
  for (const std::uint64_t id : {1u, 2u}) {
    request.set_id(id);
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(eventually([&] { return port->watchers().size() == id; }));
    port->watchers().back()->started({{{"n", ValueType::kInt}}, {}, 1, 1});
    ASSERT_TRUE(stream->Read(&message));
    EXPECT_EQ(id, message.id());
  }
  const auto watchers = port->watchers();
  std::string row;
  pack(Value::of(7), ValueType::kInt, row);
  for (Seq seq = 2; seq < 302; ++seq) {
    const RowEvent inserted{RowEvent::Kind::kInsert, RowReason::kChanged, "key", {}, row, {}};
    ASSERT_TRUE(watchers[0]->offer(copy_of({seq, 0, {&inserted, 1}})));
    watchers[1]->progress(1, 1);  // told already
    ASSERT_TRUE(stream->Read(&message)) << seq;
    EXPECT_EQ(1u, message.id());
    EXPECT_EQ(seq, message.seq());
  }
  EXPECT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_TRUE(stream->Finish().ok());
}

// What is held back for a following message does not stay behind when the subscription of that one ends meanwhile.
TEST_F(GatewayTest, ChangesOfManySubscriptionsAllComeAlthoughOthersEnd) {
  constexpr std::uint64_t kMany = 64;
  start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));  // a message that is stuck is a failure
  const auto stream = v1::Queries::NewStub(channel)->Subscribe(&context);
  v1::SubscribeRequest request;
  v1::SubscribeMessage message;
  request.set_sql("SELECT 1 FROM books");
  for (std::uint64_t id = 0; id < kMany; ++id) {
    request.set_id(id);
    ASSERT_TRUE(stream->Write(request));
  }
  ASSERT_TRUE(eventually([&] { return port->watchers().size() == kMany; }));
  const auto watchers = port->watchers();
  for (const auto& watcher : watchers) watcher->started({{{"n", ValueType::kInt}}, {}, 1, 1});
  for (std::uint64_t i = 0; i < kMany; ++i) ASSERT_TRUE(stream->Read(&message));
  std::string row;
  pack(Value::of(7), ValueType::kInt, row);
  const RowEvent inserted{RowEvent::Kind::kInsert, RowReason::kChanged, "key", {}, row, {}};
  for (std::uint64_t id = 0; id < kMany; id += 2) {
    request.set_id(id), request.set_end(true), request.clear_sql();
    ASSERT_TRUE(stream->Write(request));
    for (const std::uint64_t of : {id, id + 1}) ASSERT_TRUE(watchers[of]->offer(copy_of({2, 0, {&inserted, 1}})));
  }
  for (std::uint64_t next = 1; next < kMany;) {
    ASSERT_TRUE(stream->Read(&message)) << next;
    if (message.id() % 2 == 0) continue;  // it came before its end
    EXPECT_EQ(next, message.id());
    next += 2;
  }
  EXPECT_TRUE(stream->WritesDone());
  while (stream->Read(&message)) EXPECT_EQ(0u, message.id() % 2);
}

// Over all its streams: what is beyond is refused alone, and has room when another ended.
TEST_F(GatewayTest, TheSubscriptionsOfAClientAreBounded) {
  GrpcOptions options;
  options.client_queries = 3;
  start(options);
  const auto queries = v1::Queries::NewStub(channel), others = v1::Queries::NewStub(connect());
  grpc::ClientContext first, second;
  const auto a = queries->Subscribe(&first), b = others->Subscribe(&second);
  v1::SubscribeRequest request;
  request.set_sql("SELECT 1 FROM books");
  v1::SubscribeMessage message;
  const auto begins = [&](auto& stream, std::uint64_t id) {
    const std::size_t before = port->watchers().size();
    request.set_id(id);
    if (!stream->Write(request) || !eventually([&] { return port->watchers().size() == before + 1; })) return false;
    port->watchers().back()->started({{{"n", ValueType::kInt}}, {}, 1, 1});
    return stream->Read(&message) && message.id() == id && message.has_rows();
  };
  ASSERT_TRUE(begins(a, 1));
  ASSERT_TRUE(begins(a, 2));
  ASSERT_TRUE(begins(b, 1));
  for (const auto* stream : {&a, &b}) {
    request.set_id(3);
    ASSERT_TRUE((*stream)->Write(request));
    ASSERT_TRUE((*stream)->Read(&message));
    EXPECT_EQ(3u, message.id());
    EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, message.ended().code());
    EXPECT_EQ("the client 127.0.0.1 has 3 subscriptions already (limits.client_queries); end some of them first",
              message.ended().message());
  }
  request.set_id(2);
  request.set_end(true);
  ASSERT_TRUE(a->Write(request));
  ASSERT_TRUE(eventually([&] { return port->watchers().size() == 2; }));
  request.clear_end();
  ASSERT_TRUE(begins(b, 4));
  // A stream that ends gives back all of its own.
  ASSERT_TRUE(b->WritesDone());
  EXPECT_FALSE(b->Read(&message));
  EXPECT_TRUE(b->Finish().ok());
  ASSERT_TRUE(begins(a, 5));
  ASSERT_TRUE(begins(a, 6));
  EXPECT_TRUE(a->WritesDone());
  EXPECT_FALSE(a->Read(&message));
  EXPECT_TRUE(a->Finish().ok());
}

TEST_F(GatewayTest, OpenCallsAreBounded) {
  GrpcOptions options;
  options.max_calls = 2;
  start(options);
  grpc::ClientContext first, second, third;
  const auto a = ingest->SubmitTrades(&first);
  const auto b = ingest->SubmitTrades(&second);
  v1::TradeAcks acks;
  a->Write(batch(1, 1));
  ASSERT_TRUE(a->Read(&acks));
  b->Write(batch(1, 1));
  ASSERT_TRUE(b->Read(&acks));
  v1::Ack ack;
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, ingest->SubmitTrade(&third, trade("a"), &ack).error_code());
  a->WritesDone();
  EXPECT_TRUE(a->Finish().ok());
  EXPECT_TRUE(eventually([&] {
    grpc::ClientContext context;
    return ingest->SubmitTrade(&context, trade("a"), &ack).ok();
  }));
  first.TryCancel();
  second.TryCancel();
}

TEST_F(GatewayTest, DrainingAnswersWhatWasTakenAndRefusesTheRest) {
  start({}, false);
  grpc::ClientContext context;
  const auto stream = ingest->SubmitTrades(&context);
  ASSERT_TRUE(stream->Write(batch(1, 3)));
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.submissions == 1; }));
  gateway->stop_accepting();
  grpc::ClientContext late;
  v1::Ack ack;
  const grpc::Status refused = ingest->SubmitTrade(&late, trade("a"), &ack);
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, refused.error_code());
  EXPECT_NE(std::string::npos, refused.error_message().find("shutting down"));
  stream->Write(batch(2, 3));
  port->release(true);
  v1::TradeAcks acks;
  ASSERT_TRUE(stream->Read(&acks));
  EXPECT_EQ(3u, acks.accepted());
  EXPECT_FALSE(stream->Read(&acks));
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, stream->Finish().error_code());
  EXPECT_EQ(1u, port->submissions());
}

TEST_F(GatewayTest, StopEndsWhatIsOpen) {
  start({}, false);
  grpc::ClientContext a, b, c;
  const auto trades = ingest->SubmitTrades(&a);
  ASSERT_TRUE(trades->Write(batch(1, 3)));
  const auto alerts = risk->FollowAlerts(&b, {});
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.submissions == 1 && seen.has_subscriber; }));
  std::thread waiting([&] {
    v1::Ack ack;
    EXPECT_FALSE(ingest->SubmitTrade(&c, trade("a"), &ack).ok());
  });
  ASSERT_TRUE(port->sees([](const Seen& seen) { return seen.submissions == 2; }));
  gateway->stop_accepting();
  gateway->stop();
  gateway->stop();
  waiting.join();
  EXPECT_FALSE(trades->Finish().ok());
  EXPECT_FALSE(alerts->Finish().ok());
}

TEST_F(GatewayTest, AnAddressInUseIsToldAsSuch) {
  start();
  GrpcOptions options;
  options.listen = gateway->address();
  const std::unique_ptr<Gateway> second = make_grpc_gateway(options);
  const Status status = second->start(*port);
  EXPECT_EQ(Code::kFailedPrecondition, status.code());
  EXPECT_NE(std::string::npos, status.message().find(options.listen)) << status.message();
}

TEST_F(GatewayTest, TlsNeedsBothFiles) {
  RecordingPort other;
  GrpcOptions options;
  options.tls_certificate = "/no/such/file";
  EXPECT_EQ(Code::kInvalidArgument, make_grpc_gateway(options)->start(other).code());
  options.tls_key = "/no/such/key";
  const Status status = make_grpc_gateway(options)->start(other);
  EXPECT_EQ(Code::kNotFound, status.code());
  EXPECT_NE(std::string::npos, status.message().find("/no/such/file"));
}

}  // namespace
}  // namespace halocline::rpc
