// Readers of a snapshot: rows, counts and the digest. Pure functions of the state, on any thread, beside the running
// engine. Positions whose split of P&L is out of date (a trade was amended or cancelled) are folded anew here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command/fix.h"
#include "command/rows.h"
#include "engine/engine.h"

namespace halocline {
class Splits;
struct PositionRecord;
struct TradeRecord;
}

namespace halocline::views {

Seq seq_of(const State& state);
Nanos time_of(const State& state);
StateCounts counts(const State& state);
// Memory of the books that the other ones (nullptr: none) do not share.
std::uint64_t bytes_apart(const State& state, const State* other);

// In the order of node id, then symbol.
std::vector<PositionRow> positions(const State& state, const PositionFilter& filter);
// In the order of node id.
std::vector<NodeRow> nodes(const State& state, const NodeFilter& filter);
std::vector<LimitRow> limits(const State& state);
std::vector<AlertRow> alerts(const State& state, const AlertFilter& filter);
ReferenceRows reference(const State& state);
// Of a position, one without a live trade included; `splits` is the state's (engine/figures.h).
PositionRow position_row(const State& state, const PositionRecord& position, Splits& splits);
// Of a trade that is not merged.
TradeRow trade_row(const State& state, const TradeRecord& record);
// By its own id, or that of any report that corrected it.
std::optional<TradeRow> trade(const State& state, std::string_view source, std::string_view trade_id);

// The journal's side of the FIX sessions, without the records of what is unanswered.
FixLedger fix_ledger(const State& state);
// Which of a session's numbers from..to are in the journal, and where: in the order of number, at most `most`.
struct SentAt {
  std::uint32_t number;
  Seq seq;
};
std::vector<SentAt> fix_sent(const State& state, std::string_view session, std::uint32_t from, std::uint32_t to, std::size_t most);

// The events with an id above `after`, oldest first, at most `most`. All events since the beginning are kept.
std::vector<AlertEvent> alert_events(const State& state, std::uint64_t after, std::size_t most);

// The lines of docs/semantics.md, "Digest", one after the other; for tests and for finding a difference.
void digest_lines(const State& state, void (*line)(void* context, std::string_view text), void* context);
// SHA-256 over them, the trades' by way of their blocks, in hex. engine/running_digest.h gives it again and again.
// `between`, if there is one, is called after each two thousand trades or so, for whoever has to let others work.
std::string state_digest(const State& state, void (*between)() = nullptr);
// The same over the lines of sections 5 (trades) and 6 (positions) alone, without seqs: what the same trades come to, however they came.
std::string trades_digest(const State& state);

// The firm and its currency, empty before the Firm command.
std::string_view firm_name(const State& state);
std::string_view firm_currency(const State& state);

}  // namespace halocline::views
