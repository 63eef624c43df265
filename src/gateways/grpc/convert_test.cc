// Requests to commands and rows to messages: every field, every enum value, decimals to the last digit.
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include "base/decimal.h"
#include "base/limits.h"
#include "command/command.h"
#include "command/outcome.h"
#include "gateways/grpc/status_details.h"
#include "gateways/grpc/to_command.h"
#include "gateways/grpc/to_proto.h"

namespace halocline::rpc {
namespace {

// The same numbers mean the same on both sides, and neither side has one the other lacks.
template <class Enum, class Name>
void expect_same_enum(const google::protobuf::EnumDescriptor* api, int count, std::string_view prefix, Name&& name) {
  for (int number = 0; number < count; ++number) {
    const auto* value = api->FindValueByNumber(number);
    std::string ours(name(static_cast<Enum>(number)));
    for (char& c : ours) c = static_cast<char>(std::toupper(c));
    if (ours.empty() || (value != nullptr && value->name().ends_with("_UNSPECIFIED"))) {
      EXPECT_TRUE(value == nullptr || number == 0) << api->name() << " " << number;
      continue;
    }
    ASSERT_NE(nullptr, value) << api->name() << " lacks " << number << ", " << ours;
    EXPECT_EQ(std::string(prefix) + ours, value->name());
  }
  EXPECT_EQ(nullptr, api->FindValueByNumber(count));
}

TEST(Enums, AreTheSameOnBothSides) {
  expect_same_enum<NodeKind>(v1::NodeKind_descriptor(), kNodeKindCount, "", kind_name);
  expect_same_enum<InstrumentKind>(v1::InstrumentKind_descriptor(), 4, "", instrument_kind_name);
  expect_same_enum<Action>(v1::Action_descriptor(), 4, "", action_name);
  expect_same_enum<Side>(v1::Side_descriptor(), 3, "", side_name);
  expect_same_enum<AlertStep>(v1::AlertStep_descriptor(), 6, "", step_name);
  expect_same_enum<AlertReason>(v1::AlertReason_descriptor(), 9, "", reason_name);
  expect_same_enum<Cause>(v1::Cause_descriptor(), 10, "CAUSE_", cause_name);
  expect_same_enum<AlertLevel>(v1::AlertLevel_descriptor(), 3, "", level_name);
  expect_same_enum<Outcome>(v1::Outcome_descriptor(), kOutcomeCount, "", outcome_name);
  for (int number = 1; number < kMeasureCount; ++number) {
    std::string ours(measure_name(static_cast<Measure>(number)));
    for (char& c : ours) c = static_cast<char>(std::toupper(c));
    if (ours == "STALE") ours = "STALE_EXPOSURE";  // STALE is an outcome; protobuf has one scope for both
    EXPECT_EQ(ours, v1::Measure_descriptor()->FindValueByNumber(number)->name());
  }
}

template <class Request>
Command command_of(const Request& request) {
  Command command;
  std::vector<Violation> violations;
  EXPECT_TRUE(to_command(request, command, violations));
  EXPECT_TRUE(violations.empty());
  return command;
}

TEST(ToCommand, ReferenceItems) {
  v1::ReferenceItem item;
  item.mutable_firm()->set_name("Firm");
  item.mutable_firm()->set_currency("USD");
  const Firm firm = std::get<Firm>(command_of(item));
  EXPECT_EQ("Firm", firm.name);
  EXPECT_EQ("USD", firm.currency);
  item.mutable_currency()->set_code("EUR");
  item.mutable_currency()->set_rate_e8(110000001);
  const Currency currency = std::get<Currency>(command_of(item));
  EXPECT_EQ("EUR", currency.code);
  EXPECT_EQ(110000001, currency.rate);
  item.mutable_desk()->set_name("D");
  EXPECT_EQ("D", std::get<Desk>(command_of(item)).name);
  item.mutable_book()->set_name("B");
  item.mutable_book()->set_desk("D");
  EXPECT_EQ("B", std::get<Book>(command_of(item)).name);
  EXPECT_EQ("D", std::get<Book>(command_of(item)).desk);
  item.mutable_trader()->set_name("T");
  item.mutable_trader()->set_desk("D");
  EXPECT_EQ("T", std::get<Trader>(command_of(item)).name);
  EXPECT_EQ("D", std::get<Trader>(command_of(item)).desk);
  item.mutable_counterparty()->set_name("C");
  EXPECT_EQ("C", std::get<Counterparty>(command_of(item)).name);
  v1::RenameItem& rename = *item.mutable_rename();
  rename.set_kind(v1::TRADER);
  rename.set_from("a");
  rename.set_to("b");
  const Rename out = std::get<Rename>(command_of(item));
  EXPECT_EQ(NodeKind::kTrader, out.kind);
  EXPECT_EQ("a", out.from);
  EXPECT_EQ("b", out.to);
}

TEST(ToCommand, AnInstrumentThereAndBack) {
  InstrumentRow row;
  row.symbol = "ESZ6";
  row.kind = InstrumentKind::kFuture;
  row.currency = "USD";
  row.multiplier = 5000000001;
  row.underlying = "ES";
  row.sector = "Index";
  row.issuer = "CME";
  row.expiry = 20261218;
  row.stale_after = 77;
  row.has_mark = true;
  row.mark = -5;
  row.mark_time = 9;
  row.mark_stale = true;
  v1::ReferenceItem item;
  to_proto(row, item);
  const Command command = command_of(item);
  const Instrument& out = std::get<Instrument>(command);
  EXPECT_EQ(row.symbol, out.symbol);
  EXPECT_EQ(row.kind, out.kind);
  EXPECT_EQ(row.currency, out.currency);
  EXPECT_EQ(row.multiplier, out.multiplier);
  EXPECT_EQ(row.underlying, out.underlying);
  EXPECT_EQ(row.sector, out.sector);
  EXPECT_EQ(row.issuer, out.issuer);
  EXPECT_EQ(row.expiry, out.expiry);
  EXPECT_EQ(row.stale_after, out.stale_after);
  EXPECT_TRUE(item.instrument().has_mark());
  EXPECT_EQ(-5, item.instrument().mark_e8());
  EXPECT_EQ(9, item.instrument().mark_time_ns());
  EXPECT_TRUE(item.instrument().mark_stale());
}

TEST(ToCommand, ALimitThereAndBackToTheLastDigit) {
  LimitRow row;
  row.name = "L";
  row.kind = NodeKind::kTrader;
  row.node = "*";
  row.measure = Measure::kDayLoss;
  row.warn = *parse_decimal128("999999999999999999.99999999");
  row.breach = *parse_decimal128("1000000000000000000");
  row.hysteresis = 5000001;
  row.hard = true;
  row.owner = "risk";
  row.escalate_after = 60;
  row.active_alerts = 3;
  v1::Limit api;
  to_proto(row, api);
  EXPECT_EQ("999999999999999999.99999999", api.warn());
  EXPECT_EQ(3u, api.active_alerts());
  const Command command = command_of(api);
  const Limit& out = std::get<Limit>(command);
  EXPECT_EQ(row.name, out.name);
  EXPECT_EQ(row.kind, out.kind);
  EXPECT_EQ(row.node, out.node);
  EXPECT_EQ(row.measure, out.measure);
  EXPECT_TRUE(row.warn == out.warn && row.breach == out.breach);
  EXPECT_EQ(row.hysteresis, out.hysteresis);
  EXPECT_TRUE(out.hard);
  EXPECT_EQ(row.owner, out.owner);
  EXPECT_EQ(row.escalate_after, out.escalate_after);
}

TEST(ToCommand, WrongFieldsAreNamed) {
  v1::Limit limit;
  limit.set_name(std::string(65, 'x'));
  limit.set_warn("12,5");
  limit.set_breach("1.123456789");
  Command command;
  std::vector<Violation> violations;
  EXPECT_FALSE(to_command(limit, command, violations));
  ASSERT_EQ(3u, violations.size());
  EXPECT_EQ("name", violations[0].field);
  EXPECT_EQ("name has 65 bytes, more than 64", violations[0].description);
  EXPECT_EQ("warn", violations[1].field);
  EXPECT_EQ("warn \"12,5\" is no decimal number with at most 8 decimals", violations[1].description);
  EXPECT_EQ("breach", violations[2].field);

  violations.clear();
  EXPECT_FALSE(to_command(v1::ReferenceItem(), command, violations));
  EXPECT_EQ("item", violations.at(0).field);

  violations.clear();
  v1::AckAlertRequest ack;
  ack.set_note(std::string(257, 'n'));
  EXPECT_FALSE(to_command(ack, command, violations));
  EXPECT_EQ("note", violations.at(0).field);

  const grpc::Status status = invalid_argument(violations);
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, status.error_code());
  google::rpc::Status details;
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(3, details.code());
  ASSERT_TRUE(details.details(0).UnpackTo(&bad));
  EXPECT_EQ("note", bad.field_violations(0).field());
}

TEST(ToCommand, Others) {
  v1::RemoveLimitRequest remove;
  remove.set_name("L");
  EXPECT_EQ("L", std::get<LimitRemove>(command_of(remove)).name);
  v1::AckAlertRequest ack;
  ack.set_alert_id(UINT64_MAX);
  ack.set_by("me");
  ack.set_note("seen");
  const Command command = command_of(ack);
  EXPECT_EQ(UINT64_MAX, std::get<AlertAck>(command).alert_id);
  EXPECT_EQ("me", std::get<AlertAck>(command).by);
  EXPECT_EQ("seen", std::get<AlertAck>(command).note);
  v1::EndOfDayRequest day;
  day.set_date(20261124);
  EXPECT_EQ(20261124u, std::get<EndOfDay>(command_of(day)).date);

  v1::ListAlertsRequest alerts;
  EXPECT_TRUE(to_filter(alerts).active_only);
  alerts.set_all(true);
  alerts.set_kind(v1::BOOK);
  alerts.set_node("b");
  EXPECT_FALSE(to_filter(alerts).active_only);
  EXPECT_EQ(NodeKind::kBook, to_filter(alerts).kind);
  EXPECT_EQ("b", to_filter(alerts).node);
}

TEST(ToProto, PositionsAndNodesAreExact) {
  const Int128 big = *parse_decimal128("123456789012345678901234567.12345678");
  PositionRow position;
  position.node_kind = NodeKind::kBook;
  position.node = "B";
  position.instrument = "I";
  position.currency = "EUR";
  position.quantity = -1;
  position.average_price = 2;
  position.cost = big;
  position.market_value = -big;
  position.realised = 3;
  position.unrealised = -4;
  position.total_pnl = 5;
  position.mark = 6;
  position.mark_stale = true;
  position.trades = 7;
  v1::Position p;
  to_proto(position, p);
  EXPECT_EQ(
      "kind: BOOK node: \"B\" instrument: \"I\" currency: \"EUR\" quantity: \"-0.00000001\" average_price: \"0.00000002\" "
      "cost: \"123456789012345678901234567.12345678\" market_value: \"-123456789012345678901234567.12345678\" "
      "realised: \"0.00000003\" unrealised: \"-0.00000004\" total_pnl: \"0.00000005\" mark_e8: 6 mark_stale: true trades: 7",
      p.ShortDebugString());

  NodeRow node;
  node.id = 9;
  node.kind = NodeKind::kTrader;
  node.name = "T";
  node.parent = "D";
  node.net = 1, node.gross = 2, node.long_exposure = 3, node.short_exposure = 4, node.total_pnl = 5, node.day_pnl = 6;
  node.drawdown = 7, node.concentration = 25000000, node.largest_trade = big, node.trade_rate = 8, node.stale = 0;
  v1::Node n;
  to_proto(node, n);
  EXPECT_EQ(
      "id: 9 kind: TRADER name: \"T\" parent: \"D\" net: \"0.00000001\" gross: \"0.00000002\" long: \"0.00000003\" "
      "short: \"0.00000004\" total_pnl: \"0.00000005\" day_pnl: \"0.00000006\" drawdown: \"0.00000007\" concentration: \"0.25\" "
      "largest_trade: \"123456789012345678901234567.12345678\" trade_rate: 8 stale: \"0\"",
      n.ShortDebugString());
}

TEST(ToProto, AlertsCarryEverything) {
  AlertEvent e;
  e.event_id = 1, e.alert_id = 2, e.step = AlertStep::kEscalated, e.reason = AlertReason::kUnacknowledged, e.seq = 3, e.time = 4;
  e.limit = "L", e.node_kind = NodeKind::kSector, e.node = "N", e.measure = Measure::kStale, e.level = AlertLevel::kBreach;
  e.value = 150000000, e.threshold = 100000000, e.hard = true, e.owner = "o", e.by = "b", e.note = "n", e.cause = Cause::kTrade;
  e.cause_source = "s", e.cause_trade_id = "t", e.cause_version = 5, e.cause_name = "c";
  v1::AlertEvent out;
  to_proto(e, out);
  EXPECT_EQ(
      "event_id: 1 alert_id: 2 step: ESCALATED reason: UNACKNOWLEDGED seq: 3 time_ns: 4 limit: \"L\" kind: SECTOR node: \"N\" "
      "measure: STALE_EXPOSURE level: BREACH value: \"1.5\" threshold: \"1\" hard: true owner: \"o\" by: \"b\" note: \"n\" "
      "cause: CAUSE_TRADE cause_source: \"s\" cause_trade_id: \"t\" cause_version: 5 cause_name: \"c\"",
      out.ShortDebugString());

  AlertRow r;
  r.alert_id = 1, r.limit = "L", r.node_kind = NodeKind::kDesk, r.node = "N", r.measure = Measure::kNet, r.level = AlertLevel::kWarn;
  r.hard = true, r.acknowledged = true, r.cleared = true, r.owner = "o", r.by = "b", r.note = "n", r.value = -1, r.threshold = 2;
  r.raised_seq = 3, r.raised_time = 4, r.last_seq = 5, r.last_time = 6, r.last_event_id = 7;
  v1::Alert alert;
  to_proto(r, alert);
  EXPECT_EQ(
      "alert_id: 1 limit: \"L\" kind: DESK node: \"N\" measure: NET level: WARN hard: true acknowledged: true cleared: true "
      "owner: \"o\" by: \"b\" note: \"n\" value: \"-0.00000001\" threshold: \"0.00000002\" raised_seq: 3 raised_time_ns: 4 "
      "last_seq: 5 last_time_ns: 6 last_event_id: 7",
      alert.ShortDebugString());
}

// No field of the message is left at its default: a field added to the API and forgotten here shows.
void expect_all_set(const google::protobuf::Message& message) {
  std::vector<const google::protobuf::FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  EXPECT_EQ(message.GetDescriptor()->field_count(), static_cast<int>(set.size())) << message.ShortDebugString();
}

TEST(ToProto, StatusAndTrade) {
  StatusReport s;
  s.version = "1", s.durability = "fsync", s.data_directory = "/d", s.state = "serving", s.uptime = 1, s.last_seq = 2;
  s.durable_seq = 3, s.last_time = 4, s.last_event_id = 5, s.trades = 6, s.live_trades = 7, s.nodes = 8, s.instruments = 9;
  s.limits = 10, s.active_alerts = 11, s.subscribers = 12, s.journal_bytes = 13, s.journal_segments = 14, s.journal_blocks = 15;
  s.journal_syncs = 16, s.memory_bytes = 17, s.recovery_time = 18, s.recovered_records = 19;
  s.latencies.push_back({"stage", 1, 2, 3, 4, 5, 6});
  s.queues.push_back({"q", 1, 2, 3});
  s.counters.push_back({"c", 1});
  s.state_digest = "ab";
  v1::Status out;
  to_proto(s, out);
  expect_all_set(out);
  expect_all_set(out.latencies(0));
  expect_all_set(out.queues(0));
  expect_all_set(out.counters(0));
  EXPECT_EQ(5, out.latencies(0).p999_ns());

  TradeRow t;
  t.source = "s", t.trade_id = "t", t.version = 1, t.live = true, t.action = Action::kAmend;
  t.book = "b", t.trader = "r", t.counterparty = "c";
  t.instrument = "i", t.side = Side::kSell, t.quantity = 1, t.price = 2, t.fees = 3, t.trade_time = 4, t.seq = 5, t.version_seq = 6;
  v1::TradeState state;
  state.set_at_seq(7);
  to_proto(t, state);
  expect_all_set(state);
  expect_all_set(state.trade());
  EXPECT_EQ(v1::AMEND, state.trade().action());
}

TEST(StatusDetails, EveryCodeHasItsOwn) {
  EXPECT_EQ(grpc::StatusCode::NOT_FOUND, grpc_code(Code::kNotFound));
  EXPECT_EQ(grpc::StatusCode::RESOURCE_EXHAUSTED, grpc_code(Code::kResourceExhausted));
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, grpc_code(Code::kUnavailable));
  EXPECT_EQ(grpc::StatusCode::OUT_OF_RANGE, grpc_code(Code::kOutOfRange));
  EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, grpc_code(Code::kInvalidArgument));
  EXPECT_EQ(grpc::StatusCode::INTERNAL, grpc_code(Code::kIo));
}

}  // namespace
}  // namespace halocline::rpc
