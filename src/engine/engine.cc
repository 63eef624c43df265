#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "command/codec.h"
#include "engine/fix/session_ledger.h"
#include "engine/limits/limit_watch.h"
#include "engine/queries/named_queries.h"
#include "engine/reference_desk.h"
#include "engine/reports/report_desk.h"
#include "engine/risk/exposure.h"
#include "engine/risk/price_board.h"
#include "engine/state/calendar_date.h"
#include "engine/state/state.h"
#include "engine/state/trade_book.h"
#include "engine/views.h"

namespace halocline {

// Every command goes the same way: time passes, the command is applied by the part it belongs to, then the nodes it touched
// are looked at.
class Engine::Impl {
 public:
  State state;
  Changes changes;
  Exposure exposure{state, changes};
  PriceBoard prices{state, exposure, changes};
  TradeBook trades{state, exposure, changes};
  LimitWatch limits{state, exposure};
  ReferenceDesk reference{state, exposure, prices, trades, limits};
  ReportDesk reports{state, trades};
  SessionLedger sessions{state};
  queries::LiveQueries queries{state, changes};
  queries::NamedQueries named{state, changes, queries};
  std::vector<std::uint32_t> watched_;  // nodes touched whose limits have to be looked at

  Impl() { queries.gather_new_trades(); }

  void begin(Seq seq, Nanos time, std::vector<AlertEvent>& events) {
    CHECK(seq == state.seq + 1, "seq %llu after %llu", static_cast<unsigned long long>(seq),
          static_cast<unsigned long long>(state.seq));
    CHECK(time >= state.time || state.seq == 0, "time runs backwards at seq %llu", static_cast<unsigned long long>(seq));
    const Nanos before = state.time;
    state.seq = seq;
    state.time = time;
    if (time != before) exposure.pass_time(before, time);  // the commands of a block have one time
    prices.pass_time();
    limits.escalate(events);
    look_at_touched(CauseOf{}, events);
    if (changes.wanted == 0) return;
    queries.pass_time();
    named.pass_time();
  }

  // How many there were of what reference data brings.
  struct Sizes {
    explicit Sizes(const Catalog& catalog)
        : nodes(catalog.nodes.size()), instruments(catalog.instruments.size()), currencies(catalog.currencies.size()) {}
    std::size_t nodes, instruments, currencies;
  };

  // What is new is a row of its own; when nothing is new, something known reads differently, and with it any row that shows it.
  void note_reference(const Command& command, Outcome outcome, const Sizes& before) {
    const Sizes now(state.catalog);
    for (auto id = before.nodes; id < now.nodes; ++id) {
      changes.note(Changes::Of::kNodes, static_cast<std::uint32_t>(id));
      changes.note(Changes::Of::kNewNodes, static_cast<std::uint32_t>(id));
    }
    for (auto id = before.instruments; id < now.instruments; ++id) {
      changes.note(Changes::Of::kInstruments, static_cast<std::uint32_t>(id));
    }
    for (auto id = before.currencies; id < now.currencies; ++id) changes.note(Changes::Of::kCurrencies, static_cast<std::uint32_t>(id));
    if (outcome != Outcome::kAccepted) return;
    const bool instrument = std::holds_alternative<Instrument>(command), other =
        std::holds_alternative<Book>(command) || std::holds_alternative<Trader>(command) || std::holds_alternative<Currency>(command) ||
        std::holds_alternative<Rename>(command);
    const bool any_new = now.nodes > before.nodes || now.instruments > before.instruments || now.currencies > before.currencies;
    if ((instrument && now.instruments == before.instruments) || (other && !any_new)) changes.reshaped = true;
  }

  // Whether the command is about something known, so that rows may read differently after it.
  bool may_reshape(const Command& command) const {
    const Catalog& catalog = state.catalog;
    if (const auto* one = std::get_if<Instrument>(&command)) return catalog.find_instrument(one->symbol) != kNoId;
    if (const auto* one = std::get_if<Book>(&command)) return catalog.find_node(NodeKind::kBook, one->name) != kNoId;
    if (const auto* one = std::get_if<Trader>(&command)) return catalog.find_node(NodeKind::kTrader, one->name) != kNoId;
    if (const auto* one = std::get_if<Currency>(&command)) return catalog.find_currency(one->code) != kNoId;
    return std::holds_alternative<Rename>(command);
  }

