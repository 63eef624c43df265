#include "server/publisher.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/log.h"
#include "command/outcome.h"

namespace halocline {
namespace {

constexpr std::int64_t kProgressEvery = 50'000'000;  // ns: marks of progress to those who watch queries

}  // namespace

void Publisher::run() {
  const auto ready = [&] {
    const std::lock_guard held(at_work_);
    return must_work();
  };
  std::unique_lock lock(at_work_);
  do {
    const std::int64_t most = may_sleep();
    lock.unlock();
    p_.publisher_bell.wait(ready, most);
    lock.lock();
  } while (work());
  lock.unlock();
  // The end of the ring came through the sequencer, which pops the queue no more; what it left is abandoned here.
  while (Inbound* inbound = p_.inbound.front()) {
    abandon(*inbound);
    p_.inbound.pop();
  }
}

bool Publisher::help() {
  const std::unique_lock lock(at_work_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  if (courier_ != nullptr) courier_->gather();
  work();
  if (courier_ != nullptr) courier_->deliver();
  tell_progress();
  if (must_time()) p_.publisher_bell.ring();
  return true;
}

void Publisher::set_courier(Courier* courier) {
  const std::lock_guard lock(at_work_);
  courier_ = courier;
}

std::int64_t Publisher::may_sleep() {
  tell_progress();
  timed_ = released_ != told_;
  return timed_ ? std::max<std::int64_t>(told_at_ + kProgressEvery - p_.clock.monotonic(), 0) : Doorbell::kForever;
}

bool Publisher::must_work() const {
  if (feeds_.must_prune() || watches_.must_attend() || must_time()) return true;
  Block** front = p_.to_publisher.front();
  return front != nullptr && (*front == nullptr || releasable(**front) || p_.failed.load());
}

// False at the end of the ring.
bool Publisher::work() {
  if (feeds_.must_prune()) feeds_.prune();
  if (watches_.must_attend()) watches_.attend();
  Block** front = p_.to_publisher.front();
  if (front == nullptr) return true;
  if (*front == nullptr) return false;
  Block& block = **front;
  // Failure is looked at first: what was durable before it is released, and nothing becomes durable after it.
  const bool failed = p_.failed.load();
  if (releasable(block)) {
    release(block);
  } else if (failed) {
    abandon(block);
  } else {
    return true;
  }
  p_.to_publisher.pop();
  recycle(block);
  return true;
}

void Publisher::release(Block& block) {
  feeds_.offer(block.events);
  watches_.offer(block.query_events);
  for (const std::string& name : block.dropped_queries) watches_.dropped(name, block.last_seq);
  std::span<const Acknowledgement> acks(block.acks);
  for (const Waiting& one : block.waiting) {
    if (one.sink != nullptr) one.sink->acknowledged(one.token, acks.first(one.count));
    acks = acks.subspan(one.count);
  }
  for (const RefusedRelease& refused : block.refused_releases) {
    p_.metrics.named.add("parked_refused", 1);
    log_line(LogLevel::kWarn, "parked.refused", {{"source", refused.source}, {"trade_id", refused.trade_id},
        {"instrument", refused.instrument}, {"why", outcome_name(refused.outcome)}});
  }
  const std::int64_t now = p_.clock.monotonic();
  for (const Waiting& one : block.waiting) {
    p_.metrics.durable_published.record(now - block.durable);
    p_.metrics.received_published.record(now - one.received);
  }
  for (const auto& watch : block.watches) watches_.start(watch);
  released_ = block.last_seq, released_time_ = block.time;
  for (const auto& feed : block.follows) feeds_.start(feed, block.books, block.last_event_id);
  for (const auto& wish : block.wishes) wish->answer(std::move(wish->books));
  for (Read& read : block.reads) {
    readers_.post([read = std::move(read), books = Result<Snapshot>(block.books)] { read(books); });
  }
  for (CountsRead& read : block.counts_reads) {
    readers_.post([read = std::move(read), counts = Result<StateCounts>(block.counts)] { read(counts); });
  }
}

// Everything up to the last released seq has been offered: said now and then, and soon after the last.
void Publisher::tell_progress() {
  if (released_ == told_) return;
  const std::int64_t now = p_.clock.monotonic();
  if (now - told_at_ < kProgressEvery) return;
  told_at_ = now;
  if (watches_.progress(released_, released_time_, now)) told_ = released_;
}

void Publisher::abandon(Block& block) {
  for (const Waiting& one : block.waiting) {
    if (one.sink != nullptr) one.sink->abandoned(one.token, p_.failure);
  }
  for (const auto& wish : block.wishes) wish->answer(p_.failure);
  for (Read& read : block.reads) {
    readers_.post([read = std::move(read), why = Result<Snapshot>(p_.failure)] { read(why); });
  }
  for (CountsRead& read : block.counts_reads) {
    readers_.post([read = std::move(read), why = Result<StateCounts>(p_.failure)] { read(why); });
  }
}

void Publisher::abandon(Inbound& inbound) {
  if (inbound.submission.count > 0) {
    if (inbound.submission.sink != nullptr) inbound.submission.sink->abandoned(inbound.submission.token, p_.failure);
  } else if (inbound.wish != nullptr) {
    inbound.wish->answer(p_.failure);
  } else if (inbound.read) {
    readers_.post([read = std::move(inbound.read), why = Result<Snapshot>(p_.failure)] { read(why); });
  } else if (inbound.counts) {
    readers_.post([read = std::move(inbound.counts), why = Result<StateCounts>(p_.failure)] { read(why); });
  }
}

void Publisher::recycle(Block& block) {
  block.clear();
  p_.free.push(&block);
  if (p_.wants_block.load()) p_.sequencer_bell.ring();
}

}  // namespace halocline
