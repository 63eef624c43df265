#include "engine/views.h"

#include <algorithm>
#include <map>

#include "engine/figures.h"
#include "engine/reports/report_desk.h"
#include "engine/state/state.h"

namespace halocline::views {
namespace {

constexpr std::size_t kMostParkedFor = 100;  // instruments that are told of

// The positions of a node in the order of symbols.
std::vector<std::uint32_t> sorted_positions(const State& state, std::uint32_t node) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t p = state.catalog.nodes[node].first_position; p != kNoId; p = state.positions[p].next_of_node) {
    if (state.positions[p].count != 0) ids.push_back(p);
  }
  auto symbol = [&state](std::uint32_t p) {
    return state.catalog.text[state.catalog.instruments[state.positions[p].instrument].symbol];
  };
  std::sort(ids.begin(), ids.end(), [&](std::uint32_t a, std::uint32_t b) { return symbol(a) < symbol(b); });
  return ids;
}

}  // namespace

Seq seq_of(const State& state) { return state.seq; }
Nanos time_of(const State& state) { return state.time; }

std::uint64_t bytes_apart(const State& state, const State* other) {
  static const State nothing;
  std::uint64_t bytes = 0;
  State::each_array([&](std::string_view, const auto& array, const auto& there) { bytes += array.bytes_apart(there); }, state,
                    other == nullptr ? nothing : *other);
  return bytes;
}

StateCounts counts(const State& state) {
  StateCounts c;
  c.seq = state.seq;
  c.time = state.time;
  c.trades = state.trades.size();
  c.live_trades = state.live_trades;
  c.nodes = state.catalog.nodes.size();
  c.instruments = state.catalog.instruments.size();
  c.limits = state.live_limits;
  c.active_alerts = state.active_alerts;
  c.last_event_id = state.events.size();
  return c;
}

PositionRow position_row(const State& state, const PositionRecord& position, Splits& splits) {
  const Catalog& catalog = state.catalog;
  const InstrumentRecord& instrument = catalog.instruments[position.instrument];
  const AverageCost split = splits.of(position);
  PositionRow row;
  row.node_kind = catalog.nodes[position.node].kind;
  row.node = catalog.name_of(position.node);
  row.instrument = catalog.text[instrument.symbol];
  row.currency = catalog.text[catalog.currencies[instrument.currency].code];
  row.quantity = position.quantity;
  row.average_price = average_price(split.cost, split.quantity, instrument.multiplier);
  row.cost = split.cost;
  row.market_value = position.value;
  row.realised = position.cash + split.cost;
  row.unrealised = position.value - split.cost;
  row.total_pnl = position.value + position.cash;
  row.mark = instrument.mark;
  row.mark_stale = instrument.stale;
  row.trades = position.count;
  return row;
}

std::vector<PositionRow> positions(const State& state, const PositionFilter& filter) {
  std::vector<PositionRow> rows;
  Splits splits(state);
  const Catalog& catalog = state.catalog;
  const std::uint32_t instrument = filter.instrument.empty() ? kNoId : catalog.find_instrument(filter.instrument);
  if (!filter.instrument.empty() && instrument == kNoId) return rows;
  for (std::uint32_t node = 0; node < catalog.nodes.size(); ++node) {
    if (filter.kind != NodeKind{} && catalog.nodes[node].kind != filter.kind) continue;
    if (!filter.node.empty() && catalog.name_of(node) != filter.node) continue;
    if (instrument != kNoId) {
      const std::uint32_t p = state.find_position(node, instrument);
      if (p != kNoId && state.positions[p].count != 0) rows.push_back(position_row(state, state.positions[p], splits));
      continue;
    }
    for (const std::uint32_t p : sorted_positions(state, node)) rows.push_back(position_row(state, state.positions[p], splits));
  }
  return rows;
}

