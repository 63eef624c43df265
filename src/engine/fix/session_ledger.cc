#include "engine/fix/session_ledger.h"

#include <algorithm>

#include "base/hash.h"

namespace halocline {

std::uint32_t SessionLedger::session_of(std::string_view name) {
  std::uint32_t id = state_.find_fix_session(name);
  if (id != kNoId) return id;
  if (state_.fix_sessions.size() >= limits::kMaxFixSessions || !state_.trade_text.has_room(name.size())) return kNoId;
  id = static_cast<std::uint32_t>(state_.fix_sessions.size());
  state_.fix_sessions.push_back({state_.trade_text.add(name), 1, 1, 0, kNoId, kNoId, kNoId, state_.time});
  state_.fix_session_index.insert(hash_bytes(name), id);
  return id;
}

Outcome SessionLedger::apply(const FixReceived& received) {
  state_.fix_pending = {};
  if (!valid_name(received.session)) return Outcome::kInvalidName;
  if (received.number == 0 || received.number > limits::kMaxFixNumber) return Outcome::kOutOfRange;
  const std::uint32_t id = session_of(received.session);
  if (id == kNoId) return Outcome::kTooMany;
  if (received.number < state_.fix_sessions[id].next_in) return Outcome::kStale;
  state_.fix_sessions.write(id).next_in = received.number + 1;
  if (received.commands > 0 && received.reply != FixReply::kNone) {
    state_.fix_pending = {id, received.number, received.commands, 0, received.reply, {}, state_.seq};
  }
  return Outcome::kAccepted;
}

void SessionLedger::note(Outcome outcome) {
  FixPending& pending = state_.fix_pending;
  pending.told = worse(pending.told, outcome, pending.applied);
  if (++pending.applied < pending.commands) return;
  if (pending.reply == FixReply::kAlways || is_refused(pending.told.outcome)) add_unanswered(pending);
  pending = {};
}

Outcome SessionLedger::apply(const FixSent& sent) {
  if (!valid_name(sent.session)) return Outcome::kInvalidName;
  if (sent.number == 0 || sent.number > limits::kMaxFixNumber) return Outcome::kOutOfRange;
  const std::uint32_t id = session_of(sent.session);
  if (id == kNoId || state_.fix_sent.size() >= limits::kMaxTrades) return Outcome::kTooMany;
  if (sent.number <= state_.fix_sessions[id].last_sent) return Outcome::kStale;
  FixSessionRecord& session = state_.fix_sessions.write(id);
  const auto record = static_cast<std::uint32_t>(state_.fix_sent.size());
  state_.fix_sent.push_back({id, sent.number, session.newest_sent, state_.seq});
  session.newest_sent = record;
  session.last_sent = sent.number;
  session.next_out = std::max(session.next_out, sent.number + 1);
  if (sent.answers != 0) answered(id, sent.answers);
  return Outcome::kAccepted;
}

Outcome SessionLedger::apply(const FixReserved& reserved) {
  if (!valid_name(reserved.session)) return Outcome::kInvalidName;
  if (reserved.number == 0 || reserved.number > limits::kMaxFixNumber) return Outcome::kOutOfRange;
  const std::uint32_t id = session_of(reserved.session);
  if (id == kNoId) return Outcome::kTooMany;
  if (reserved.number <= state_.fix_sessions[id].last_sent) return Outcome::kStale;
  state_.fix_sessions.write(id).next_out = reserved.number;
  return Outcome::kAccepted;
}

Outcome SessionLedger::apply(const FixReset& reset) {
  if (!valid_name(reset.session)) return Outcome::kInvalidName;
  const std::uint32_t id = session_of(reset.session);
  if (id == kNoId) return Outcome::kTooMany;
  FixSessionRecord& session = state_.fix_sessions.write(id);
  session.next_in = session.next_out = 1;
  session.last_sent = 0;
  session.newest_sent = kNoId;
  session.created = state_.time;
  return Outcome::kAccepted;
}

void SessionLedger::add_unanswered(const FixPending& pending) {
  std::uint32_t id = state_.free_unanswered;
  if (id != kNoId) {
    state_.free_unanswered = state_.fix_unanswered[id].next;
  } else {
    if (state_.fix_unanswered.size() >= limits::kMaxFixUnanswered) return;
    id = static_cast<std::uint32_t>(state_.fix_unanswered.size());
    state_.fix_unanswered.push_back({});
  }
  FixSessionRecord& session = state_.fix_sessions.write(pending.session);
  state_.fix_unanswered.write(id) = {pending.session, pending.number, kNoId,       session.last_unanswered,
                                     pending.commands, pending.told,  pending.seq};
  (session.last_unanswered == kNoId ? session.first_unanswered : state_.fix_unanswered.write(session.last_unanswered).next) = id;
  session.last_unanswered = id;
}

// Replies come nearly in order, so the message is near the beginning.
void SessionLedger::answered(std::uint32_t session_id, Seq seq) {
  std::uint32_t id = state_.fix_sessions[session_id].first_unanswered;
  while (id != kNoId && state_.fix_unanswered[id].seq != seq) id = state_.fix_unanswered[id].next;
  if (id == kNoId) return;
  FixSessionRecord& session = state_.fix_sessions.write(session_id);
  const UnansweredRecord gone = state_.fix_unanswered[id];
  (gone.previous == kNoId ? session.first_unanswered : state_.fix_unanswered.write(gone.previous).next) = gone.next;
  (gone.next == kNoId ? session.last_unanswered : state_.fix_unanswered.write(gone.next).previous) = gone.previous;
  UnansweredRecord& place = state_.fix_unanswered.write(id);
  place = {};
  place.session = kNoId;
  place.next = state_.free_unanswered;
  state_.free_unanswered = id;
}

}  // namespace halocline
