#include "server/history.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/background_thread.h"
#include "base/log.h"
#include "engine/views.h"
#include "history/tables/follower_state.h"
#include "journal/checkpoint_file.h"
#include "journal/recovery.h"
#include "server/apply_records.h"
#include "server/checkpoints.h"
#include "server/commit_schedule.h"

namespace halocline {
namespace {

constexpr int kCatchUpPart = 2;                         // of the interval: no longer is read on when a commit is due
constexpr int kLooksPerCommit = 10;                     // at the journal, so that the work comes in small pieces
constexpr std::int64_t kSecond = 1'000'000'000;         // ns
constexpr std::int64_t kRetryAfter = kSecond;
constexpr std::int64_t kTellAgainAfter = 60 * kSecond;  // of a failure that goes on
constexpr std::int64_t kOrphanInterval = 3'600'000'000'000;  // ns
constexpr std::size_t kStatesKept = 2;
constexpr int kNiceness = 5, kUpkeepNiceness = 19;
constexpr Seq kNearPart = 10;  // of what it may be behind the engine at most: no farther behind, and the engine's books will do again
constexpr std::uint64_t kTradesPerCommand = 4;  // as for checkpoints: what they cost a command does not grow with the books

}  // namespace

History::History(Disk& disk, const Clock& clock, Lake& lake, Core& core, HistoryOptions options)
    : disk_(disk), clock_(clock), lake_(lake), core_(core), options_(std::move(options)) {}

History::~History() { stop(); }

void History::start() {
  thread_ = std::thread([this] { run(); });
  if (options_.upkeep_interval > 0) upkeep_thread_ = std::thread([this] { look_after(); });
}

void History::stop() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ending_.notify_all();
  for (std::thread* thread : {&upkeep_thread_, &thread_}) {
    if (thread->joinable()) thread->join();
  }
}

bool History::wait(std::int64_t nanoseconds) {
  std::unique_lock lock(mutex_);
  ending_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), [this] { return end_ || (offered_.has_value() && !taken_); });
  return !end_;
}

bool History::rest(std::int64_t nanoseconds) {
  std::unique_lock lock(mutex_);
  return !ending_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), [this] { return end_; });
}

Status History::offer(Rewrite rewrite) {
  std::unique_lock lock(mutex_);
  offered_ = std::move(rewrite);
  answer_.reset(), taken_ = false;
  ending_.notify_all();
  ending_.wait(lock, [this] { return answer_.has_value() || (end_ && !taken_); });
  const Status answer = answer_.value_or(Status(Code::kFailedPrecondition, "the history ends"));
  if (!answer.ok() && answer.code() != Code::kUnavailable) discard(lake_.warehouse(), *offered_);
  offered_.reset();
  return answer;
}

void History::take_offer() {
  {
    const std::lock_guard lock(mutex_);
    if (!offered_.has_value() || taken_ || end_) return;
    taken_ = true;
  }
  Status answer = follower_ == nullptr ? Status(Code::kFailedPrecondition, "the tables are not open") : follower_->replace(*offered_);
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
  ending_.notify_all();
}

Result<bool> History::commit_of(Result<std::optional<Rewrite>> made) {
  if (!made.ok()) return made.status();
  if (!made.value().has_value()) return false;
  const Status committed = offer(std::move(*made.value()));
  // The table moved on, or rows come first: another time.
  if (committed.code() == Code::kFailedPrecondition || committed.code() == Code::kResourceExhausted) return false;
  if (!committed.ok()) return committed;
  core_.count("history_rewrites", 1);
  return true;
}

