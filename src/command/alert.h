// Alerts and the events of their life: what subscribers receive. Rules in docs/semantics.md, "Limits" and "Alerts".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "command/command.h"

namespace halocline {

enum class AlertStep : std::uint8_t { kRaised = 1, kEscalated = 2, kEased = 3, kAcknowledged = 4, kCleared = 5 };
enum class AlertReason : std::uint8_t {
  kLevel = 1, kUnacknowledged = 2, kByUser = 3, kLimitRemoved = 4, kOverridden = 5,
  kRow = 6, kQueryDropped = 7, kQueryFailed = 8,  // of alerts that a query raises
};
// What kind of command brought an event about.
enum class Cause : std::uint8_t {
  kTrade = 1, kPrice = 2, kFx = 3, kTimer = 4, kReference = 5, kLimit = 6, kAck = 7, kEndOfDay = 8,
  kQuery = 9,
};

// One step of an alert. Complete in itself: names as they were at that seq. An alert is a limit's or a query's: of the latter limit, node,
// measure, value and threshold say nothing, and `row` is what its row read when it came, as a JSON object of texts by column.
struct AlertEvent {
  std::uint64_t event_id = 0;  // 1, 2, 3 … over all alerts: the bookmark of a subscriber
  std::uint64_t alert_id = 0;
  AlertStep step = AlertStep::kRaised;
  AlertReason reason = AlertReason::kLevel;
  Seq seq = 0;     // the command that caused it
  Nanos time = 0;  // that command's journal time
  std::string limit;
  std::string query;
  std::string row;
  NodeKind node_kind{};
  std::string node;
  Measure measure{};
  AlertLevel level = AlertLevel::kNone;  // after this step
  Int128 value = 0;                      // the measure then, e8
  Int128 threshold = 0;                  // the level's, e8; when cleared, the one it fell from
  bool hard = false;
  std::string owner;
  std::string by;    // who acknowledged, if somebody has
  std::string note;
  Cause cause = Cause::kTimer;
  std::string cause_source;    // TRADE: the trade's key and version
  std::string cause_trade_id;
  std::uint32_t cause_version = 0;
  std::string cause_name;      // PRICE: the instrument; FX: the currency
};

// An alert as it stands.
struct AlertRow {
  std::uint64_t alert_id = 0;
  std::string limit;
  std::string query;
  std::string row;
  NodeKind node_kind{};
  std::string node;
  Measure measure{};
  AlertLevel level = AlertLevel::kNone;
  bool hard = false;
  bool acknowledged = false;
  bool cleared = false;
  std::string owner;
  std::string by;
  std::string note;
  Int128 value = 0;      // at the last event
  Int128 threshold = 0;  // at the last event
  Seq raised_seq = 0;
  Nanos raised_time = 0;
  Seq last_seq = 0;
  Nanos last_time = 0;
  std::uint64_t last_event_id = 0;
};

std::string_view step_name(AlertStep step);       // "RAISED", …
std::string_view reason_name(AlertReason reason);  // "LEVEL", …
std::string_view cause_name(Cause cause);         // "TRADE", …

}  // namespace halocline
