#include "server/history.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace halocline {
namespace {

constexpr int kLooksPerCommit = 10;                     // at the journal, so that the work comes in small pieces
constexpr std::int64_t kRetryAfter = 1'000'000'000;     // ns

}  // namespace

History::History(Disk& disk, const Clock& clock, Lake& lake, Core& core, HistoryOptions options)
    : disk_(disk), clock_(clock), lake_(lake), core_(core), options_(std::move(options)) {}

History::~History() { stop(); }

void History::start() { thread_ = std::thread([this] { run(); }); }

void History::stop() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool History::wait(std::int64_t nanoseconds) {
  std::unique_lock lock(mutex_);
  return !ending_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), [this] { return end_; });
}

void History::failed(const Status& why) {
  core_.count("history_failures", 1);
  if (why.message() != last_failure_) log_line(LogLevel::kError, "history.failed", {{"why", why.message()}});
  last_failure_ = why.message();
}

Status History::open() {
  books_ = std::make_unique<EngineBooks>();
  Result<std::unique_ptr<Follower>> opened =
      Follower::open(disk_, *books_, lake_.catalog(), lake_.warehouse(), clock_, options_.follower);
  if (!opened.ok()) return opened.status();
  follower_ = opened.take();
  core_.count("history_seq", follower_->committed_seq() - counted_seq_);
  counted_seq_ = follower_->committed_seq();
  log_line(LogLevel::kInfo, "history.opened", {{"committed_seq", follower_->committed_seq()}});
  return ok_status();
}

Status History::commit() {
  const std::uint64_t rows = follower_->committed_rows(), commits = follower_->commits();
  Status status = follower_->commit();
  core_.count("history_seq", follower_->committed_seq() - counted_seq_);
  counted_seq_ = follower_->committed_seq();
  core_.count("history_rows", follower_->committed_rows() - rows);
  core_.count("history_commits", follower_->commits() - commits);
  return status;
}

bool History::advance(bool commit_now) {
  const Seq durable = core_.report().durable_seq;
  Status status = follower_ == nullptr ? open() : ok_status();
  if (status.ok()) status = follower_->follow(durable);
  const bool full = status.ok() && follower_->full();
  if (status.ok() && (full || commit_now)) status = commit();
  if (!status.ok()) {
    failed(status);
    // What it held of rows is not to be trusted: all is read again, from the journal.
    if (status.code() == Code::kInternal) follower_.reset(), books_.reset();
    return false;
  }
  last_failure_.clear();
  return follower_->read_seq() < durable;
}

void History::run() {
  std::int64_t last_commit = clock_.monotonic();
  bool more = false;
  while (wait(more ? 0 : last_failure_.empty() ? options_.commit_interval / kLooksPerCommit : kRetryAfter)) {
    const std::int64_t now = clock_.monotonic();
    const bool due = now - last_commit >= options_.commit_interval;
    more = advance(due);
    if (due) last_commit = now;
  }
  advance(true);  // what is still missing is for the next start
  const bool behind = !last_failure_.empty();
  log_line(behind ? LogLevel::kWarn : LogLevel::kInfo, "history.stopped",
           {{"committed_seq", follower_ == nullptr ? 0 : follower_->committed_seq()}, {"durable_seq", core_.report().durable_seq}});
}

}  // namespace halocline
