#include "engine/limits/limit_watch.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/hash.h"

namespace halocline {
namespace {

Int128 clear_level(Int128 level, std::int64_t hysteresis) { return level - mul_scale(level, hysteresis); }

AlertLevel next_level(Int128 value, AlertLevel now, Int128 warn, Int128 breach, Int128 warn_clear, Int128 breach_clear) {
  if (value >= breach) return AlertLevel::kBreach;
  if (now == AlertLevel::kBreach && value > breach_clear) return AlertLevel::kBreach;
  if (warn == 0) return AlertLevel::kNone;
  if (value >= warn) return AlertLevel::kWarn;
  if (now >= AlertLevel::kWarn && value > warn_clear) return AlertLevel::kWarn;
  return AlertLevel::kNone;
}

// Those that are sums of converted buckets.
bool is_exposure(Measure measure) {
  return (measure >= Measure::kNet && measure <= Measure::kShort) || measure == Measure::kStale;
}

bool valid(const Limit& limit) {
  return limit.kind >= NodeKind::kFirm && limit.kind <= NodeKind::kCurrency && limit.measure >= Measure::kNet &&
         limit.measure <= Measure::kStale && limit.breach > 0 && limit.breach <= limits::kMaxLimitLevel && limit.warn >= 0 &&
         limit.warn <= limit.breach && limit.hysteresis >= 0 && limit.hysteresis < limits::kScale && limit.escalate_after >= 0;
}

}  // namespace

Outcome LimitWatch::apply(const Limit& limit, std::vector<AlertEvent>& events) {
  if (!valid_name(limit.name) || !valid_name(limit.node) || (!limit.owner.empty() && !valid_name(limit.owner))) {
    return Outcome::kInvalidName;
  }
  if (!valid(limit)) return Outcome::kInvalidLimit;
  const bool is_template = limit.node == "*";
  const std::uint32_t node = is_template ? kNoId : state_.catalog.find_node(limit.kind, limit.node);
  if (!is_template && node == kNoId) return Outcome::kUnknownNode;

  std::uint32_t id = state_.find_limit(limit.name);
  CowText& text = state_.catalog.text;
  if (id != kNoId) {
    const LimitRecord& known = state_.limits[id];
    if (known.kind != limit.kind || known.node != node || known.measure != limit.measure) return Outcome::kImmutableField;
    if (known.warn == limit.warn && known.breach == limit.breach && known.hysteresis == limit.hysteresis &&
        known.hard == limit.hard && known.escalate_after == limit.escalate_after && text[known.owner] == limit.owner) {
      return Outcome::kUnchanged;
    }
  } else if (state_.limits.size() >= limits::kMaxLimits) {
    return Outcome::kTooMany;
  } else {
    id = static_cast<std::uint32_t>(state_.limits.size());
    LimitRecord record{};
    record.name = text.add(limit.name);
    record.kind = limit.kind;
    record.measure = limit.measure;
    record.node = node;
    state_.limits.push_back(record);
    state_.limit_index.insert(hash_bytes(limit.name), id);
    live_limits_.push_back(id);
    ++state_.live_limits;
  }
  LimitRecord& record = state_.limits.write(id);
  if (text[record.owner] != limit.owner) record.owner = text.add(limit.owner);
  record.hard = limit.hard;
  record.warn = limit.warn;
  record.breach = limit.breach;
  record.hysteresis = limit.hysteresis;
  record.escalate_after = limit.escalate_after;
  for_each_node_of(record, events);
  return Outcome::kAccepted;
}

Outcome LimitWatch::apply(const LimitRemove& remove, std::vector<AlertEvent>& events) {
  const std::uint32_t id = state_.find_limit(remove.name);
  if (id == kNoId) return Outcome::kUnknownLimit;
  state_.limit_index.erase(hash_bytes(remove.name), id);
  std::erase(live_limits_, id);
  --state_.live_limits;
  LimitRecord& record = state_.limits.write(id);
  record.removed = true;
  for_each_node_of(record, events);
  return Outcome::kAccepted;
}

Outcome LimitWatch::apply(const AlertAck& ack, std::vector<AlertEvent>& events) {
  if (!valid_name(ack.by)) return Outcome::kInvalidName;
  if (ack.note.size() > limits::kMaxNote) return Outcome::kOutOfRange;
  if (ack.alert_id == 0 || ack.alert_id > state_.alerts.size()) return Outcome::kUnknownAlert;
  const AlertRecord& known = state_.alerts[ack.alert_id - 1];
  if (known.cleared) return Outcome::kAlertCleared;
  if (known.acknowledged) return Outcome::kAlreadyAcknowledged;
  const Text by = state_.catalog.text.add(ack.by);
  const Text note = state_.catalog.text.add(ack.note);
  AlertRecord& alert = state_.alerts.write(ack.alert_id - 1);
  alert.acknowledged = true;
  alert.by = by;
  alert.note = note;
  alert.escalation_due = 0;
  const CauseOf cause{Cause::kAck, kNoId, 0, {}};
  if (alert.limit == kNoId) {
    append_step(state_, ack.alert_id, AlertStep::kAcknowledged, AlertReason::kByUser, {}, cause, events);
  } else {
    emit(ack.alert_id, AlertStep::kAcknowledged, AlertReason::kByUser, alert.level, value(alert.node, state_.limits[alert.limit].measure),
         cause, events);
  }
  return Outcome::kAccepted;
}

void LimitWatch::for_each_node_of(const LimitRecord& limit, std::vector<AlertEvent>& events) {
  if (limit.node != kNoId) {
    watch_anew(limit.node, events);
    return;
  }
  const NodeKind kind = limit.kind;
  for (std::uint32_t node = 0; node < state_.catalog.nodes.size(); ++node) {
    if (state_.catalog.nodes[node].kind == kind) watch_anew(node, events);
  }
}

Status LimitWatch::resume() {
  for (std::uint32_t id = 0; id < state_.limits.size(); ++id) {
    if (!state_.limits[id].removed) live_limits_.push_back(id);
  }
  watched_.resize(state_.catalog.nodes.size());
  std::map<std::pair<NodeKind, Measure>, std::vector<std::uint32_t>> own;  // nodes with a limit of their own
  for (const std::uint32_t id : live_limits_) {
    const LimitRecord& limit = state_.limits[id];
    if (limit.node != kNoId) own[{limit.kind, limit.measure}].push_back(limit.node);
  }
  for (auto& [what, nodes] : own) std::sort(nodes.begin(), nodes.end());
  for (const std::uint32_t id : live_limits_) {
    const LimitRecord& limit = state_.limits[id];
    if (limit.node != kNoId) {
      watched_[limit.node].push_back(watched_of(id));
      continue;
    }
    const std::vector<std::uint32_t>& except = own[{limit.kind, limit.measure}];
    for (std::uint32_t node = 0; node < state_.catalog.nodes.size(); ++node) {
      const bool holds_for = state_.catalog.nodes[node].kind == limit.kind && !std::binary_search(except.begin(), except.end(), node);
      if (holds_for) watched_[node].push_back(watched_of(id));
    }
  }
  for (std::uint64_t id = 1; id <= state_.alerts.size(); ++id) {
    const AlertRecord& alert = state_.alerts[id - 1];
    if (alert.cleared || alert.limit == kNoId) continue;
    if (alert.escalation_due != 0) escalations_.push({alert.escalation_due, id});
    std::vector<Watched>& of_node = watched_[alert.node];
    const auto watched = std::find_if(of_node.begin(), of_node.end(), [&](const Watched& one) { return one.limit == alert.limit; });
    if (watched == of_node.end()) return Status(Code::kDataLoss, "alert " + std::to_string(id) + " is open, and its limit does not hold");
    watched->level = alert.level;
    watched->alert = id;
  }
  return ok_status();
}

void LimitWatch::node_added(std::uint32_t node) {
  watched_.resize(node + 1);
  for (const std::uint32_t limit : live_limits_) {
    if (holds(limit, node)) watched_[node].push_back(watched_of(limit));
  }
  state_.catalog.nodes.write(node).watched = !watched_[node].empty();
}

// A node's own limits, and the templates of its kind for measures no limit of its own watches.
bool LimitWatch::holds(std::uint32_t id, std::uint32_t node) const {
  const LimitRecord& limit = state_.limits[id];
  if (limit.removed || limit.kind != state_.catalog.nodes[node].kind) return false;
  if (limit.node != kNoId) return limit.node == node;
  return std::none_of(live_limits_.begin(), live_limits_.end(), [&](std::uint32_t other) {
    const LimitRecord& own = state_.limits[other];
    return own.node == node && own.measure == limit.measure;
  });
}

LimitWatch::Watched LimitWatch::watched_of(std::uint32_t id) const {
  const LimitRecord& limit = state_.limits[id];
  return {id,         limit.measure, AlertLevel::kNone,
          0,          limit.warn,    limit.breach,
          clear_level(limit.warn, limit.hysteresis), clear_level(limit.breach, limit.hysteresis),
          {},         false};
}

void LimitWatch::watch_anew(std::uint32_t node, std::vector<AlertEvent>& events) {
  const CauseOf cause{Cause::kLimit, kNoId, 0, {}};
  std::vector<Watched> before;
  before.swap(watched_[node]);
  auto old = before.begin();
  auto leave = [&](Watched& gone) {
    const bool removed = state_.limits[gone.limit].removed;
    clear(node, gone, removed ? AlertReason::kLimitRemoved : AlertReason::kOverridden, cause, events);
  };
  for (const std::uint32_t limit : live_limits_) {
    for (; old != before.end() && old->limit < limit; ++old) leave(*old);
    const bool was = old != before.end() && old->limit == limit;
    if (!holds(limit, node)) continue;  // a template that held is left in the next round
    Watched watched = watched_of(limit);
    if (was) {
      watched.level = old->level;
      watched.alert = old->alert;
      ++old;
    }
    look_at(node, watched, cause, events);
    watched_[node].push_back(watched);
  }
  for (; old != before.end(); ++old) leave(*old);
  state_.catalog.nodes.write(node).watched = !watched_[node].empty();
}

bool LimitWatch::may_change(std::uint32_t node) const {
  return std::ranges::any_of(watched_[node], [&](const Watched& watched) { return !is_far(node, watched); });
}

void LimitWatch::look(std::uint32_t node, const CauseOf& cause, std::vector<AlertEvent>& events) {
  for (Watched& watched : watched_[node]) look_at(node, watched, cause, events);
}

void LimitWatch::look_at(std::uint32_t node, Watched& watched, const CauseOf& cause, std::vector<AlertEvent>& events) {
  if (is_far(node, watched)) return;
  const Int128 now = value(node, watched.measure);
  note_distance(node, watched, now);
  const AlertLevel before = watched.level;
  const AlertLevel level =
      next_level(now, before, watched.warn, watched.breach, watched.warn_clear, watched.breach_clear);
  if (level == before) return;
  watched.level = level;
  if (before == AlertLevel::kNone) {
    AlertRecord alert{};
    alert.limit = watched.limit;
    alert.node = node;
    alert.query = kNoId;
    watched.alert = open_alert(state_, alert);
    reach(watched.alert, level);
    emit(watched.alert, AlertStep::kRaised, AlertReason::kLevel, level, now, cause, events);
    return;
  }
  reach(watched.alert, level);
  if (level == AlertLevel::kBreach) {
    emit(watched.alert, AlertStep::kEscalated, AlertReason::kLevel, level, now, cause, events);
  } else if (level == AlertLevel::kWarn) {
    emit(watched.alert, AlertStep::kEased, AlertReason::kLevel, level, now, cause, events);
  } else {
    close_alert(state_, watched.alert);
    emit(watched.alert, AlertStep::kCleared, AlertReason::kLevel, before, now, cause, events);
    watched.alert = 0;
  }
}

void LimitWatch::clear(std::uint32_t node, Watched& watched, AlertReason reason, const CauseOf& cause,
                       std::vector<AlertEvent>& events) {
  if (watched.alert == 0) return;
  const AlertLevel before = watched.level;
  reach(watched.alert, AlertLevel::kNone);
  close_alert(state_, watched.alert);
  emit(watched.alert, AlertStep::kCleared, reason, before, value(node, watched.measure), cause, events);
}

// Sets the alert's level; a breach newly reached is unacknowledged and starts its time to escalate.
void LimitWatch::reach(std::uint64_t id, AlertLevel level) {
  AlertRecord& alert = state_.alerts.write(id - 1);
  alert.level = level;
  alert.escalation_due = 0;
  if (level != AlertLevel::kBreach) return;
  alert.acknowledged = false;
  alert.by = alert.note = Text{};
  const LimitRecord& limit = state_.limits[alert.limit];
  if (!limit.hard || limit.escalate_after == 0) return;
  if (__builtin_add_overflow(state_.time, limit.escalate_after, &alert.escalation_due)) {
    alert.escalation_due = 0;  // beyond the end of time
    return;
  }
  escalations_.push({alert.escalation_due, id});
}

void LimitWatch::escalate(std::vector<AlertEvent>& events) {
  while (!escalations_.empty() && escalations_.top().time <= state_.time) {
    const Due due = escalations_.top();
    escalations_.pop();
    if (state_.alerts[due.alert - 1].escalation_due != due.time) continue;  // acknowledged or left since
    AlertRecord& alert = state_.alerts.write(due.alert - 1);
    alert.escalation_due = 0;
    emit(due.alert, AlertStep::kEscalated, AlertReason::kUnacknowledged, alert.level,
         value(alert.node, state_.limits[alert.limit].measure), CauseOf{}, events);
  }
}

Nanos LimitWatch::escalation_deadline() const {
  return escalations_.empty() ? std::numeric_limits<Nanos>::max() : escalations_.top().time;
}

bool LimitWatch::is_far(std::uint32_t node, const Watched& watched) const {
  return watched.far_known && exposure_.moved(node).is_before(watched.far);
}

void LimitWatch::note_distance(std::uint32_t node, Watched& watched, Int128 value) const {
  if (!is_exposure(watched.measure)) return;
  Int128 nearest = std::numeric_limits<std::int64_t>::max();
  for (const Int128 level : {watched.warn, watched.breach, watched.warn_clear, watched.breach_clear}) {
    nearest = std::min(nearest, level > value ? level - value : value - level);
  }
  watched.far = exposure_.moved(node);
  watched.far.distance += nearest;
  watched.far_known = true;
}

Int128 LimitWatch::value(std::uint32_t id, Measure measure) {
  const NodeRecord& node = state_.catalog.nodes[id];
  switch (measure) {
    case Measure::kNet: {
      const Money net = state_.in_firm_currency(id, &BucketRecord::net);
      return net < 0 ? -net : net;
    }
    case Measure::kGross: return state_.gross(id);
    case Measure::kLong: return state_.in_firm_currency(id, &BucketRecord::long_exposure);
    case Measure::kShort: return state_.in_firm_currency(id, &BucketRecord::short_exposure);
    case Measure::kDayLoss: return node.day_base - state_.total_pnl(id);
    case Measure::kTotalLoss: return -state_.total_pnl(id);
    case Measure::kDrawdown: return node.peak_pnl - (state_.total_pnl(id) - node.day_base);
    case Measure::kConcentration: return exposure_.concentration(id);
    case Measure::kLargestTrade: return node.largest_trade;
    case Measure::kTradeRate: return static_cast<Int128>(node.rate_sum) * limits::kScale;
    case Measure::kStale: return state_.in_firm_currency(id, &BucketRecord::stale);
  }
  CHECK(false, "measure %d", static_cast<int>(measure));
  return 0;
}

void LimitWatch::emit(std::uint64_t alert_id, AlertStep step, AlertReason reason, AlertLevel threshold_level, Int128 value,
                      const CauseOf& cause, std::vector<AlertEvent>& events) {
  const LimitRecord& limit = state_.limits[state_.alerts[alert_id - 1].limit];
  append_step(state_, alert_id, step, reason, {value, threshold_level == AlertLevel::kBreach ? limit.breach : limit.warn}, cause, events);
}

}  // namespace halocline
