#include "server/engine_stage.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/apply_records.h"

namespace halocline {

void EngineStage::run() {
  queries::LiveQueries& live = engine_.queries();
  std::unique_lock lock(at_work_);
  live.read_at_most(rows_at_once_);
  live.on_dropped([this](std::shared_ptr<void> kept) { first_answers_.discard(std::move(kept)); });
  do {
    lock.unlock();
    p_.engine_bell.wait([&] { return !p_.to_engine.empty(); });
    lock.lock();
  } while (work() != Did::kEnd);
  live.on_dropped({});
  p_.to_publisher.push(nullptr);
  p_.publisher_bell.ring();
}

bool EngineStage::help() {
  const std::unique_lock lock(at_work_, std::try_to_lock);
  return lock.owns_lock() && work() == Did::kBlock;
}

Snapshot EngineStage::last_books() {
  const std::lock_guard lock(at_work_);
  return engine_.snapshot();
}

EngineStage::Did EngineStage::work() {
  Block* block = nullptr;
  if (!p_.to_engine.try_pop(block)) return Did::kNothing;
  if (block == nullptr) return Did::kEnd;
  apply(*block);
  const Seq last_seq = block->last_seq;
  p_.to_publisher.push(block);  // from here on the block is the publisher's
  publish_progress();
  if (p_.durable_seq.load() >= last_seq || p_.failed.load()) p_.publisher_bell.ring();
  if (p_.deadline.load() < p_.armed_for.load()) p_.sequencer_bell.ring();
  return Did::kBlock;
}

void EngineStage::apply(Block& block) {
  std::array<std::uint32_t, kOutcomeCount> outcomes{};
  engine_.queries().renew();
  apply_records(engine_, block.first_seq, block.time, block.count, block.records, events_, [&](Seq seq, const Applied& applied) {
    block.acks.push_back({seq, applied.first_seq, applied.outcome});
    ++outcomes[static_cast<std::size_t>(applied.outcome)];
    if (effects_ != nullptr) effects_->note(seq, applied);
  });
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] != 0) add_to(p_.metrics.outcomes[i], outcomes[i]);
  }
  for (AlertEvent& event : events_) block.events.push_back(std::make_shared<const AlertEvent>(std::move(event)));
  add_to(p_.metrics.alert_events, events_.size());
  events_.clear();
  if (effects_ != nullptr) {
    for (const auto& event : block.events) effects_->note(event);
    effects_->end_block(block.last_seq);
  }
  block.query_events = engine_.queries().take();
  watches_.let_go(engine_.queries());
  watches_.begin(block.watches, engine_);
  first_answers_.attend(block, engine_);
  block.dropped_queries = engine_.take_dropped_queries();
  block.refused_releases = engine_.take_refused_releases();
  block.last_event_id = engine_.last_event_id();
  if (!block.reads.empty() || !block.follows.empty()) block.books = engine_.snapshot();
  for (const auto& wish : block.wishes) wish->books = engine_.snapshot_without_index();
  if (!block.counts_reads.empty()) block.counts = engine_.counts();
  if (checkpoints_ != nullptr && block.count > 0) {
    if (checkpoints_->wants(engine_.last_seq(), block.records.size(), engine_.counts().trades)) checkpoints_->take(engine_.snapshot());
  }
  if (block.count > 0) {
    p_.metrics.sequenced_applied.record(p_.clock.monotonic() - block.sequenced, std::max<std::size_t>(block.waiting.size(), 1));
  }
}

void EngineStage::publish_progress() {
  p_.last_event_id.store(engine_.last_event_id(), std::memory_order_relaxed);
  p_.applied_time.store(engine_.last_time(), std::memory_order_relaxed);
  p_.deadline.store(engine_.deadline());
  p_.applied_seq.store(engine_.last_seq());
}

}  // namespace halocline