Status History::round(Upkeep& upkeep, bool orphans) {
  for (const TableDefinition& table : Follower::definitions()) {
    for (bool more = true; more;) {
      Result<bool> done = commit_of(upkeep.compact(table));
      if (!done.ok()) return done.status();
      more = done.value();
      if (!rest(0)) return ok_status();
    }
    if (const Result<bool> ordered = commit_of(upkeep.order_manifests(table)); !ordered.ok()) return ordered.status();
    if (const Status expired = upkeep.expire(table); !expired.ok() && expired.code() != Code::kFailedPrecondition) return expired;
    if (orphans) {
      const Nanos waiting = waiting_since_.load();
      Result<std::size_t> removed = upkeep.remove_orphans(table, waiting == kNobodyWaits ? std::nullopt : std::optional(waiting));
      if (removed.ok()) core_.count("history_orphans", removed.value());
      else if (removed.status().code() != Code::kFailedPrecondition) return removed.status();
      else log_line(LogLevel::kWarn, "history.orphans_kept", {{"why", removed.status().message()}});
    }
    if (!rest(0)) return ok_status();
  }
  return ok_status();
}

void History::look_after() {
  work_in_background("history-upkeep", kUpkeepNiceness);
  Upkeep upkeep(lake_.catalog(), lake_.warehouse(), clock_, options_.upkeep);
  std::optional<std::int64_t> last_orphans;
  while (rest(options_.upkeep_interval)) {
    const std::int64_t now = clock_.monotonic();
    const bool orphans = !last_orphans.has_value() || now - *last_orphans >= kOrphanInterval;
    const Status status = round(upkeep, orphans);
    if (status.ok()) {
      if (orphans) last_orphans = now;
      core_.count("history_upkeeps", 1);
    } else {
      core_.count("history_upkeep_failures", 1);
      log_line(LogLevel::kWarn, "history.upkeep_failed", {{"why", status.message()}});
    }
  }
}

void History::failed(const Status& why) {
  const std::int64_t now = clock_.monotonic();
  const bool first = !failing_.has_value();
  if (first) failing_ = Failing{now, now, 0, why.code()};
  Failing& failing = *failing_;
  ++failing.times;
  say_failing((now - failing.since) / kSecond);
  core_.count("history_failures", 1);
  // The words differ each time, by the file that could not be written.
  if (!first && why.code() == failing.code && now - failing.told < kTellAgainAfter) return;
  failing.told = now, failing.code = why.code();
  log_line(LogLevel::kError, "history.failed", {{"why", why.message()}, {"times", failing.times}, {"seconds", counted_failing_}});
}

void History::works() {
  if (!failing_.has_value()) return;
  say_failing((clock_.monotonic() - failing_->since) / kSecond);
  log_line(LogLevel::kInfo, "history.works_again",
           {{"times", failing_->times}, {"seconds", counted_failing_}, {"committed_seq", follower_->committed_seq()}});
  say_failing(0);
  failing_.reset();
}

void History::say_failing(std::int64_t seconds) {
  core_.count("history_failing_seconds", static_cast<std::uint64_t>(seconds) - counted_failing_);  // modulo 2^64: it goes down, too
  counted_failing_ = static_cast<std::uint64_t>(seconds);
}

Status History::open() {
  books_ = std::make_unique<EngineBooks>();
  Result<std::unique_ptr<Follower>> opened =
      Follower::open(disk_, *books_, lake_.catalog(), lake_.warehouse(), clock_, options_.follower);
  if (!opened.ok()) return opened.status();
  follower_ = opened.take();
  if (Status resumed = resume(); !resumed.ok()) {
    follower_.reset();
    return resumed;
  }
  core_.count("history_seq", follower_->committed_seq() - counted_seq_);
  counted_seq_ = follower_->committed_seq();
  log_line(LogLevel::kInfo, "history.opened",
           {{"committed_seq", follower_->committed_seq()}, {"read_seq", follower_->read_seq()}});
  return ok_status();
}

