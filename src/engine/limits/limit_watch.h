// Limits and the alerts they raise: which limit holds for which node, levels with hysteresis, the life of alerts.
// docs/semantics.md, "Limits" and "Alerts". Looking at a node costs its own limits only.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "base/status.h"
#include "command/outcome.h"
#include "engine/limits/alert_log.h"
#include "engine/risk/exposure.h"
#include "engine/state/state.h"

namespace halocline {

class LimitWatch {
 public:
  LimitWatch(State& state, Exposure& exposure) : state_(state), exposure_(exposure) {}

  // The state came from elsewhere: works out which limits hold where, at which levels they stand, and what is to escalate.
  // kDataLoss: an alert is open of a limit that does not hold there.
  Status resume();

  // A node was added: templates of its kind hold for it.
  void node_added(std::uint32_t node);

  Outcome apply(const Limit& limit, std::vector<AlertEvent>& events);
  Outcome apply(const LimitRemove& remove, std::vector<AlertEvent>& events);
  Outcome apply(const AlertAck& ack, std::vector<AlertEvent>& events);

  // Whether a limit that holds for the node may have come to another level. look() then looks at all of them.
  bool may_change(std::uint32_t node) const;
  void look(std::uint32_t node, const CauseOf& cause, std::vector<AlertEvent>& events);

  // Hard breaches unacknowledged for too long, due up to the state's time.
  void escalate(std::vector<AlertEvent>& events);
  // When the next may be due, INT64_MAX when none waits.
  Nanos escalation_deadline() const;

 private:
  // A limit that holds for a node.
  struct Watched {
    std::uint32_t limit;
    Measure measure;
    AlertLevel level;
    std::uint64_t alert;  // id of the open alert, 0 when there is none
    Int128 warn, breach, warn_clear, breach_clear;
    // An exposure need not be summed up again before it has moved as far as the nearest of these levels was when it was last.
    Moved far;
    bool far_known;
  };

  Watched watched_of(std::uint32_t limit) const;
  bool holds(std::uint32_t limit, std::uint32_t node) const;
  // Works out anew which limits hold for the node, looks at them, and clears the alerts of those that hold no longer.
  void watch_anew(std::uint32_t node, std::vector<AlertEvent>& events);
  void look_at(std::uint32_t node, Watched& watched, const CauseOf& cause, std::vector<AlertEvent>& events);
  void clear(std::uint32_t node, Watched& watched, AlertReason reason, const CauseOf& cause, std::vector<AlertEvent>& events);
  void for_each_node_of(const LimitRecord& limit, std::vector<AlertEvent>& events);
  Int128 value(std::uint32_t node, Measure measure);
  // Whether an exposure cannot have reached another level since it was last summed up.
  bool is_far(std::uint32_t node, const Watched& watched) const;
  void note_distance(std::uint32_t node, Watched& watched, Int128 value) const;
  void reach(std::uint64_t alert, AlertLevel level);
  void emit(std::uint64_t alert, AlertStep step, AlertReason reason, AlertLevel threshold_level, Int128 value,
            const CauseOf& cause, std::vector<AlertEvent>& events);

  struct Due {
    Nanos time;
    std::uint64_t alert;
    bool operator>(const Due& other) const { return time != other.time ? time > other.time : alert > other.alert; }
  };

  State& state_;
  Exposure& exposure_;
  std::vector<std::vector<Watched>> watched_;  // by node, in the order of limit id
  std::vector<std::uint32_t> live_limits_;     // ids, ascending
  std::priority_queue<Due, std::vector<Due>, std::greater<>> escalations_;
};

}  // namespace halocline
