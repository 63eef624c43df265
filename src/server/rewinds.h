// The books as they were: at the last seq at or before an instant, worked out from the journal by an engine aside, from the nearest state
// before it that is kept in memory or in a checkpoint; and what was effective at a time, as it is known at an instant, worked out from the
// books at both (engine/effective.h). On threads of low priority of its own; the running engine is not touched.
//
// Bounded: so many at work at a time, each with an engine of its own (the memory of the books as they were then); so many wait, more are
// refused; so many states are kept for those who ask for something near.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "server/instant.h"
#include "server/journal_files.h"
#include "server/metrics.h"
#include "server/rewound_states.h"

namespace halocline {

struct RewindOptions {
  std::size_t threads = 2;
  std::size_t waiting = 16;
  std::size_t states = 8;
  std::uint64_t bytes = 1u << 30;
};

// The books at an instant. `now` is the instant: a seq's time, or the time asked for, which is not before the books' own; of effective
// books the time at which they are.
struct BooksThen {
  Snapshot books;
  Nanos now = 0;
};

class Rewinds {
 public:
  using Answer = std::function<void(const Result<BooksThen>&)>;

  // `checkpoints`: the directory they are in, or empty.
  Rewinds(const RewindOptions& options, JournalFiles journal, std::string checkpoints, NamedCounters& counters)
      : options_(options), journal_(std::move(journal)), checkpoints_(std::move(checkpoints)), counters_(counters),
        states_(options.states, options.bytes) {}
  ~Rewinds() { stop(); }

  // Answers once, at once or on one of its threads: the books at the instant, not in the future; `books` are the books now, durable,
  // and hold all commands up to the instant. kOutOfRange: the seq is in the future, the instant is before the first command, or
  // the journal does not reach so far back; kResourceExhausted: too many wait; kUnavailable: stopping. Any thread.
  void find(const Instant& instant, const Snapshot& books, Answer answer);
  // Those under way and those that wait are told kUnavailable. The owner's thread; may be called twice.
  void stop();

 private:
  struct Wanted {
    Instant instant;
    Seq newest = 0;  // durable
    Snapshot known;  // the books at the instant, where they are not to be looked for
    Answer answer;
  };

  void work();
  Result<BooksThen> rewind(const Wanted& wanted);
  // The books at the instant; whether they were effective is another question.
  Result<Snapshot> known_at(const Wanted& wanted);
  Result<Snapshot> effective_at(Nanos time, Snapshot known);
  Result<Snapshot> books_at(Seq seq, Seq newest);
  // The nearest state at or before the seq that is worth going on from; nullptr: the journal's start.
  Snapshot base_of(Seq seq);
  bool stopping() const;

  const RewindOptions options_;
  const JournalFiles journal_;
  const std::string checkpoints_;
  NamedCounters& counters_;
  RewoundStates states_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Wanted> waiting_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // as many as were needed
};

}  // namespace halocline
