// What the journal says of FIX sessions: the number expected, the numbers used, which of our messages is where in the journal, and
// which messages still wait for their reply. docs/semantics.md, "FIX sessions".
#pragma once

#include "engine/state/state.h"

namespace halocline {

class SessionLedger {
 public:
  explicit SessionLedger(State& state) : state_(state) {}

  Outcome apply(const FixReceived& received);
  Outcome apply(const FixSent& sent);
  Outcome apply(const FixReserved& reserved);
  Outcome apply(const FixReset& reset);

  // Whether the next command belongs to a FIX message: then tell its outcome.
  bool wants_outcome() const { return state_.fix_pending.session != kNoId; }
  void note(Outcome outcome);

 private:
  std::uint32_t session_of(std::string_view name);  // made when new; kNoId: the table is full
  void add_unanswered(const FixPending& pending);
  void answered(std::uint32_t session, Seq seq);

  State& state_;
};

}  // namespace halocline
