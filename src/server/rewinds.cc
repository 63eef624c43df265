#include "server/rewinds.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/background_thread.h"
#include "base/civil_time.h"
#include "base/log.h"
#include "engine/effective.h"
#include "engine/queries/live_queries.h"
#include "engine/views.h"
#include "journal/recovery.h"
#include "server/apply_records.h"
#include "server/checkpoints.h"

namespace halocline {
namespace {

constexpr int kNiceness = 10;
// A state so many seqs before the wanted one is kept too: who looks at an instant looks at those before it next.
constexpr Seq kBefore = 50'000;

// To load a checkpoint takes about as long as to apply one in so many of the commands it holds.
constexpr Seq kLoadedAtOnce = 5;

Status going_down() { return Status(Code::kUnavailable, "the server is shutting down; reconnect later"); }

}  // namespace

void Rewinds::find(const Instant& instant, const Snapshot& books, Answer answer) {
  const Seq newest = views::seq_of(*books);
  const Nanos newest_time = views::time_of(*books);
  if (instant.seq && *instant.seq > newest) {
    return answer(Status(Code::kOutOfRange, "seq " + std::to_string(*instant.seq) + " is in the future; the newest is " +
                                                std::to_string(newest)));
  }
  const bool is_newest = instant.is_now() || (instant.seq ? *instant.seq == newest : newest != 0 && newest_time <= *instant.time);
  if (is_newest && !instant.effective) return answer(BooksThen{books, instant.time.value_or(newest_time)});
  if (!journal_.kept()) {
    return answer(Status(Code::kOutOfRange, "the server keeps no journal (journal.durability `memory`): only the present can be asked"));
  }
  std::unique_lock lock(mutex_);
  if (stopping_ || waiting_.size() >= options_.waiting) {
    const bool full = !stopping_;
    lock.unlock();
    if (!full) return answer(going_down());
    counters_.add("rewinds_refused", 1);
    return answer(Status(Code::kResourceExhausted, "already " + std::to_string(options_.waiting) +
                                                       " reads of the past wait (rewind.waiting); try again"));
  }
  waiting_.push_back({instant, newest, is_newest ? books : nullptr, std::move(answer)});
  if (waiting_.size() > idle_ && threads_.size() < options_.threads) threads_.emplace_back([this] { work(); });
  changed_.notify_one();
}

void Rewinds::work() {
  work_in_background("rewind", kNiceness);
  while (true) {
    std::unique_lock lock(mutex_);
    ++idle_;
    changed_.wait(lock, [&] { return !waiting_.empty() || stopping_; });
    --idle_;
    if (stopping_) return;
    const Wanted wanted = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    wanted.answer(rewind(wanted));
  }
}

Result<BooksThen> Rewinds::rewind(const Wanted& wanted) {
  counters_.add("rewinds", 1);
  const Result<Snapshot> known = known_at(wanted);
  if (!known.ok()) return known.status();
  if (!wanted.instant.effective) return BooksThen{known.value(), wanted.instant.time.value_or(views::time_of(*known.value()))};
  const Result<Snapshot> effective = effective_at(*wanted.instant.effective, known.value());
  if (!effective.ok()) return effective.status();
  return BooksThen{effective.value(), *wanted.instant.effective};
}

Result<Snapshot> Rewinds::known_at(const Wanted& wanted) {
  if (wanted.known != nullptr) return wanted.known;
  Seq seq = wanted.instant.seq.value_or(0);
  if (wanted.instant.time) {
    const Result<Seq> last = journal_.last_seq_until(*wanted.instant.time, wanted.newest);
    if (!last.ok()) return last.status();
    if (last.value() == 0) return Status(Code::kOutOfRange, instant_text(*wanted.instant.time) + " is before the first command");
    seq = last.value();
  }
  return books_at(seq, wanted.newest);
}

Result<Snapshot> Rewinds::effective_at(Nanos time, Snapshot known) {
  const Seq seq = views::seq_of(*known);
  if (Snapshot kept = states_.effective(time, seq); kept != nullptr) return kept;
  Snapshot then = known;
  if (views::time_of(*known) > time) {
    const Result<Seq> last = journal_.last_seq_until(time, seq);
    if (!last.ok()) return last.status();
    Result<Snapshot> books = last.value() == 0 ? Engine().snapshot() : books_at(last.value(), seq);
    if (!books.ok()) return books.status();
    then = books.take();
  }
  Result<Snapshot> books = effective_books(*then, *known, time);
  if (books.ok()) states_.add_effective(time, books.value());
  return books;
}

Snapshot Rewinds::base_of(Seq seq) {
  Snapshot base = states_.before(seq);
  const Seq from = base == nullptr ? 0 : views::seq_of(*base);
  if (checkpoints_.empty()) return base;
  const Result<std::vector<Seq>> seqs = list_checkpoints(*journal_.disk, checkpoints_);
  const bool nearer = seqs.ok() && std::any_of(seqs.value().begin(), seqs.value().end(),
                                               [&](Seq one) { return one <= seq && one > from + one / kLoadedAtOnce; });
  if (!nearer) return base;
  const Result<JournalId> journal = journal_id(*journal_.disk, journal_.directory);
  if (!journal.ok()) return base;
  const std::optional<LoadedCheckpoint> loaded = newest_checkpoint(*journal_.disk, checkpoints_, journal.value(), seq);
  return loaded && loaded->header.seq > from ? loaded->books : base;
}

Result<Snapshot> Rewinds::books_at(Seq seq, Seq newest) {
  Snapshot base = base_of(seq);
  if (base != nullptr && views::seq_of(*base) == seq) return base;
  std::unique_ptr<Engine> engine = std::make_unique<Engine>();
  if (base != nullptr) {
    Result<std::unique_ptr<Engine>> resumed = Engine::resume(*base);
    if (!resumed.ok()) return resumed.status();
    engine = resumed.take();
    base.reset();
  }
  Result<std::unique_ptr<JournalReader>> reader = journal_.open(engine->last_seq() + 1);
  if (!reader.ok()) return reader.status();
  reader.value()->stop_after(newest);
  Seq on_the_way = engine->last_seq() + 2 * kBefore < seq ? seq - kBefore : seq;  // to keep a state of; the wanted one is kept anyway
  const Status applied = apply_journal(*engine, *reader.value(), seq, [&] {
    if (engine->last_seq() >= on_the_way && engine->last_seq() < seq) {
      states_.add(engine->snapshot());
      on_the_way = seq;
    }
    return !stopping();
  });
  if (!applied.ok()) return applied;
  if (engine->last_seq() < seq) return going_down();
  Snapshot books = engine->snapshot();
  states_.add(books);
  return books;
}

bool Rewinds::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Rewinds::stop() {
  std::deque<Wanted> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting.swap(waiting_);
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (const Wanted& wanted : waiting) wanted.answer(going_down());
}

}  // namespace halocline
