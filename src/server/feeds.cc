#include "server/feeds.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "engine/views.h"

namespace halocline {
namespace {

// The events of one piece. When the follower has let go of the last of them, `finished` runs, on that thread.
struct Batch {
  std::vector<AlertEvent> events;
  std::function<void()> finished;
  ~Batch() {
    if (finished) finished();
  }
};

}  // namespace

Feeds::Feeds(std::size_t most, std::size_t piece, std::shared_ptr<ReaderPool> readers, NamedCounters& counters,
             std::function<void(std::shared_ptr<Feed>)> ask)
    : most_(most), piece_(std::max<std::size_t>(piece, 1)), readers_(std::move(readers)), counters_(counters),
      ask_(std::make_shared<const std::function<void(std::shared_ptr<Feed>)>>(std::move(ask))) {
  live_.reserve(most_);
}

std::shared_ptr<Feed> Feeds::add(std::uint64_t bookmark, bool from_now, std::shared_ptr<AlertSubscriber> subscriber) {
  auto feed = std::make_shared<Feed>();
  feed->bookmark = bookmark;
  feed->from_now = from_now;
  feed->subscriber = std::move(subscriber);
  std::lock_guard lock(mutex_);
  if (feeds_.size() >= most_) return nullptr;
  CHECK(feeds_.try_emplace(feed->subscriber.get(), feed).second, "a subscriber that follows already follows again");
  return feed;
}

void Feeds::remove(const AlertSubscriber* subscriber) {
  std::shared_ptr<Feed> feed;
  {
    std::lock_guard lock(mutex_);
    const auto at = feeds_.find(subscriber);
    if (at == feeds_.end()) return;
    feed = std::move(at->second);
    feeds_.erase(at);
  }
  feed->gone.store(true);
  prune_.store(true);
}

std::size_t Feeds::size() const {
  std::lock_guard lock(mutex_);
  return feeds_.size();
}

void Feeds::start(const std::shared_ptr<Feed>& feed, const Snapshot& books, std::uint64_t last_event_id) {
  if (feed->gone.load()) return;
  if (feed->from_now) feed->bookmark = last_event_id, feed->from_now = false;
  if (feed->bookmark > last_event_id) {
    return end(*feed, Status(Code::kOutOfRange, "bookmark " + std::to_string(feed->bookmark) + " is after the newest alert event, " +
                                                    std::to_string(last_event_id) + "; follow from that one or below"));
  }
  if (last_event_id - feed->bookmark > kInlineBacklog) {
    readers_->post([this, feed, books] { catch_up(feed, books); });
    return;
  }
  std::vector<AlertEvent> backlog;
  if (last_event_id != feed->bookmark) backlog = views::alert_events(*books, feed->bookmark, kInlineBacklog);
  if (!feed->started) {
    feed->started = true;
    feed->bookmark = last_event_id;
    feed->subscriber->started(std::move(backlog), last_event_id, views::seq_of(*books));
  } else {
    for (AlertEvent& event : backlog) {
      if (!offer_one(*feed, std::make_shared<const AlertEvent>(std::move(event)))) return;
    }
  }
  if (!feed->gone.load()) live_.push_back(feed);
}

void Feeds::catch_up(const std::shared_ptr<Feed>& feed, const Snapshot& books) {
  if (feed->gone.load()) return;
  auto batch = std::make_shared<Batch>();
  batch->events = views::alert_events(*books, feed->bookmark, piece_);
  CHECK(!batch->events.empty());
  if (!feed->started) {
    feed->started = true;
    feed->bookmark = batch->events.back().event_id;
    feed->subscriber->started(std::move(batch->events), feed->bookmark, views::seq_of(*books));
    (*ask_)(feed);
    return;
  }
  for (const AlertEvent& event : batch->events) {
    if (!offer_one(*feed, std::shared_ptr<const AlertEvent>(batch, &event))) return;
  }
  // From here on, whoever lets go last asks for the next piece; that may be the follower after the pool is gone.
  batch->finished = [feed, ask = ask_, readers = std::weak_ptr<ReaderPool>(readers_)] {
    if (const auto pool = readers.lock()) pool->post([feed, ask] { (*ask)(feed); });
  };
}

void Feeds::offer(std::span<const std::shared_ptr<const AlertEvent>> events) {
  if (events.empty() || live_.empty()) return;
  for (const auto& feed : live_) {
    for (const auto& event : events) {
      if (!offer_one(*feed, event)) break;
    }
  }
  prune();
}

void Feeds::prune() {
  prune_.store(false);
  std::erase_if(live_, [](const auto& feed) { return feed->gone.load(); });
}

bool Feeds::offer_one(Feed& feed, const std::shared_ptr<const AlertEvent>& event) {
  if (feed.gone.load()) return false;
  if (feed.subscriber->offer(event)) {
    feed.bookmark = event->event_id;
    return true;
  }
  counters_.add("subscribers_cut", 1);
  log_line(LogLevel::kWarn, "subscriber.cut", {{"bookmark", feed.bookmark}});
  end(feed,
      Status(Code::kResourceExhausted, "the subscriber is too slow and was cut; resume from bookmark " + std::to_string(feed.bookmark)));
  return false;
}

void Feeds::end(Feed& feed, const Status& why) {
  if (feed.gone.exchange(true)) return;
  forget(feed.subscriber.get());
  feed.subscriber->ended(why);
}

void Feeds::forget(const AlertSubscriber* subscriber) {
  std::lock_guard lock(mutex_);
  feeds_.erase(subscriber);
}

void Feeds::end_all(const Status& why) {
  std::unordered_map<const AlertSubscriber*, std::shared_ptr<Feed>> left;
  {
    std::lock_guard lock(mutex_);
    left.swap(feeds_);
  }
  for (const auto& [subscriber, feed] : left) {
    if (!feed->gone.exchange(true)) feed->subscriber->ended(why);
  }
  live_.clear();
}

}  // namespace halocline
