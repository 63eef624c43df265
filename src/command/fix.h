// What the rooms tell each other about FIX sessions: which outcome a reply is about, what the journal knows of a session, how a session
// is doing, and the desk that knows the latter. docs/fix.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "command/command.h"
#include "command/outcome.h"

namespace halocline {

// The outcome that a reply to a message tells, when the message became several commands: the first that was refused, else the first
// parked, stale or duplicate one, in this order; else the first.
struct ToldOutcome {
  Outcome outcome = Outcome::kNone;
  std::uint16_t index = 0;  // of the command
};

// How much an outcome matters to the sender.
constexpr int weight_of(Outcome outcome) {
  if (is_refused(outcome)) return 5;
  if (outcome == Outcome::kParked) return 4;
  if (outcome == Outcome::kStale) return 3;
  if (outcome == Outcome::kDuplicate) return 2;
  return outcome == Outcome::kNone ? 0 : 1;
}

constexpr ToldOutcome worse(ToldOutcome told, Outcome outcome, std::uint16_t index) {
  return weight_of(outcome) > weight_of(told.outcome) ? ToldOutcome{outcome, index} : told;
}

// A message in the journal whose reply is not: the reply is still to be made.
struct FixUnanswered {
  Seq seq = 0;  // of its FixReceived
  std::uint32_t number = 0;
  std::uint16_t commands = 0;
  ToldOutcome told;
  std::vector<std::byte> records;  // the FixReceived and its commands, as the journal has them; empty when nothing is kept
};

// What the journal knows of a session.
struct FixLedgerRow {
  std::string session;
  std::uint32_t next_in = 1;   // the number expected
  std::uint32_t next_out = 1;  // numbers from here on were never used
  Nanos created = 0;           // when its numbers began at 1
  std::vector<FixUnanswered> unanswered;  // in the order of seq
};

struct FixLedger {
  std::vector<FixLedgerRow> sessions;
  // Trade reports that wait for their instrument; entered the books with it; were refused then.
  std::uint64_t parked = 0, released = 0, refused = 0;
  std::vector<std::pair<std::string, std::uint64_t>> parked_for;  // instruments and how many wait; the most, most first
};

// An application message of ours, for a resend.
struct FixSentRow {
  std::uint32_t number = 0;
  std::string message;
};

// How a session is doing.
struct FixSessionRow {
  std::string name, begin_string, our_comp_id, their_comp_id, source;
  std::string state;    // "logged on", "connected", "disconnected", "out of schedule"
  std::string address;  // of the counterparty, while connected
  bool tls = false;
  std::uint32_t next_in = 1, durable_in = 1, next_out = 1;  // expected, expected after a crash now, next of ours
  std::uint64_t received = 0, sent = 0, rejected = 0, ignored = 0, garbled = 0;  // messages since the start
  double received_per_second = 0;  // over the last seconds
  std::uint64_t unanswered = 0;    // messages whose reply is under way
  std::uint64_t in_flight = 0;     // messages that are not durable yet
  std::vector<std::pair<std::string, std::uint64_t>> by_type;
  Nanos last_received = 0;
  std::string last_error;
  Nanos last_error_time = 0;
};

// Who runs the sessions. Any thread.
class FixDesk {
 public:
  virtual ~FixDesk() = default;
  virtual std::vector<FixSessionRow> sessions() = 0;
  // Logs the session out and starts both numbers at 1; done when that is durable. kNotFound: no such session.
  virtual void reset(const std::string& session, std::function<void(const Status&)> done) = 0;
};

}  // namespace halocline
