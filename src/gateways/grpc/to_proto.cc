#include "gateways/grpc/to_proto.h"

#include "base/check.h"
#include "base/decimal.h"

namespace halocline::rpc {
namespace {

// The numbers are the same on both sides; to_proto_test.cc goes through every value.
template <class To, class From>
To number_of(From value) {
  return static_cast<To>(static_cast<int>(value));
}

}  // namespace

void to_proto(const PositionRow& row, v1::Position& out) {
  out.set_kind(number_of<v1::NodeKind>(row.node_kind));
  out.set_node(row.node);
  out.set_instrument(row.instrument);
  out.set_currency(row.currency);
  out.set_quantity(to_decimal(row.quantity));
  out.set_average_price(to_decimal(row.average_price));
  out.set_cost(to_decimal(row.cost));
  out.set_market_value(to_decimal(row.market_value));
  out.set_realised(to_decimal(row.realised));
  out.set_unrealised(to_decimal(row.unrealised));
  out.set_total_pnl(to_decimal(row.total_pnl));
  out.set_mark_e8(row.mark);
  out.set_mark_stale(row.mark_stale);
  out.set_trades(row.trades);
}

void to_proto(const NodeRow& row, v1::Node& out) {
  out.set_id(row.id);
  out.set_kind(number_of<v1::NodeKind>(row.kind));
  out.set_name(row.name);
  out.set_parent(row.parent);
  out.set_net(to_decimal(row.net));
  out.set_gross(to_decimal(row.gross));
  out.set_long_(to_decimal(row.long_exposure));
  out.set_short_(to_decimal(row.short_exposure));
  out.set_total_pnl(to_decimal(row.total_pnl));
  out.set_day_pnl(to_decimal(row.day_pnl));
  out.set_drawdown(to_decimal(row.drawdown));
  out.set_concentration(to_decimal(row.concentration));
  out.set_largest_trade(to_decimal(row.largest_trade));
  out.set_trade_rate(row.trade_rate);
  out.set_stale(to_decimal(row.stale));
}

void to_proto(const LimitRow& row, v1::Limit& out) {
  out.set_name(row.name);
  out.set_kind(number_of<v1::NodeKind>(row.kind));
  out.set_node(row.node);
  out.set_measure(number_of<v1::Measure>(row.measure));
  out.set_warn(to_decimal(row.warn));
  out.set_breach(to_decimal(row.breach));
  out.set_hysteresis_e8(row.hysteresis);
  out.set_hard(row.hard);
  out.set_owner(row.owner);
  out.set_escalate_after_ns(row.escalate_after);
  out.set_active_alerts(row.active_alerts);
}

void to_proto(const AlertRow& row, v1::Alert& out) {
  out.set_alert_id(row.alert_id);
  out.set_limit(row.limit);
  out.set_query(row.query);
  out.set_row(row.row);
  out.set_kind(number_of<v1::NodeKind>(row.node_kind));
  out.set_node(row.node);
  out.set_measure(number_of<v1::Measure>(row.measure));
  out.set_level(number_of<v1::AlertLevel>(row.level));
  out.set_hard(row.hard);
  out.set_acknowledged(row.acknowledged);
  out.set_cleared(row.cleared);
  out.set_owner(row.owner);
  out.set_by(row.by);
  out.set_note(row.note);
  out.set_value(to_decimal(row.value));
  out.set_threshold(to_decimal(row.threshold));
  out.set_raised_seq(row.raised_seq);
  out.set_raised_time_ns(row.raised_time);
  out.set_last_seq(row.last_seq);
  out.set_last_time_ns(row.last_time);
  out.set_last_event_id(row.last_event_id);
}

void to_proto(const AlertEvent& event, v1::AlertEvent& out) {
  out.set_event_id(event.event_id);
  out.set_alert_id(event.alert_id);
  out.set_step(number_of<v1::AlertStep>(event.step));
  out.set_reason(number_of<v1::AlertReason>(event.reason));
  out.set_seq(event.seq);
  out.set_time_ns(event.time);
  out.set_limit(event.limit);
  out.set_query(event.query);
  out.set_row(event.row);
  out.set_kind(number_of<v1::NodeKind>(event.node_kind));
  out.set_node(event.node);
  out.set_measure(number_of<v1::Measure>(event.measure));
  out.set_level(number_of<v1::AlertLevel>(event.level));
  out.set_value(to_decimal(event.value));
  out.set_threshold(to_decimal(event.threshold));
  out.set_hard(event.hard);
  out.set_owner(event.owner);
  out.set_by(event.by);
  out.set_note(event.note);
  out.set_cause(number_of<v1::Cause>(event.cause));
  out.set_cause_source(event.cause_source);
  out.set_cause_trade_id(event.cause_trade_id);
  out.set_cause_version(event.cause_version);
  out.set_cause_name(event.cause_name);
}

void to_proto(const TradeRow& row, v1::TradeState& out) {
  v1::Trade& trade = *out.mutable_trade();
  trade.set_source(row.source);
  trade.set_trade_id(row.trade_id);
  trade.set_version(row.version);
  trade.set_action(row.live ? static_cast<v1::Action>(row.action) : v1::CANCEL);
  trade.set_book(row.book);
  trade.set_trader(row.trader);
  trade.set_counterparty(row.counterparty);
  trade.set_instrument(row.instrument);
  trade.set_side(number_of<v1::Side>(row.side));
  trade.set_quantity_e8(row.quantity);
  trade.set_price_e8(row.price);
  trade.set_fees_e8(row.fees);
  trade.set_trade_time_ns(row.trade_time);
  out.set_live(row.live);
  out.set_seq(row.seq);
  out.set_version_seq(row.version_seq);
}

void to_proto(const CurrencyRow& row, v1::ReferenceItem& out) {
  out.mutable_currency()->set_code(row.code);
  out.mutable_currency()->set_rate_e8(row.rate);
}

void to_proto(const NameRow& row, v1::ReferenceItem& out) {
  switch (row.kind) {
    case NodeKind::kDesk: out.mutable_desk()->set_name(row.name); return;
    case NodeKind::kBook:
      out.mutable_book()->set_name(row.name);
      out.mutable_book()->set_desk(row.desk);
      return;
    case NodeKind::kTrader:
      out.mutable_trader()->set_name(row.name);
      out.mutable_trader()->set_desk(row.desk);
      return;
    case NodeKind::kCounterparty: out.mutable_counterparty()->set_name(row.name); return;
    default: CHECK(false, "a %s among the names of the reference data", std::string(kind_name(row.kind)).c_str());
  }
}

void to_proto(const InstrumentRow& row, v1::ReferenceItem& out) {
  v1::InstrumentItem& item = *out.mutable_instrument();
  item.set_symbol(row.symbol);
  item.set_kind(number_of<v1::InstrumentKind>(row.kind));
  item.set_currency(row.currency);
  item.set_multiplier_e8(row.multiplier);
  item.set_underlying(row.underlying);
  item.set_sector(row.sector);
  item.set_issuer(row.issuer);
  item.set_expiry(row.expiry);
  item.set_stale_after_ns(row.stale_after);
  item.set_has_mark(row.has_mark);
  item.set_mark_e8(row.mark);
  item.set_mark_time_ns(row.mark_time);
  item.set_mark_stale(row.mark_stale);
}

void to_proto(const FixSessionRow& row, v1::FixSession& out) {
  out.set_name(row.name);
  out.set_begin_string(row.begin_string);
  out.set_our_comp_id(row.our_comp_id);
  out.set_their_comp_id(row.their_comp_id);
  out.set_source(row.source);
  out.set_state(row.state);
  out.set_address(row.address);
  out.set_tls(row.tls);
  out.set_next_in(row.next_in);
  out.set_durable_in(row.durable_in);
  out.set_next_out(row.next_out);
  out.set_received(row.received);
  out.set_sent(row.sent);
  out.set_rejected(row.rejected);
  out.set_ignored(row.ignored);
  out.set_garbled(row.garbled);
  out.set_received_per_second(row.received_per_second);
  out.set_unanswered(row.unanswered);
  out.set_in_flight(row.in_flight);
  for (const auto& [type, count] : row.by_type) {
    v1::FixMessageCount& one = *out.add_by_type();
    one.set_type(type);
    one.set_count(count);
  }
  out.set_last_received_time_ns(row.last_received);
  out.set_last_error(row.last_error);
  out.set_last_error_time_ns(row.last_error_time);
}

void to_proto(const StatusReport& report, v1::Status& out) {
  out.set_version(report.version);
  out.set_durability(report.durability);
  out.set_data_directory(report.data_directory);
  out.set_state(report.state);
  out.set_uptime_ns(report.uptime);
  out.set_last_seq(report.last_seq);
  out.set_durable_seq(report.durable_seq);
  out.set_last_time_ns(report.last_time);
  out.set_last_event_id(report.last_event_id);
  out.set_trades(report.trades);
  out.set_live_trades(report.live_trades);
  out.set_nodes(report.nodes);
  out.set_instruments(report.instruments);
  out.set_limits(report.limits);
  out.set_active_alerts(report.active_alerts);
  out.set_subscribers(report.subscribers);
  out.set_journal_bytes(report.journal_bytes);
  out.set_journal_segments(report.journal_segments);
  out.set_journal_blocks(report.journal_blocks);
  out.set_journal_syncs(report.journal_syncs);
  out.set_memory_bytes(report.memory_bytes);
  out.set_recovery_time_ns(report.recovery_time);
  out.set_recovered_records(report.recovered_records);
  for (const LatencyRow& row : report.latencies) {
    v1::Latency& latency = *out.add_latencies();
    latency.set_stage(row.stage);
    latency.set_count(row.count);
    latency.set_p50_ns(row.p50);
    latency.set_p90_ns(row.p90);
    latency.set_p99_ns(row.p99);
    latency.set_p999_ns(row.p999);
    latency.set_max_ns(row.max);
  }
  for (const QueueRow& row : report.queues) {
    v1::Queue& queue = *out.add_queues();
    queue.set_name(row.name);
    queue.set_depth(row.depth);
    queue.set_capacity(row.capacity);
    queue.set_highest(row.highest);
  }
  for (const CounterRow& row : report.counters) {
    v1::Counter& counter = *out.add_counters();
    counter.set_name(row.name);
    counter.set_value(row.value);
  }
  out.set_state_digest(report.state_digest);
}

}  // namespace halocline::rpc