  // After everything: what the events of this command (those from `first` on) and the commands' parts noted goes to the queries.
  void settle_queries(const CauseOf& cause, std::vector<AlertEvent>& events, std::size_t first) {
    named.settle(cause, events);
    for (std::size_t i = first; i < events.size(); ++i) {
      changes.note(Changes::Of::kAlerts, static_cast<std::uint32_t>(events[i].alert_id - 1));
    }
    queries.settle();
    changes.clear();
  }

  void look_at_touched(const CauseOf& cause, std::vector<AlertEvent>& events) {
    changes.note_all(Changes::Of::kNodes, exposure.touched());
    for (const std::uint32_t node : exposure.touched()) {
      exposure.look_at_peak(node);
      if (state.catalog.nodes[node].watched && limits.may_change(node)) watched_.push_back(node);
    }
    exposure.clear_touched();
    if (watched_.size() > 1) std::sort(watched_.begin(), watched_.end());
    for (const std::uint32_t node : watched_) limits.look(node, cause, events);
    watched_.clear();
  }

  // One that was refused has no record and changed nothing: what happens with it is due to the time that passed.
  CauseOf cause_of(std::uint32_t trade) const {
    return trade == kNoId ? CauseOf{} : CauseOf{Cause::kTrade, trade, state.trades[trade].version, {}};
  }

  Applied apply(Seq seq, Nanos time, const Trade& trade, const TradeHint& hint, std::vector<AlertEvent>& events) {
    const std::size_t first_event = events.size();
    begin(seq, time, events);
    std::uint32_t record = kNoId;
    const Applied applied = state.catalog.has_firm() ? trades.apply(seq, time, trade, hint, record) : Applied{Outcome::kNoFirm};
    const CauseOf cause = cause_of(record);
    look_at_touched(cause, events);
    if (changes.wanted) settle_queries(cause, events, first_event);
    if (sessions.wants_outcome()) sessions.note(applied.outcome);
    return applied;
  }

  Applied apply(Seq seq, Nanos time, const TradeReport& report, std::vector<AlertEvent>& events) {
    const std::size_t first_event = events.size();
    begin(seq, time, events);
    std::uint32_t record = kNoId;
    const Applied applied = state.catalog.has_firm() ? reports.apply(seq, time, report, record) : Applied{Outcome::kNoFirm};
    const CauseOf cause = cause_of(record);
    look_at_touched(cause, events);
    if (changes.wanted) settle_queries(cause, events, first_event);
    if (sessions.wants_outcome()) sessions.note(applied.outcome);
    return applied;
  }