Status History::resume() {
  keeps_states_ = options_.keep_states;
  if (!follower_->complete()) return ok_status();
  const Result<JournalId> journal = journal_id(disk_, options_.follower.journal_directory);
  if (!journal.ok()) return journal.status();
  const auto not_used = [](Seq seq, const Status& why) {
    log_line(LogLevel::kWarn, "history.state_not_used", {{"seq", seq}, {"why", why.message()}});
  };
  Seq most = follower_->committed_seq();
  while (const std::optional<LoadedCheckpoint> loaded = newest_checkpoint(disk_, options_.states, journal.value(), most)) {
    const Seq seq = loaded->header.seq;
    most = seq - 1;
    const Result<FollowerState> state = load_follower_state(disk_, options_.states, journal.value(), seq);
    if (!state.ok()) {
      not_used(seq, state.status());
    } else if (views::state_digest(*loaded->books) != hex(loaded->header.state_digest)) {
      not_used(seq, Status(Code::kDataLoss, "the books have another digest than the checkpoint says"));
    } else {
      keeps_states_ = true;
      next_state_ = seq + options_.state_records;
      if (Status status = books_->resume(*loaded->books); !status.ok()) return status;
      return follower_->resume(state.value());
    }
  }
  return ok_status();
}

// Both files, the checkpoint last: a state is there when its checkpoint is.
void History::keep_state() {
  if (!keeps_states_ || follower_->committed_seq() < next_state_ || !books_->stands()) return;
  const std::optional<FollowerState> state = follower_->state();
  if (!state.has_value()) return;
  const Snapshot books = books_->whole();
  next_state_ = state->seq + std::max<Seq>(options_.state_records, views::counts(*books).trades / kTradesPerCommand);
  const Result<JournalId> journal = journal_id(disk_, options_.follower.journal_directory);
  Status status = journal.status();
  if (status.ok()) status = save(disk_, options_.states, journal.value(), *state);
  if (status.ok()) {
    const auto complete = [&](CheckpointHeader& header) {
      header.journal = journal.value(), header.chain = state->chain, header.synced = true;
      return ok_status();
    };
    status = write_checkpoint(disk_, options_.states, *books, books_->digest(), [] { return false; }, complete);
  }
  if (status.ok()) status = prune_checkpoints(disk_, options_.states, kStatesKept);
  const Result<std::vector<Seq>> kept = status.ok() ? list_checkpoints(disk_, options_.states) : status;
  status = kept.ok() ? prune_follower_states(disk_, options_.states, kept.value()) : kept.status();
  if (!status.ok()) log_line(LogLevel::kWarn, "history.state_failed", {{"seq", state->seq}, {"why", status.message()}});
  else core_.count("history_states", 1);
}

Status History::choose_books(Seq settled) {
  LiveEffects* const effects = core_.effects();
  if (effects == nullptr) return ok_status();
  const Seq read = follower_->read_seq();
  const bool told = effects->tells(read + 1, settled);
  if (books_->live()) {
    if (!told) return go_alone("more than is kept of effects came");
    return settled > read + options_.most_behind ? go_alone("it is far behind") : ok_status();
  }
  effects->drop(read);
  effects->go_on();
  if (!told || read < follower_->committed_seq() || settled > read + options_.most_behind / kNearPart) return ok_status();
  books_->go_live(*effects);
  log_line(LogLevel::kInfo, "history.live", {{"seq", read}});
  return ok_status();
}

Status History::go_alone(const char* why) {
  log_line(LogLevel::kInfo, "history.alone", {{"seq", follower_->read_seq()}, {"why", why}});
  const Status status = books_->go_alone({&disk_, options_.follower.journal_directory});
  return status.ok() ? status : Status(Code::kInternal, "the history's books: " + status.message());
}

