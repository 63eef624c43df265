#include "server/reruns.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/background_thread.h"
#include "base/log.h"
#include "command/event_memory.h"
#include "engine/engine.h"
#include "journal/recovery.h"
#include "server/apply_records.h"
#include "server/checkpoints.h"

namespace halocline {
namespace {

constexpr int kNiceness = 10;
// A subscriber that takes nothing for so long is cut: others may wait behind it.
constexpr std::chrono::seconds kPatience{10};
// So near to the end of the journal they go over to the recent events …
constexpr Seq kNear = 50'000;
// … or after so many looks at where the end is, when the journal grows as fast as it is read.
constexpr int kMostLooks = 20;

}  // namespace

// One engine aside, from before the oldest bookmark until all its subscriptions have gone over.
class Reruns::Run {
 public:
  explicit Run(Reruns& reruns) : r_(reruns), shared_(reruns.shared_) {}

  void run();

 private:
  struct Rider {
    std::shared_ptr<Watch> watch;
    std::vector<std::shared_ptr<const QueryEvents>> gathered;
    bool holds_a_piece = false;   // the last piece has not been let go of. Under the shared mutex, as the next
    std::optional<bool> verdict;  // whether the recent events reach back so far
  };
  using RiderPtr = std::shared_ptr<Rider>;

  Status ride();
  void begin();
  void admit();
  void board();
  void apply(const BlockView& block);
  void gather();
  bool deliver(const RiderPtr& rider);
  bool wait_until_let_go(const RiderPtr& rider);
  bool must_go_further(Seq end) const;
  void go_over();
  void drop_those_gone();
  template <class Visit>
  void each_rider(Visit visit) {
    for (const auto& [query, riders] : riding_) {
      for (const RiderPtr& rider : riders) {
        if (!rider->watch->gone.load()) visit(rider);
      }
    }
  }
  bool stopping() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->stopping;
  }

  Reruns& r_;
  const std::shared_ptr<Shared> shared_;
  std::unique_ptr<Engine> engine_ = std::make_unique<Engine>();
  std::vector<AlertEvent> alerts_;
  std::multimap<Seq, RiderPtr> boarding_;  // by bookmark, which the engine has not passed
  std::unordered_map<queries::LiveQueries::Id, std::vector<RiderPtr>> riding_;
};

void Reruns::Run::run() {
  const Status status = ride();
  if (status.ok()) return;
  log_line(LogLevel::kError, "rerun.failed", {{"seq", engine_->last_seq()}, {"why", status.message()}});
  for (const auto& [seq, rider] : boarding_) r_.watches_.end(*rider->watch, status);
  each_rider([&](const RiderPtr& rider) { r_.watches_.end(*rider->watch, status); });
}

// From the books of the last checkpoint that is no later than any of those who wait.
void Reruns::Run::begin() {
  if (r_.checkpoints_.empty() || boarding_.empty()) return;
  const Result<JournalId> journal = journal_id(*r_.journal_.disk, r_.journal_.directory);
  if (!journal.ok()) return;
  const Seq durable = r_.durable_(), oldest = std::min(boarding_.begin()->first, durable == 0 ? 0 : durable - 1);  // something follows it
  const std::optional<LoadedCheckpoint> loaded = newest_checkpoint(*r_.journal_.disk, r_.checkpoints_, journal.value(), oldest);
  if (!loaded) return;
  Result<std::unique_ptr<Engine>> resumed = Engine::resume(*loaded->books);
  if (resumed.ok()) engine_ = resumed.take();
  else log_line(LogLevel::kWarn, "rerun.checkpoint_not_used", {{"seq", loaded->header.seq}, {"why", resumed.status().message()}});
}

Status Reruns::Run::ride() {
  admit();
  begin();
  Result<std::unique_ptr<JournalReader>> reader = r_.journal_.open(engine_->last_seq() + 1);
  if (!reader.ok()) return reader.status();
  Seq end = r_.durable_();
  int looks = 0;
  reader.value()->stop_after(end);
  while (!stopping()) {
    admit();
    board();
    if (boarding_.empty() && riding_.empty()) break;
    const Result<std::optional<BlockView>> block = reader.value()->next();
    if (!block.ok()) return block.status();
    if (block.value().has_value()) {
      apply(*block.value());
      gather();
      continue;
    }
    if (engine_->last_seq() != end) return journal_ends(engine_->last_seq(), end);
    if (!must_go_further(end) || ++looks > kMostLooks) {
      go_over();
      looks = 0;
    }
    end = r_.durable_();
    reader.value()->stop_after(end);
  }
  return ok_status();
}

// Takes those that wait and whose bookmark the engine has not passed; the others are for another run.
void Reruns::Run::admit() {
  const std::lock_guard lock(shared_->mutex);
  std::erase_if(shared_->waiting, [&](std::shared_ptr<Watch>& watch) {
    if (watch->position < engine_->last_seq()) return false;
    auto rider = std::make_shared<Rider>();
    rider->watch = std::move(watch);
    boarding_.emplace(rider->watch->position, std::move(rider));
    return true;
  });
}

// Those at whose bookmark the engine is.
void Reruns::Run::board() {
  while (!boarding_.empty() && boarding_.begin()->first == engine_->last_seq()) {
    const RiderPtr rider = std::move(boarding_.begin()->second);
    boarding_.erase(boarding_.begin());
    Watch& watch = *rider->watch;
    if (watch.gone.load()) continue;
    const Result<queries::LiveQueries::Id> id = engine_->queries().add(watch.plan);
    if (!id.ok()) {
      r_.watches_.end(watch, id.status());
      continue;
    }
    if (!std::exchange(watch.started, true)) watch.subscriber->started(std::exchange(watch.start, {}));
    riding_[id.value()].push_back(rider);
  }
}