  Outcome apply_one(const Timer&, CauseOf&, std::vector<AlertEvent>&) { return Outcome::kAccepted; }
  Outcome apply_one(const Price& price, CauseOf& cause, std::vector<AlertEvent>&) {
    cause = {Cause::kPrice, kNoId, 0, price.instrument};
    return prices.apply(price);
  }
  Outcome apply_one(const FxRate& rate, CauseOf& cause, std::vector<AlertEvent>&) {
    cause = {Cause::kFx, kNoId, 0, rate.currency};
    if (changes.wants(Changes::Of::kCurrencies)) note(Changes::Of::kCurrencies, state.catalog.find_currency(rate.currency));
    return prices.apply(rate);
  }
  Outcome apply_one(const EndOfDay& end, CauseOf& cause, std::vector<AlertEvent>&) {
    cause.cause = Cause::kEndOfDay;
    if (!valid_date(end.date)) return Outcome::kOutOfRange;
    if (end.date <= state.catalog.end_of_day) return Outcome::kStale;
    state.catalog.end_of_day = end.date;
    for (std::uint32_t node = 0; node < state.catalog.nodes.size(); ++node) {
      exposure.begin_day(node);
    }
    return Outcome::kAccepted;
  }
  Outcome apply_one(const Limit& limit, CauseOf&, std::vector<AlertEvent>& events) {
    const Outcome outcome = limits.apply(limit, events);
    if (!changes.wants(Changes::Of::kLimits) && !changes.wants(Changes::Of::kAlerts)) return outcome;
    const std::uint32_t id = state.find_limit(limit.name);
    note(Changes::Of::kLimits, id);
    for (std::uint32_t alert = 0; alert < state.alerts.size(); ++alert) {
      if (state.alerts[alert].limit == id) changes.note(Changes::Of::kAlerts, alert);  // they show what the limit says
    }
    return outcome;
  }
  Outcome apply_one(const LimitRemove& remove, CauseOf&, std::vector<AlertEvent>& events) {
    if (changes.wants(Changes::Of::kLimits)) note(Changes::Of::kLimits, state.find_limit(remove.name));
    return limits.apply(remove, events);
  }
  void note(Changes::Of what, std::uint32_t row) {
    if (row != kNoId) changes.note(what, row);
  }
  Outcome apply_one(const AlertAck& ack, CauseOf&, std::vector<AlertEvent>& events) { return limits.apply(ack, events); }
  Outcome apply_one(const QueryCreate& create, CauseOf& cause, std::vector<AlertEvent>& events) {
    cause.cause = Cause::kQuery;
    return named.apply(create, events);
  }
  Outcome apply_one(const QueryDrop& drop, CauseOf& cause, std::vector<AlertEvent>& events) {
    cause.cause = Cause::kQuery;
    return named.apply(drop, events);
  }
  template <class ReferenceCommand>
  Outcome apply_one(const ReferenceCommand& command, CauseOf& cause, std::vector<AlertEvent>&) {
    cause.cause = Cause::kReference;
    return reference.apply(command);
  }
  Outcome apply_one(const Instrument& instrument, CauseOf& cause, std::vector<AlertEvent>&) {
    cause.cause = Cause::kReference;
    const Outcome outcome = reference.apply(instrument);
    if (outcome == Outcome::kAccepted) reports.release(state.seq, state.time, instrument.symbol);
    return outcome;
  }
  Outcome apply_one(const Rename& rename, CauseOf& cause, std::vector<AlertEvent>&) {
    cause.cause = Cause::kReference;
    const Outcome outcome = reference.apply(rename);
    if (outcome == Outcome::kAccepted && rename.kind == NodeKind::kInstrument) reports.release(state.seq, state.time, rename.to);
    return outcome;
  }
  Outcome apply_one(const FixReceived& received, CauseOf&, std::vector<AlertEvent>&) { return sessions.apply(received); }
  Outcome apply_one(const FixSent& sent, CauseOf&, std::vector<AlertEvent>&) { return sessions.apply(sent); }
  Outcome apply_one(const FixReserved& reserved, CauseOf&, std::vector<AlertEvent>&) { return sessions.apply(reserved); }
  Outcome apply_one(const FixReset& reset, CauseOf&, std::vector<AlertEvent>&) { return sessions.apply(reset); }

  static bool needs_firm(const Command& command) {
    return std::visit(
        [](const auto& one) {
          using One = std::decay_t<decltype(one)>;
          return !(std::is_same_v<One, Firm> || std::is_same_v<One, Timer> || std::is_same_v<One, FixReceived> ||
                   std::is_same_v<One, FixSent> || std::is_same_v<One, FixReserved> || std::is_same_v<One, FixReset>);
        },
        command);
  }