std::vector<NodeRow> nodes(const State& state, const NodeFilter& filter) {
  std::vector<NodeRow> rows;
  const Catalog& catalog = state.catalog;
  for (std::uint32_t id = 0; id < catalog.nodes.size(); ++id) {
    const NodeRecord& node = catalog.nodes[id];
    if (filter.kind != NodeKind{} && node.kind != filter.kind) continue;
    if (!filter.name.empty() && catalog.name_of(id) != filter.name) continue;
    NodeRow row;
    row.id = id;
    row.kind = node.kind;
    row.name = catalog.name_of(id);
    row.parent = catalog.name_of(node.parent);
    row.net = state.in_firm_currency(id, &BucketRecord::net);
    row.long_exposure = state.in_firm_currency(id, &BucketRecord::long_exposure);
    row.short_exposure = state.in_firm_currency(id, &BucketRecord::short_exposure);
    row.gross = row.long_exposure + row.short_exposure;
    row.total_pnl = state.total_pnl(id);
    row.day_pnl = row.total_pnl - node.day_base;
    row.drawdown = node.peak_pnl - row.day_pnl;
    row.concentration = concentration_of(state, id);
    row.largest_trade = node.largest_trade;
    row.trade_rate = node.rate_sum;
    row.stale = state.in_firm_currency(id, &BucketRecord::stale);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<LimitRow> limits(const State& state) {
  std::vector<std::uint32_t> active(state.limits.size());
  for (std::size_t i = 0; i < state.alerts.size(); ++i) {
    const AlertRecord& alert = state.alerts[i];
    if (!alert.cleared && alert.limit != kNoId) ++active[alert.limit];
  }
  std::vector<LimitRow> rows;
  for (std::uint32_t id = 0; id < state.limits.size(); ++id) {
    const LimitRecord& limit = state.limits[id];
    if (limit.removed) continue;
    rows.push_back({std::string(state.catalog.text[limit.name]), limit.kind,
                    limit.node == kNoId ? std::string("*") : std::string(state.catalog.name_of(limit.node)), limit.measure,
                    limit.warn, limit.breach, limit.hysteresis, limit.hard, std::string(state.catalog.text[limit.owner]),
                    limit.escalate_after, active[id]});
  }
  return rows;
}

std::vector<AlertRow> alerts(const State& state, const AlertFilter& filter) {
  std::vector<AlertRow> rows;
  for (std::uint64_t id = 1; id <= state.alerts.size(); ++id) {
    const AlertRecord& alert = state.alerts[id - 1];
    const NodeKind kind = alert.node == kNoId ? NodeKind{} : state.catalog.nodes[alert.node].kind;
    if (filter.active_only && alert.cleared) continue;
    if (filter.kind != NodeKind{} && kind != filter.kind) continue;
    if (!filter.node.empty() && state.catalog.name_of(alert.node) != filter.node) continue;
    const EventRecord& last = state.events[alert.last_event - 1];
    AlertRow row;
    row.alert_id = id;
    if (alert.limit != kNoId) {
      const LimitRecord& limit = state.limits[alert.limit];
      row.limit = state.catalog.text[limit.name];
      row.node_kind = kind;
      row.node = state.catalog.name_of(alert.node);
      row.measure = limit.measure;
      row.hard = limit.hard;
      row.owner = state.catalog.text[limit.owner];
    } else {
      row.query = state.catalog.text[state.queries[alert.query].name];
      row.row = state.catalog.text[alert.row];
    }
    row.level = alert.level;
    row.acknowledged = alert.acknowledged;
    row.cleared = alert.cleared;
    row.by = state.catalog.text[alert.by];
    row.note = state.catalog.text[alert.note];
    row.value = last.value;
    row.threshold = last.threshold;
    row.raised_seq = alert.raised_seq;
    row.raised_time = alert.raised_time;
    row.last_seq = last.seq;
    row.last_time = last.time;
    row.last_event_id = alert.last_event;
    rows.push_back(std::move(row));
  }
  return rows;
}

ReferenceRows reference(const State& state) {
  ReferenceRows rows;
  const Catalog& catalog = state.catalog;
  rows.firm = firm_name(state);
  rows.firm_currency = firm_currency(state);
  rows.end_of_day = catalog.end_of_day;
  for (std::uint32_t id = 0; id < catalog.currencies.size(); ++id) {
    rows.currencies.push_back({std::string(catalog.text[catalog.currencies[id].code]), catalog.currencies[id].rate});
  }
  for (std::uint32_t id = 0; id < catalog.nodes.size(); ++id) {
    const NodeRecord& node = catalog.nodes[id];
    if (node.kind < NodeKind::kDesk || node.kind > NodeKind::kCounterparty) continue;
    rows.names.push_back({node.kind, std::string(catalog.name_of(id)), std::string(catalog.name_of(node.parent))});
  }
  for (std::uint32_t id = 0; id < catalog.instruments.size(); ++id) {
    const InstrumentRecord& record = catalog.instruments[id];
    InstrumentRow row;
    row.symbol = catalog.text[record.symbol];
    row.kind = record.kind;
    row.currency = catalog.text[catalog.currencies[record.currency].code];
    row.multiplier = record.multiplier;
    row.underlying = catalog.name_of(record.underlying_node);
    row.sector = catalog.name_of(record.sector_node);
    row.issuer = catalog.text[record.issuer];
    row.expiry = record.expiry;
    row.stale_after = record.stale_after;
    row.has_mark = record.mark_source != MarkSource::kNone;
    row.mark = record.mark;
    row.mark_time = record.mark_time;
    row.mark_stale = record.stale;
    rows.instruments.push_back(std::move(row));
  }
  return rows;
}

TradeRow trade_row(const State& state, const TradeRecord& record) {
  TradeRow row;
  row.source = state.source_of(record);
  row.trade_id = state.trade_id_of(record);
  row.version = record.version;
  row.live = record.status == TradeStatus::kLive;
  row.action = record.action;
  row.seq = record.seq;
  row.version_seq = record.version_seq;
  if (record.book == kNoId) return row;  // a tombstone
  row.book = state.catalog.name_of(record.book);
  row.trader = state.catalog.name_of(record.trader);
  row.counterparty = state.catalog.name_of(record.counterparty);
  row.instrument = state.catalog.text[state.catalog.instruments[record.instrument].symbol];
  row.side = record.side;
  row.quantity = record.quantity;
  row.price = record.price;
  row.fees = record.fees;
  row.trade_time = record.trade_time;
  return row;
}

std::optional<TradeRow> trade(const State& state, std::string_view source, std::string_view trade_id) {
  std::uint32_t id = state.find_trade(source, trade_id);
  if (id == kNoId) {
    const std::uint32_t link = state.find_link(source, trade_id);
    if (link == kNoId) return std::nullopt;
    id = state.links[link].trade;
  }
  if (!state.lists(state.trades[id])) return std::nullopt;
  return trade_row(state, state.trades[id]);
}

FixLedger fix_ledger(const State& state) {
  FixLedger ledger;
  ledger.parked = state.parked.size(), ledger.released = state.parked_released, ledger.refused = state.parked_refused;
  std::map<std::string, std::uint64_t> waiting;
  for (std::size_t at = 0; at < state.parked.size(); ++at) ++waiting[std::string(report_of(state.parked[at]).trade.instrument)];
  ledger.parked_for.assign(waiting.begin(), waiting.end());
  std::stable_sort(ledger.parked_for.begin(), ledger.parked_for.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (ledger.parked_for.size() > kMostParkedFor) ledger.parked_for.resize(kMostParkedFor);
  for (std::size_t id = 0; id < state.fix_sessions.size(); ++id) {
    const FixSessionRecord& session = state.fix_sessions[id];
    FixLedgerRow row{std::string(state.trade_text[session.name]), session.next_in, session.next_out, session.created, {}};
    for (std::uint32_t at = session.first_unanswered; at != kNoId; at = state.fix_unanswered[at].next) {
      const UnansweredRecord& unanswered = state.fix_unanswered[at];
      row.unanswered.push_back({unanswered.seq, unanswered.number, unanswered.commands, unanswered.told, {}});
    }
    ledger.sessions.push_back(std::move(row));
  }
  return ledger;
}

std::vector<SentAt> fix_sent(const State& state, std::string_view session, std::uint32_t from, std::uint32_t to, std::size_t most) {
  std::vector<SentAt> found;
  const std::uint32_t id = state.find_fix_session(session);
  if (id == kNoId) return found;
  std::uint32_t at = state.fix_sessions[id].newest_sent;
  while (at != kNoId && state.fix_sent[at].number > to) at = state.fix_sent[at].previous;
  for (; at != kNoId && state.fix_sent[at].number >= from; at = state.fix_sent[at].previous) {
    found.push_back({state.fix_sent[at].number, state.fix_sent[at].seq});
  }
  std::reverse(found.begin(), found.end());
  if (found.size() > most) found.resize(most);
  return found;
}

std::vector<AlertEvent> alert_events(const State& state, std::uint64_t after, std::size_t most) {
  std::vector<AlertEvent> events;
  for (std::uint64_t id = after + 1; id <= state.events.size() && events.size() < most; ++id) {
    events.push_back(event_of(state, id));
  }
  return events;
}

std::string_view firm_name(const State& state) {
  return state.catalog.has_firm() ? state.catalog.name_of(0) : std::string_view();
}

std::string_view firm_currency(const State& state) {
  if (!state.catalog.has_firm()) return {};
  return state.catalog.text[state.catalog.currencies[state.catalog.firm_currency].code];
}

}  // namespace halocline::views
