#include "server/watches.h"

#include <algorithm>

#include "base/log.h"
#include "command/event_memory.h"
#include "engine/queries/indexed_condition.h"

namespace halocline {
namespace {

constexpr std::size_t kMarksAtOnce = 256;  // so that very many subscriptions cost no more than many
// A query that nobody watches any more is kept up for so long, so that who comes back soon goes on at once …
constexpr std::int64_t kOrphanLife = 60'000'000'000;  // ns
// … if there are no more than so many.
constexpr std::size_t kMaxOrphans = 256;
constexpr std::size_t kMaxCostlyOrphans = 8;  // that no index serves: each is looked at with every change of its source

}  // namespace

bool offer_piece(QuerySubscriber& subscriber, const std::shared_ptr<EventPiece>& piece) {
  return std::all_of(piece->events.begin(), piece->events.end(), [&](const auto& events) {
    return subscriber.offer(std::shared_ptr<const QueryEvents>(piece, events.get()));
  });
}

Watches::Watches(Options options, NamedCounters& counters)
    : options_(std::move(options)), counters_(counters), recent_(options_.recent_bytes), waiting_(std::make_shared<Waiting>()) {
  waiting_->any = &any_waiting_;
  waiting_->ring = options_.ring;
}

void Watches::Waiting::add(std::shared_ptr<Watch> watch, std::function<void(bool)> verdict) {
  const std::lock_guard lock(mutex);
  if (any == nullptr) return;
  all.push_back({std::move(watch), std::move(verdict)});
  any->store(true);
  ring();
}

std::shared_ptr<Watch> Watches::add(std::string name, std::shared_ptr<const queries::Plan> plan, std::optional<Seq> after,
                                    std::shared_ptr<QuerySubscriber> subscriber) {
  auto watch = std::make_shared<Watch>();
  watch->name = std::move(name);
  watch->plan = std::move(plan);
  watch->after = after;
  watch->subscriber = std::move(subscriber);
  if (watch->plan != nullptr && watch->plan->tables.size() == 1) {
    watch->indexed = queries::choose_condition(watch->plan->conjuncts, *watch->plan->tables[0]).has_value();
  }
  const std::lock_guard lock(mutex_);
  if (watches_.size() >= options_.most) return nullptr;
  CHECK(watches_.try_emplace(watch->subscriber.get(), watch).second, "a subscriber that watches already watches again");
  return watch;
}

void Watches::remove(const QuerySubscriber* subscriber) {
  std::shared_ptr<Watch> watch;
  {
    const std::lock_guard lock(mutex_);
    const auto at = watches_.find(subscriber);
    if (at == watches_.end()) return;
    watch = std::move(at->second);
    watches_.erase(at);
  }
  watch->gone.store(true);
  prune_.store(true);
}

std::size_t Watches::size() const {
  const std::lock_guard lock(mutex_);
  return watches_.size();
}

void Watches::begin_named(Watch& watch, const Engine& engine) {
  const Result<NamedQuery> named = engine.named_query(watch.name);
  if (!named.ok()) {
    watch.refusal = named.status();
    return;
  }
  watch.created = named.value().created;
  if (watch.after && *watch.after < named.value().created) {
    watch.refusal = Status(Code::kFailedPrecondition, "the query \"" + watch.name + "\" was made at seq " +
                               std::to_string(named.value().created) + ", after the bookmark " + std::to_string(*watch.after) +
                               ": what you watched was another one; subscribe without a bookmark");
    return;
  }
  Result<queries::Plan> plan = queries::prepare(named.value().sql, {});
  if (!plan.ok()) {
    watch.refusal = plan.status();
    return;
  }
  watch.plan = std::make_shared<const queries::Plan>(plan.take());
}

// Whether it can have its query: its plan is known then, and its bookmark is one.
bool Watches::may_begin(Watch& watch, const Engine& engine) {
  if (watch.gone.load()) return false;
  if (!watch.name.empty()) begin_named(watch, engine);
  if (watch.after && *watch.after > engine.last_seq()) {
    watch.refusal = Status(Code::kOutOfRange, "bookmark " + std::to_string(*watch.after) + " is after the newest seq, " +
                                                  std::to_string(engine.last_seq()));
  }
  return watch.refusal.ok();
}

void Watches::begin(std::span<const std::shared_ptr<Watch>> watches, Engine& engine) {
  std::vector<Watch*> begun;
  std::vector<std::shared_ptr<const queries::Plan>> plans;
  for (const std::shared_ptr<Watch>& watch : watches) {
    if (!may_begin(*watch, engine)) continue;
    begun.push_back(watch.get());
    plans.push_back(watch->plan);
  }
  if (plans.empty()) return;
  queries::LiveQueries& live = engine.queries();
  const std::vector<Result<Id>> added = live.add(plans);
  for (std::size_t i = 0; i < begun.size(); ++i) {
    Watch& watch = *begun[i];
    if (!added[i].ok()) {
      watch.refusal = added[i].status();
      continue;
    }
    watch.query = added[i].value();
    if (live.is_live(watch.query)) {
      begin_live(watch, engine);
    } else {
      watch.begun = Watch::Begun::kPutOff;
    }
  }
}

void Watches::begin_prepared(Watch& watch, const Status& prepared, Engine& engine) {
  watch.begun = Watch::Begun::kRefused;
  watch.refusal = prepared;
  if (prepared.ok() && !watch.name.empty()) {
    const Result<NamedQuery> named = engine.named_query(watch.name);
    if (!named.ok() || named.value().created != watch.created) {
      engine.queries().remove(watch.query);
      watch.refusal = Status(Code::kNotFound, "the query \"" + watch.name + "\" was dropped");
    }
  }
  if (watch.refusal.ok()) begin_live(watch, engine);
}

void Watches::begin_live(Watch& watch, Engine& engine) {
  queries::LiveQueries& live = engine.queries();
  watch.begun = Watch::Begun::kAnswered;
  watch.live_since = std::max(live.since(watch.query), options_.serving_since);
  watch.start.columns = watch.plan->columns;
  if (watch.after) {
    watch.position = watch.start.seq = *watch.after;
    watch.start.goes_on = true;
  } else if (live.read_now(watch.query)) {
    watch.start.rows = live.rows(watch.query);
    watch.start.seq = engine.last_seq();
    watch.start.time = engine.last_time();
  } else {
    watch.begun = Watch::Begun::kReadAside;
  }
}

void Watches::let_go(queries::LiveQueries& live) {
  if (!any_finished_.exchange(false)) return;
  std::vector<Id> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (const Id id : finished) live.remove(id);
}

void Watches::start(const std::shared_ptr<Watch>& watch) {
  if (watch->begun == Watch::Begun::kRefused) return end(*watch, watch->refusal);
  live_[watch->query].push_back(watch);
  turns_.push_back(watch);
  if (watch->gone.load()) return prune_.store(true);
  if (watch->begun == Watch::Begun::kReadAside) return;  // go_on() comes with its answer
  if (!watch->after) {
    watch->started = watch->caught_up = true;
    return watch->subscriber->started(std::exchange(watch->start, {}));
  }
  if (go_on_from_recent(watch)) return;
  if (options_.rerun) return options_.rerun(watch);
  end(*watch, Status(Code::kOutOfRange, "bookmark " + std::to_string(*watch->after) +
                                            " is too old: there is no journal to read the seqs after it from; subscribe without one"));
}

// False: they do not reach back to its position.
bool Watches::go_on_from_recent(const std::shared_ptr<Watch>& watch) {
  if (watch->gone.load()) return true;
  if (!watch->end_when_caught_up.ok()) {
    end(*watch, watch->end_when_caught_up);
    return true;
  }
  if (watch->position < std::max(watch->live_since, recent_.complete_after())) return false;
  if (!std::exchange(watch->started, true)) watch->subscriber->started(std::exchange(watch->start, {}));
  const auto piece = std::make_shared<EventPiece>();
  piece->events = recent_.after(watch->query, watch->position, options_.piece);
  const bool more = piece->events.size() == options_.piece;
  watch->caught_up = !more;
  if (!piece->events.empty()) watch->position = piece->events.back()->seq;
  if (more) {
    piece->let_go = [watching = std::weak_ptr<Watch>(watch), waiting = std::weak_ptr<Waiting>(waiting_)] {
      auto one = watching.lock();
      const auto all = waiting.lock();
      if (one != nullptr && all != nullptr) all->add(std::move(one), {});
    };
  }
  if (!offer_piece(*watch->subscriber, piece)) {
    cut(*watch, watch->position);
  } else if (!more && watch->position < marked_) {
    watch->subscriber->progress(marked_, marked_time_);  // the others have that mark, and there may be no other for long
  }
  return true;
}

void Watches::attend() {
  if (prune_.load()) prune();
  if (!any_waiting_.exchange(false)) return;
  std::vector<Waiting::One> waiting;
  {
    const std::lock_guard lock(waiting_->mutex);
    waiting.swap(waiting_->all);
  }
  for (const Waiting::One& one : waiting) {
    const bool goes_on = go_on_from_recent(one.watch);
    if (one.verdict) {
      one.verdict(goes_on);
    } else if (!goes_on && options_.rerun) {
      options_.rerun(one.watch);
    } else if (!goes_on && !one.watch->started) {
      end(*one.watch, Status(Code::kResourceExhausted, "more events than are kept came while its first answer was read, and there is no "
                                                       "journal to read them from; ask for fewer rows"));
    } else if (!goes_on) {
      cut(*one.watch, one.watch->position + 1);
    }
  }
}

void Watches::cut(Watch& watch, Seq before) {
  if (watch.gone.load()) return;
  counters_.add("subscribers_cut", 1);
  log_line(LogLevel::kWarn, "watch.cut", {{"seq", before}});
  end(watch, Status(Code::kResourceExhausted, "the subscriber is too slow and was cut before seq " + std::to_string(before) +
                                                  "; go on after the last seq you have, or let it conflate"));
}

void Watches::offer(const queries::ToldEvents& events) {
  for (const queries::LiveEvents& one : events) {
    if (one.events != nullptr) recent_.add(one.query, events.share(*one.events));
    const auto at = live_.find(one.query);
    if (at == live_.end()) continue;
    std::shared_ptr<const QueryEvents> copy;  // a slow one keeps it, and must not keep what others are told with it
    for (const std::shared_ptr<Watch>& watch : at->second) {
      if (watch->gone.load()) continue;
      if (one.failure != nullptr) {
        watch->caught_up ? end(*watch, *one.failure) : void(watch->end_when_caught_up = *one.failure);
        continue;
      }
      if (!watch->caught_up || one.events->seq <= watch->position) continue;
      if (copy == nullptr) copy = copy_of(*one.events);
      if (!watch->subscriber->offer(copy)) cut(*watch, copy->seq);
    }
  }
}

void Watches::dropped(const std::string& name, Seq seq) {
  const Status why(Code::kNotFound, "the query \"" + name + "\" was dropped, by seq " + std::to_string(seq));
  for (const auto& [query, watches] : live_) {
    for (const std::shared_ptr<Watch>& watch : watches) {
      if (watch->name != name || watch->gone.load()) continue;
      watch->caught_up ? end(*watch, why) : void(watch->end_when_caught_up = why);
    }
  }
}

bool Watches::progress(Seq seq, Nanos time, std::int64_t now) {
  now_ = now;
  std::vector<Id> finished;
  for (; !orphans_.empty() && orphans_.front().since + kOrphanLife < now; orphans_.pop_front()) finished.push_back(orphans_.front().query);
  finish(std::move(finished));

  if (std::exchange(marked_, seq) != seq) unmarked_ = turns_.size();
  marked_time_ = time;
  unmarked_ = std::min(unmarked_, turns_.size());
  for (std::size_t left = std::min(unmarked_, kMarksAtOnce); left > 0; --left, --unmarked_) {
    std::shared_ptr<Watch> watch = std::move(turns_.front());
    turns_.pop_front();
    if (watch->caught_up && seq > watch->position && !watch->gone.load()) watch->subscriber->progress(seq, time);
    turns_.push_back(std::move(watch));
  }
  return unmarked_ == 0;
}

bool Watches::may_keep(bool indexed) const {
  if (orphans_.size() >= kMaxOrphans) return false;
  if (indexed) return true;
  const auto costly = std::count_if(orphans_.begin(), orphans_.end(), [](const Orphan& one) { return !one.indexed; });
  return static_cast<std::size_t>(costly) < kMaxCostlyOrphans;
}

void Watches::prune() {
  prune_.store(false);
  std::vector<Id> finished;
  for (auto at = live_.begin(); at != live_.end();) {
    const Id id = at->first;
    const bool indexed = at->second.front()->indexed;
    std::size_t gone = std::erase_if(at->second, [](const std::shared_ptr<Watch>& watch) { return watch->gone.load(); });
    const bool orphaned = at->second.empty();
    if (orphaned && may_keep(indexed)) {
      orphans_.push_back({id, now_, indexed});
      --gone;
    }
    finished.insert(finished.end(), gone, id);
    at = orphaned ? live_.erase(at) : std::next(at);
  }
  std::erase_if(turns_, [](const std::shared_ptr<Watch>& watch) { return watch->gone.load(); });
  finish(std::move(finished));
}

void Watches::finish(std::vector<Id> finished) {
  if (finished.empty()) return;
  std::erase_if(turns_, [](const std::shared_ptr<Watch>& watch) { return watch->gone.load(); });
  {
    const std::lock_guard lock(mutex_);
    finished_.insert(finished_.end(), finished.begin(), finished.end());
  }
  any_finished_.store(true);
}

void Watches::end(Watch& watch, const Status& why) {
  if (watch.gone.exchange(true)) return;
  prune_.store(true);
  {
    const std::lock_guard lock(mutex_);
    watches_.erase(watch.subscriber.get());
  }
  watch.subscriber->ended(why);
}

void Watches::end_all(const Status& why) {
  std::vector<Waiting::One> waiting;
  {
    const std::lock_guard lock(waiting_->mutex);
    waiting_->any = nullptr;
    waiting.swap(waiting_->all);
  }
  std::unordered_map<const QuerySubscriber*, std::shared_ptr<Watch>> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(watches_);
  }
  for (const auto& [subscriber, watch] : left) {
    if (!watch->gone.exchange(true)) watch->subscriber->ended(why);
  }
  live_.clear();
  turns_.clear();
}

}  // namespace halocline
