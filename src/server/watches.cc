#include "server/watches.h"

#include <algorithm>

#include "base/log.h"

namespace halocline {
namespace {

constexpr std::size_t kMarksAtOnce = 256;  // so that very many subscriptions cost no more than many

}  // namespace

std::shared_ptr<Watch> Watches::add(std::shared_ptr<const queries::Plan> plan, std::shared_ptr<QuerySubscriber> subscriber) {
  auto watch = std::make_shared<Watch>();
  watch->plan = std::move(plan);
  watch->subscriber = std::move(subscriber);
  const std::lock_guard lock(mutex_);
  if (watches_.size() >= most_) return nullptr;
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

void Watches::begin(std::span<const std::shared_ptr<Watch>> watches, queries::LiveQueries& live, Seq seq, Nanos time) {
  std::vector<Watch*> begun;
  std::vector<std::shared_ptr<const queries::Plan>> plans;
  for (const std::shared_ptr<Watch>& watch : watches) {
    if (watch->gone.load()) continue;
    begun.push_back(watch.get());
    plans.push_back(watch->plan);
  }
  if (plans.empty()) return;
  const std::vector<Result<queries::LiveQueries::Id>> added = live.add(plans);
  for (std::size_t i = 0; i < begun.size(); ++i) {
    if (!added[i].ok()) {
      begun[i]->refusal = added[i].status();
      continue;
    }
    begun[i]->query = added[i].value();
    begun[i]->start = {plans[i]->columns, live.rows(added[i].value()), seq, time};
  }
}

void Watches::let_go(queries::LiveQueries& live) {
  if (!any_finished_.exchange(false)) return;
  std::vector<queries::LiveQueries::Id> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (const queries::LiveQueries::Id id : finished) live.remove(id);
}

void Watches::start(const std::shared_ptr<Watch>& watch) {
  if (watch->query == 0) return end(*watch, watch->refusal);
  live_[watch->query].push_back(watch);
  turns_.push_back(watch);
  if (watch->gone.load()) return prune_.store(true);
  watch->subscriber->started(std::exchange(watch->start, {}));
}

void Watches::offer(std::span<const queries::LiveEvents> events) {
  for (const queries::LiveEvents& one : events) {
    const auto at = live_.find(one.query);
    if (at == live_.end()) continue;
    for (const std::shared_ptr<Watch>& watch : at->second) {
      if (watch->gone.load()) continue;
      if (!one.failure.ok()) {
        end(*watch, one.failure);
      } else if (!watch->subscriber->offer(one.events)) {
        counters_.add("subscribers_cut", 1);
        log_line(LogLevel::kWarn, "watch.cut", {{"seq", one.events->seq}});
        end(*watch, Status(Code::kResourceExhausted, "the subscriber is too slow and was cut before seq " +
                                                         std::to_string(one.events->seq) + "; subscribe again, or let it conflate"));
      }
    }
  }
}

void Watches::progress(Seq seq, Nanos time) {
  for (std::size_t left = std::min(turns_.size(), kMarksAtOnce); left > 0; --left) {
    std::shared_ptr<Watch> watch = std::move(turns_.front());
    turns_.pop_front();
    if (!watch->gone.load()) watch->subscriber->progress(seq, time);
    turns_.push_back(std::move(watch));
  }
}

void Watches::prune() {
  if (!prune_.exchange(false)) return;
  std::vector<queries::LiveQueries::Id> finished;
  for (auto at = live_.begin(); at != live_.end();) {
    std::erase_if(at->second, [&, id = at->first](const std::shared_ptr<Watch>& watch) {
      const bool gone = watch->gone.load();
      if (gone) finished.push_back(id);
      return gone;
    });
    at = at->second.empty() ? live_.erase(at) : std::next(at);
  }
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
