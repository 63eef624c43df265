// A block on its way through the pipeline, and what waits for it. One fixed set of blocks goes round:
//
//   free ring -> sequencer (fills, journals) -> engine (applies) -> publisher (releases when durable) -> free ring
//
// At any time one thread owns a block; the rings pass it on. The exception: the journal reads `records` while the engine
// does, and nobody writes them then; the publisher keeps the block until its seq is durable, so it cannot be recycled earlier.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "command/port.h"
#include "engine/engine.h"
#include "engine/queries/live_queries.h"

namespace halocline {

struct AsideRound;
struct Feed;
struct Watch;

// The books wanted by who follows the journal: at the end of a block, when that is durable, without their index of trades. It is
// answered on the thread that releases.
struct BooksWish {
  std::function<void(const Result<Snapshot>&)> answer;
  Snapshot books;  // once the engine was there
};

// What travels through the queue from the callers of the Port to the sequencer: exactly one of the seven.
using Read = std::function<void(const Result<Snapshot>&)>;
using CountsRead = std::function<void(const Result<StateCounts>&)>;
struct Inbound {
  Submission submission;         // when count > 0
  Read read;                     // answered with the books, on a reader thread
  CountsRead counts;             // … with how much is in them, which costs no snapshot
  std::shared_ptr<Feed> follow;  // wants the alert events after its bookmark
  std::shared_ptr<Watch> watch;  // wants a query's answer, and what becomes of it
  std::shared_ptr<AsideRound> round;  // comes back to the engine (first_answers.h)
  std::shared_ptr<BooksWish> wish;
};

// A submission in a block: who gets which of the block's acknowledgements.
struct Waiting {
  std::shared_ptr<AckSink> sink;
  std::uint64_t token = 0;
  std::uint32_t count = 0;
  std::int64_t received = 0;  // monotonic ns
};

// What a block holds at most. A submission always fits into an empty block.
inline constexpr std::uint32_t kMaxBlockCommands = limits::kMaxSubmissionBytes / 8;
inline constexpr std::size_t kMaxBlockItems = 2'048;
inline constexpr std::size_t kMaxBlockWatches = 128;  // to begin one takes the engine some microseconds
static_assert(limits::kMaxSubmissionBytes <= limits::kMaxBlockBytes);

struct Block {
  Block() {
    records.reserve(limits::kMaxBlockBytes);
    waiting.reserve(kMaxBlockItems);
    acks.reserve(kMaxBlockCommands);
  }

  // By the sequencer.
  Seq first_seq = 0;
  Seq last_seq = 0;  // of a block without commands: the last seq before it
  Nanos time = 0;
  std::uint32_t count = 0;
  std::vector<std::byte> records;
  std::vector<Waiting> waiting;
  std::vector<Read> reads;
  std::vector<CountsRead> counts_reads;
  std::vector<std::shared_ptr<Feed>> follows;
  std::vector<std::shared_ptr<Watch>> watches;
  std::vector<std::shared_ptr<AsideRound>> rounds;
  std::vector<std::shared_ptr<BooksWish>> wishes;
  std::int64_t sequenced = 0;  // monotonic ns
  std::int64_t durable = 0;    // monotonic ns, written before durable_seq reaches last_seq

  // By the engine.
  std::vector<Acknowledgement> acks;
  std::vector<std::shared_ptr<const AlertEvent>> events;
  queries::ToldEvents query_events;
  std::vector<RefusedRelease> refused_releases;
  std::vector<std::string> dropped_queries;
  Snapshot books;                   // after the block; when reads or follows ask for it
  StateCounts counts;               // … when counts_reads do
  std::uint64_t last_event_id = 0;  // after the block

  // Whether anything but commands is in it.
  bool asks() const {
    return !reads.empty() || !counts_reads.empty() || !follows.empty() || !watches.empty() || !rounds.empty() || !wishes.empty();
  }

  void clear() {
    count = 0;
    records.clear(), waiting.clear(), reads.clear(), counts_reads.clear(), follows.clear(), watches.clear(), rounds.clear(),
        wishes.clear(), acks.clear(), events.clear(), refused_releases.clear(), dropped_queries.clear();
    query_events = {};
    books.reset();
  }
};

}  // namespace halocline