Result<bool> History::stand() {
  if (follower_->committing() || !books_->live()) return true;
  const Result<Snapshot> books = rest(0) ? core_.followed_books() : core_.last_books();
  if (!books.ok()) return false;  // the core is stopping: the last commit is still to come
  const Seq seq = views::seq_of(*books.value());
  if (seq > core_.settled_seq()) {  // of a journal that failed
    const Status alone = go_alone("the journal has failed");
    return alone.ok() ? Result<bool>(true) : alone;
  }
  while (follower_->read_seq() < seq) {
    const Seq before = follower_->read_seq();
    if (Status status = follower_->follow(seq, true); !status.ok()) return status;
    if (follower_->read_seq() == before) return journal_ends(before, seq);
  }
  books_->stand_at(books.value());
  return true;
}

Status History::commit() {
  const Result<bool> stands = stand();
  if (!stands.ok() || !stands.value()) return stands.status();
  const std::uint64_t rows = follower_->committed_rows(), commits = follower_->commits();
  const std::int64_t began = clock_.monotonic();
  Status status = follower_->commit();
  core_.count("history_seq", follower_->committed_seq() - counted_seq_);
  counted_seq_ = follower_->committed_seq();
  core_.count("history_rows", follower_->committed_rows() - rows);
  core_.count("history_commits", follower_->commits() - commits);
  if (status.ok()) {
    if (books_->stands() && core_.wants_checkpoint(follower_->read_seq())) core_.offer_checkpoint(books_->whole(), books_->digest());
    keep_state();
  }
  commit_took_ = clock_.monotonic() - began;
  return status;
}

bool History::advance(bool commit_now) {
  const Seq durable = core_.settled_seq();
  Status status = follower_ == nullptr ? open() : ok_status();
  if (status.ok()) status = choose_books(durable);
  // A commit that is due has all that was durable when it came due, unless the reading is far behind.
  const std::int64_t until = clock_.monotonic() + options_.commit_interval / kCatchUpPart;
  const auto reads_on = [&] {
    return commit_now && !books_->live() && !follower_->full() && follower_->read_seq() < durable && clock_.monotonic() < until && rest(0);
  };
  const bool to_live_books = status.ok() && commit_now && books_->live();  // which are of now: the commit reads on to them
  if (status.ok() && !to_live_books) status = follower_->follow(durable);
  while (status.ok() && reads_on()) status = follower_->follow(durable);
  const bool full = status.ok() && follower_->full();
  if (status.ok() && (full || commit_now || failing_.has_value())) status = commit();
  if (!status.ok()) {
    failed(status);
    // What a process that died had sent came after the tables were opened, perhaps: they are looked at once more.
    const bool late = status.code() == Code::kFailedPrecondition && follower_ != nullptr && follower_->commits() == 0 &&
                      !std::exchange(looked_again_, true);
    // What it held of rows is not to be trusted: all is read again, from the journal.
    if (late || status.code() == Code::kInternal) follower_.reset(), books_.reset();
    return false;
  }
  works();
  // What came while rows were committed, often much, does not wait for the next look.
  return follower_->read_seq() < (commit_now ? core_.settled_seq() : durable);
}

void History::run() {
  work_in_background("history", kNiceness);
  CommitSchedule schedule(options_.commit_interval, clock_.monotonic());
  const auto until_next_look = [&] { return std::min(schedule.left(clock_.monotonic()), options_.commit_interval / kLooksPerCommit); };
  bool more = false;
  while (wait(more ? 0 : failing_.has_value() ? kRetryAfter : until_next_look())) {
    const std::int64_t now = clock_.monotonic();
    const bool due = schedule.due(now);
    late_from(schedule.late_from());
    more = advance(due);
    waiting_since_ = follower_ == nullptr ? kNobodyWaits : follower_->waiting_since().value_or(kNobodyWaits);
    if (due) schedule.committed(now, std::exchange(commit_took_, 0));
    take_offer();
  }
  advance(true);  // what is still missing is for the next start
  log_line(failing_.has_value() ? LogLevel::kWarn : LogLevel::kInfo, "history.stopped",
           {{"committed_seq", follower_ == nullptr ? 0 : follower_->committed_seq()}, {"durable_seq", core_.report().durable_seq}});
}

}  // namespace halocline