  Applied apply(Seq seq, Nanos time, const Command& command, std::vector<AlertEvent>& events) {
    if (const Trade* trade = std::get_if<Trade>(&command)) return apply(seq, time, *trade, trades.look_up(*trade), events);
    if (const TradeReport* report = std::get_if<TradeReport>(&command)) return apply(seq, time, *report, events);
    const std::size_t first_event = events.size();
    const Sizes before(state.catalog);
    begin(seq, time, events);
    if (changes.wanted && may_reshape(command)) {
      queries.settle_gathered();
      changes.before = std::make_shared<const State>(state);
    }
    const bool of_message = sessions.wants_outcome() && !std::holds_alternative<FixReceived>(command);
    CauseOf cause;
    const Outcome outcome = needs_firm(command) && !state.catalog.has_firm() ? Outcome::kNoFirm : std::visit(
        [&](const auto& one) {
          using One = std::decay_t<decltype(one)>;
          if constexpr (std::is_same_v<One, Trade> || std::is_same_v<One, TradeReport>) {
            return Outcome::kNone;  // taken above
          } else {
            return apply_one(one, cause, events);
          }
        },
        command);
    look_at_touched(cause, events);
    if (changes.wanted) {
      note_reference(command, outcome, before);
      settle_queries(cause, events, first_event);
    }
    if (of_message) sessions.note(outcome);
    return {outcome};
  }
};

Engine::Engine() : impl_(std::make_unique<Impl>()) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::resume(const State& books) {
  auto engine = std::make_unique<Engine>();
  Impl& parts = *engine->impl_;
  parts.state = books;
  CHECK(parts.state.has_trade_index(), "books without an index of trades");
  parts.exposure.resume();
  parts.prices.resume();
  if (Status status = parts.limits.resume(); !status.ok()) return status;
  if (Status status = parts.named.resume(); !status.ok()) return status;
  return engine;
}

Applied Engine::apply(Seq seq, Nanos time, const Command& command, std::vector<AlertEvent>& events) {
  return impl_->apply(seq, time, command, events);
}

Applied Engine::apply(Seq seq, Nanos time, const Trade& trade, std::vector<AlertEvent>& events) {
  return impl_->apply(seq, time, trade, impl_->trades.look_up(trade), events);
}

Applied Engine::apply(Seq seq, Nanos time, const Trade& trade, const TradeHint& hint, std::vector<AlertEvent>& events) {
  return impl_->apply(seq, time, trade, hint, events);
}

Applied Engine::apply(Seq seq, Nanos time, CommandType type, std::span<const std::byte> payload,
                      std::vector<AlertEvent>& events) {
  if (type == CommandType::kTrade) {
    Trade trade;
    CHECK(decode_trade(payload, trade), "the record at seq %llu is no trade", static_cast<unsigned long long>(seq));
    return apply(seq, time, trade, events);
  }
  Command command;
  CHECK(decode(type, payload, command), "the record at seq %llu is no command of type %u", static_cast<unsigned long long>(seq),
        static_cast<unsigned>(type));
  return impl_->apply(seq, time, command, events);
}

TradeHint Engine::look_up(const Trade& trade) { return impl_->trades.look_up(trade); }
void Engine::fetch(TradeHint& hint) const { impl_->trades.fetch(hint); }
void Engine::fetch_sums(const TradeHint& hint) const { impl_->trades.fetch_sums(hint); }

std::vector<RefusedRelease> Engine::take_refused_releases() { return impl_->reports.take_refused(); }

std::vector<std::string> Engine::take_dropped_queries() { return impl_->named.take_dropped(); }

Result<NamedQuery> Engine::named_query(std::string_view name) const {
  const State& state = impl_->state;
  const std::uint32_t id = state.find_query(name);
  if (id == kNoId) {
    return Status(Code::kNotFound, "there is no query \"" + std::string(name) + "\" (SHOW QUERIES lists those there are)");
  }
  const QueryRecord& query = state.queries[id];
  const CowText& text = state.catalog.text;
  if (const std::string_view failure = text[query.failure]; !failure.empty()) {
    return Status(Code::kFailedPrecondition, "the query \"" + std::string(name) + "\" has ended: " + std::string(failure));
  }
  return NamedQuery{std::string(text[query.sql]), query.created_seq};
}

Seq Engine::last_seq() const { return impl_->state.seq; }
Nanos Engine::last_time() const { return impl_->state.time; }
std::uint64_t Engine::last_event_id() const { return impl_->state.events.size(); }

Nanos Engine::deadline() const {
  return std::min({impl_->exposure.rate_deadline(impl_->state.time), impl_->prices.stale_deadline(),
                   impl_->limits.escalation_deadline(), impl_->queries.deadline(), impl_->named.deadline()});
}

queries::LiveQueries& Engine::queries() { return impl_->queries; }

StateCounts Engine::counts() const { return views::counts(impl_->state); }

Snapshot Engine::snapshot() { return std::make_shared<const State>(impl_->state); }

Snapshot Engine::snapshot_without_index() {
  State& state = impl_->state;
  CowIndex index = std::exchange(state.trade_index, CowIndex());
  Snapshot books = snapshot();
  state.trade_index = std::move(index);
  return books;
}

}  // namespace halocline
