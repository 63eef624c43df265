#include "engine/limits/alert_log.h"

namespace halocline {

std::uint64_t open_alert(State& state, AlertRecord alert) {
  alert.raised_seq = state.seq;
  alert.raised_time = state.time;
  state.alerts.push_back(alert);
  ++state.active_alerts;
  return state.alerts.size();
}

void close_alert(State& state, std::uint64_t alert_id) {
  AlertRecord& alert = state.alerts.write(alert_id - 1);
  alert.cleared = true;
  alert.level = AlertLevel::kNone;
  --state.active_alerts;
}

void append_step(State& state, std::uint64_t alert_id, AlertStep step, AlertReason reason, const Reading& reading,
                 const CauseOf& cause, std::vector<AlertEvent>& events) {
  const AlertRecord& seen = state.alerts[alert_id - 1];
  EventRecord event{};
  event.alert = alert_id;
  event.step = step;
  event.reason = reason;
  event.level = seen.level;
  event.cause = cause.cause;
  event.limit = seen.limit;
  event.node = seen.node;
  if (seen.limit != kNoId) {
    const LimitRecord& limit = state.limits[seen.limit];
    event.hard = limit.hard;
    event.node_name = state.catalog.nodes[seen.node].name;
    event.owner = limit.owner;
  }
  event.by = seen.by;
  event.note = seen.note;
  event.seq = state.seq;
  event.time = state.time;
  event.value = reading.value;
  event.threshold = reading.threshold;
  event.cause_id = cause.trade;
  event.cause_version = cause.version;
  event.cause_name = state.catalog.text.add(cause.name);
  state.events.push_back(event);
  state.alerts.write(alert_id - 1).last_event = state.events.size();
  events.push_back(event_of(state, state.events.size()));
}

}  // namespace halocline