void Reruns::Run::apply(const BlockView& block) {
  apply_records(*engine_, block.first_seq, block.time, block.records, block.payload, alerts_, [&](Seq, const Applied&) { board(); });
  alerts_.clear();
  engine_->take_refused_releases();
  engine_->take_dropped_queries();
}

void Reruns::Run::gather() {
  for (const queries::LiveEvents& one : engine_->queries().take()) {
    const auto at = riding_.find(one.query);
    if (at == riding_.end()) continue;
    std::shared_ptr<const QueryEvents> copy;
    for (const RiderPtr& rider : at->second) {
      if (rider->watch->gone.load()) continue;
      if (one.failure != nullptr) {
        if (deliver(rider)) r_.watches_.end(*rider->watch, *one.failure);
      } else if (one.events->seq > rider->watch->position) {
        if (copy == nullptr) copy = copy_of(*one.events);
        rider->gathered.push_back(copy);
        if (rider->gathered.size() == r_.piece_) static_cast<void>(deliver(rider));
      }
    }
  }
  drop_those_gone();
}

void Reruns::Run::drop_those_gone() {
  for (auto at = riding_.begin(); at != riding_.end();) {
    const std::size_t gone = std::erase_if(at->second, [](const RiderPtr& one) { return one->watch->gone.load() || one->verdict == true; });
    for (std::size_t i = 0; i < gone; ++i) engine_->queries().remove(at->first);
    at = at->second.empty() ? riding_.erase(at) : std::next(at);
  }
}

// False: it has ended, or all ends.
bool Reruns::Run::wait_until_let_go(const RiderPtr& rider) {
  std::unique_lock lock(shared_->mutex);
  const auto goes_on = [&] { return !rider->holds_a_piece || rider->watch->gone.load() || shared_->stopping; };
  const bool in_time = shared_->changed.wait_for(lock, kPatience, goes_on);
  if (shared_->stopping) return false;
  lock.unlock();
  if (!in_time) r_.watches_.cut(*rider->watch, rider->watch->position + 1);
  return !rider->watch->gone.load();
}

// What was gathered for it, once it has let go of what it was given before. False: it has ended, or all ends.
bool Reruns::Run::deliver(const RiderPtr& rider) {
  if (!wait_until_let_go(rider)) return false;
  if (rider->gathered.empty()) return true;
  const auto piece = std::make_shared<EventPiece>();
  piece->events = std::exchange(rider->gathered, {});
  rider->watch->position = piece->events.back()->seq;
  {
    const std::lock_guard lock(shared_->mutex);
    rider->holds_a_piece = true;
  }
  piece->let_go = [riding = std::weak_ptr<Rider>(rider), shared = shared_] {
    const RiderPtr one = riding.lock();
    if (one == nullptr) return;
    const std::lock_guard lock(shared->mutex);
    one->holds_a_piece = false;
    shared->changed.notify_all();
  };
  if (offer_piece(*rider->watch->subscriber, piece)) return true;
  r_.watches_.cut(*rider->watch, rider->watch->position);
  return false;
}

bool Reruns::Run::must_go_further(Seq end) const {
  if (r_.durable_() - end > kNear || !boarding_.empty()) return true;
  for (const auto& [query, riders] : riding_) {
    if (std::any_of(riders.begin(), riders.end(), [&](const RiderPtr& one) { return one->watch->live_since > end; })) return true;
  }
  return false;
}

// All that ride, to the recent events; those for which these do not reach back so far ride on.
void Reruns::Run::go_over() {
  std::vector<RiderPtr> asked;
  each_rider([&](const RiderPtr& rider) {
    if (deliver(rider) && wait_until_let_go(rider)) asked.push_back(rider);
  });
  for (const RiderPtr& rider : asked) {
    rider->watch->position = engine_->last_seq();
    rider->verdict.reset();
    rider->watch->subscriber->progress(engine_->last_seq(), engine_->last_time());
    r_.watches_.go_on(rider->watch, [rider, shared = shared_](bool goes_on) {
      const std::lock_guard lock(shared->mutex);
      rider->verdict = goes_on;
      shared->changed.notify_all();
    });
  }
  std::unique_lock lock(shared_->mutex);
  for (const RiderPtr& rider : asked) {
    shared_->changed.wait(lock, [&] { return rider->verdict.has_value() || shared_->stopping; });
  }
  lock.unlock();
  drop_those_gone();
}

void Reruns::add(std::shared_ptr<Watch> watch) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->stopping) return;
  shared_->waiting.push_back(std::move(watch));
  shared_->changed.notify_all();
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
}

void Reruns::one_is_gone() {
  const std::lock_guard lock(shared_->mutex);
  shared_->changed.notify_all();
}

void Reruns::work() {
  work_in_background("rerun", kNiceness);
  while (true) {
    {
      std::unique_lock lock(shared_->mutex);
      shared_->changed.wait(lock, [&] { return !shared_->waiting.empty() || shared_->stopping; });
      if (shared_->stopping) return;
    }
    Run(*this).run();
  }
}

void Reruns::stop() {
  std::vector<std::shared_ptr<Watch>> waiting;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    waiting.swap(shared_->waiting);
    shared_->changed.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace halocline
