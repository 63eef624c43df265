// The engine: state as a pure function of the ordered commands, rules in docs/semantics.md. No clock, no I/O, no
// threads, no random: tests drive it with literal commands and read literal effects.
//
//   Engine engine;
//   std::vector<AlertEvent> events;
//   Applied applied = engine.apply(seq, time, command, events);
//   Snapshot books = engine.snapshot();          // hand it to any thread
//   std::vector<PositionRow> rows = views::positions(*books, {});   // engine/views.h
//
// One thread owns an Engine. A Snapshot is immutable and may be read and dropped by any thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "command/alert.h"
#include "command/command.h"
#include "command/outcome.h"

namespace halocline {

class State;
namespace queries {
class LiveQueries;
}
// The books at one seq.
using Snapshot = std::shared_ptr<const State>;

struct Applied {
  Outcome outcome = Outcome::kNone;
  Seq first_seq = 0;  // for DUPLICATE
};

// A parked trade report that was refused when its instrument came.
struct RefusedRelease {
  std::string source, trade_id, instrument;
  Outcome outcome = Outcome::kNone;
};

// A query as CREATE made it.
struct NamedQuery {
  std::string sql;
  Seq created = 0;
};

// How much there is, at a seq.
struct StateCounts {
  Seq seq = 0;
  Nanos time = 0;
  std::uint64_t trades = 0;       // keys known, cancelled ones and tombstones included
  std::uint64_t live_trades = 0;
  std::uint64_t nodes = 0, instruments = 0, limits = 0, active_alerts = 0;
  std::uint64_t last_event_id = 0;
};

// What was looked up of a trade ahead of its turn (engine/lookahead.h). Good for that trade whatever is applied in between: what
// may have become wrong is seen and looked up again. Ids of the state; ~0 where there is none.
struct TradeHint {
  std::uint64_t key_hash = 0;
  std::uint64_t names_version = 0;  // of the catalog when the four names were looked up
  std::uint32_t book = ~0u, trader = ~0u, counterparty = ~0u, instrument = ~0u;
  std::array<std::uint32_t, 5> nodes{};  // that hold the trade's positions, when all names are known
  std::array<std::uint32_t, 5> positions{~0u, ~0u, ~0u, ~0u, ~0u};
};

class Engine {
 public:
  Engine();
  ~Engine();
  // An engine that goes on from these books as the one did that they are of: the same commands give the same effects. Costs what there
  // is of positions, nodes and alerts, and working out the named queries. kDataLoss: these are not the books of any engine;
  // kResourceExhausted: a named query is beyond a bound.
  static Result<std::unique_ptr<Engine>> resume(const State& books);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Applies the next command. seq must be last_seq() + 1 and time not before last_time() (CHECKed). Alert events it
  // brings about are appended to `events`. Work is proportional to what changes.
  Applied apply(Seq seq, Nanos time, const Command& command, std::vector<AlertEvent>& events);
  // The same for a trade, without the variant: the hot path.
  Applied apply(Seq seq, Nanos time, const Trade& trade, std::vector<AlertEvent>& events);
  // The same for a record's payload as the journal keeps it. A payload that does not decode (only a damaged or
  // newer journal holds one) is CHECKed.
  Applied apply(Seq seq, Nanos time, CommandType type, std::span<const std::byte> payload,
                std::vector<AlertEvent>& events);

  // For trades some places ahead in a batch: look_up() finds the hash and the names and has the index fetched; fetch(), some
  // places later, finds the positions and has them and the nodes fetched; fetch_sums(), when these are there, the sums of which they are
  // part. None changes the books.
  TradeHint look_up(const Trade& trade);
  void fetch(TradeHint& hint) const;
  void fetch_sums(const TradeHint& hint) const;
  Applied apply(Seq seq, Nanos time, const Trade& trade, const TradeHint& hint, std::vector<AlertEvent>& events);

  // Since the last call, in order.
  std::vector<RefusedRelease> take_refused_releases();

  // The names of queries that were dropped, since the last call.
  std::vector<std::string> take_dropped_queries();
  // kNotFound: there is none of that name now; kFailedPrecondition: it went beyond a bound, and the message says which.
  Result<NamedQuery> named_query(std::string_view name) const;

  // The continuous queries that are watched (engine/queries/live_queries.h). They are no part of the books: no command or digest depends
  // on them. Those that raise alerts are, and are kept apart (engine/queries/named_queries.h).
  queries::LiveQueries& queries();

  Seq last_seq() const;
  Nanos last_time() const;
  std::uint64_t last_event_id() const;
  // Costs next to nothing, now and later, unlike a snapshot.
  StateCounts counts() const;

  // When time must pass for something to happen (a rate window to move on, a price to become stale, an alert to
  // escalate, a row to leave a continuous query): a Timer command is due at or after it. INT64_MAX when nothing waits.
  Nanos deadline() const;

  // The books as they are now. Costs O(chunks / 256); later writes copy the chunks they touch, once a snapshot.
  Snapshot snapshot();
  // The same but for the index of trades by their keys, which is most of what later writes would copy: each new trade touches another
  // chunk of it. For who goes through the books and looks no trade up; resume() needs it (engine/running_index.h).
  Snapshot snapshot_without_index();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halocline
