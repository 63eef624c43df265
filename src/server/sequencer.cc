#include "server/sequencer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/rest.h"
#include "command/codec.h"

namespace halocline {
namespace {

constexpr std::uint32_t kFewCommands = 64;  // a block of no more is faster applied than handed over

}  // namespace

void Sequencer::run() {
  while (true) {
    wait_for_work();
    const bool waiting = p_.inbound.front() != nullptr;
    if (!waiting && p_.inbound.finished()) break;
    if (!waiting && !timer_due()) continue;
    keep_pace();
    Block& block = take_block();
    gather(block);
    if (block.count == 0 && !block.asks()) add_timer(block);
    if (const Status status = sequence(block); !status.ok()) return fail(status);
  }
  if (const Status status = journal_.close(); !status.ok()) return fail(status);
  p_.to_engine.push(nullptr);
  p_.engine_bell.ring();
}

bool Sequencer::timer_due() const {
  return p_.applied_seq.load() == last_seq_ && p_.deadline.load() <= p_.clock.wall();
}

// The engine rings when it gets to a deadline before `armed_for`; it stores the deadline and the seq and then looks at `armed_for`,
// which is stored here before they are looked at. It is armed with the deadline known by now although a block may be under way, so that
// the engine need not ring after each block: a deadline put off costs one look in vain. One that is due waits for the engine.
void Sequencer::wait_for_work() {
  p_.inbound.made_room();
  Nanos until = p_.deadline.load();
  if (p_.applied_seq.load() != last_seq_ && until <= p_.clock.wall()) until = kNever;
  p_.armed_for.store(until);
  const auto ready = [&] {
    if (p_.inbound.front() != nullptr || p_.inbound.finished()) return true;
    return p_.applied_seq.load() == last_seq_ && p_.deadline.load() < until;  // it came before `armed_for` was stored
  };
  const auto ready_or_due = [&] { return ready() || timer_due(); };
  p_.sequencer_bell.wait(ready_or_due, until == kNever ? Doorbell::kForever : std::max<Nanos>(until - p_.clock.wall(), 0));
  p_.armed_for.store(kAwake);
}

// Asleep without the bell: what comes meanwhile need not wake this thread.
void Sequencer::keep_pace() const {
  if (p_.inbound.weight() < journal_.max_block_bytes()) rest(pace_.next() - p_.clock.monotonic());
}

Block& Sequencer::take_block() {
  if (p_.free.empty()) {
    p_.wants_block.store(true);
    p_.sequencer_bell.wait([&] { return !p_.free.empty(); });
    p_.wants_block.store(false);
  }
  Block* block = nullptr;
  CHECK(p_.free.try_pop(block));
  return *block;
}

void Sequencer::gather(Block& block) {
  p_.inbound.note_depth();
  while (Inbound* inbound = p_.inbound.front()) {
    const std::size_t reads = block.reads.size() + block.counts_reads.size();
    if (block.waiting.size() + reads + block.follows.size() + block.watches.size() == kMaxBlockItems) break;
    Submission& submission = inbound->submission;
    if (submission.count > 0) {
      if (block.records.size() + submission.records.size() > journal_.max_block_bytes()) break;
      if (block.count + submission.count > kMaxBlockCommands) break;
      block.records.insert(block.records.end(), submission.records.begin(), submission.records.end());
      block.count += submission.count;
      block.waiting.push_back({std::move(submission.sink), submission.token, submission.count, submission.received});
    } else if (inbound->read) {
      block.reads.push_back(std::move(inbound->read));
    } else if (inbound->counts) {
      block.counts_reads.push_back(std::move(inbound->counts));
    } else if (inbound->wish != nullptr) {
      block.wishes.push_back(std::move(inbound->wish));
    } else if (inbound->round != nullptr) {
      block.rounds.push_back(std::move(inbound->round));
    } else if (inbound->watch != nullptr) {
      if (block.watches.size() == kMaxBlockWatches) break;
      block.watches.push_back(std::move(inbound->watch));
    } else {
      block.follows.push_back(std::move(inbound->follow));
    }
    p_.inbound.pop();
  }
  p_.inbound.made_room();
}

void Sequencer::add_timer(Block& block) {
  append_record(Timer{}, block.records);
  block.count = 1;
  add_to(p_.metrics.timers, 1);
}

bool Sequencer::is_alone(const Block& block) {
  return block.count <= kFewCommands && !block.asks() && p_.free.depth() == kBlocks - 1 && p_.inbound.front() == nullptr;
}

Status Sequencer::sequence(Block& block) {
  block.time = last_time_ = std::max(last_time_, p_.clock.wall());
  block.first_seq = last_seq_ + 1;
  block.last_seq = last_seq_ += block.count;
  block.sequenced = p_.clock.monotonic();
  for (const Waiting& one : block.waiting) p_.metrics.received_sequenced.record(block.sequenced - one.received);
  add_to(p_.metrics.submissions, block.waiting.size());
  if (block.count == 0) {
    block.durable = block.sequenced;
    p_.to_engine.push(&block);
    p_.engine_bell.ring();
    return ok_status();
  }
  const bool alone = is_alone(block);
  p_.to_engine.push(&block);
  if (!alone || journal_.commit_waits() || !engine_.help()) p_.engine_bell.ring();

  // The engine reads the block now; the journal may too, nobody writes it.
  const Nanos began = p_.clock.monotonic();
  const BlockView view{block.first_seq, block.time, block.count, block.records};
  if (Status status = journal_.append(view); !status.ok()) return status;
  const Result<Seq> committed = journal_.commit();
  if (!committed.ok()) return committed.status();
  CHECK(committed.value() == last_seq_);
  block.durable = p_.clock.monotonic();
  if (journal_.commit_waits()) pace_.committed(began, block.durable, p_.clock.processor_time());
  p_.metrics.sequenced_durable.record(block.durable - block.sequenced, std::max<std::size_t>(block.waiting.size(), 1));
  p_.durable_seq.store(last_seq_);  // from here on the block is the publisher's
  if (p_.applied_seq.load() < last_seq_) return ok_status();  // the engine rings
  if (!alone || !publisher_.help()) p_.publisher_bell.ring();
  return ok_status();
}

void Sequencer::fail(const Status& why) {
  const bool full = why.code() == Code::kResourceExhausted;
  p_.failure = Status(full ? Code::kResourceExhausted : Code::kUnavailable,
                      (full ? "the journal's disk is full, the server stops: " : "the journal failed, the server stops: ") + why.message());
  log_line(LogLevel::kError, full ? "journal.full" : "journal.failed",
           {{"why", why.message()}, {"durable_seq", p_.durable_seq.load()}, {"last_seq", last_seq_}});
  p_.inbound.close();
  p_.failed.store(true);
  p_.to_engine.push(nullptr);
  p_.engine_bell.ring();
  p_.publisher_bell.ring();
  on_failure_(why);
}

}  // namespace halocline
