// Writes the steps of alerts into the books, whoever raises them: limits (limit_watch.h) or queries (queries/named_queries.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/state/state.h"

namespace halocline {

// The command an event is due to.
struct CauseOf {
  Cause cause = Cause::kTimer;
  std::uint32_t trade = kNoId;  // TRADE: its record
  std::uint32_t version = 0;
  std::string_view name;        // PRICE: the instrument; FX: the currency
};

// What the measure read at a step of a limit's alert; nothing of a query's.
struct Reading {
  Int128 value = 0;
  Int128 threshold = 0;
};

// A new alert, open, of no level yet; its id. The first step is to follow. `alert` says whose it is.
std::uint64_t open_alert(State& state, AlertRecord alert);
// It is over; its last step is to follow.
void close_alert(State& state, std::uint64_t alert_id);
// The next event: what the alert's record says now.
void append_step(State& state, std::uint64_t alert_id, AlertStep step, AlertReason reason, const Reading& reading,
                 const CauseOf& cause, std::vector<AlertEvent>& events);

}  // namespace halocline
