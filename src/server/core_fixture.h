// What the core's tests share: a small floor, sinks and followers that keep what they get, and a journal whose commits wait
// until the test lets them go. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "command/codec.h"
#include "journal/memory_journal.h"
#include "server/books_at_start.h"
#include "server/core.h"

namespace halocline {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;
inline constexpr Nanos kMorning = 1'795'516'933'000'000'000;

// The books and the journal of a server's inside on a directory, which may have been started before.
inline BooksAtStart books_in(Disk& disk, Clock& clock, const std::string& directory, std::uint64_t segment_bytes = 64 << 10,
                             const std::string& checkpoints = "") {
  FileJournalOptions options;
  options.directory = directory + "/journal";
  options.segment_bytes = segment_bytes;
  options.crash_at = "";
  options.now = kMorning;
  Result<BooksAtStart> opened = books_at_start(disk, clock, options, checkpoints);
  CHECK(opened.ok(), "%s", opened.status().message().c_str());
  return opened.take();
}

// Keeps acknowledgements in the order they came, one entry a submission.
class KeepingSink final : public AckSink {
 public:
  struct Answer {
    std::uint64_t token = 0;
    std::vector<Acknowledgement> acks;
    Status abandoned;
  };

  void acknowledged(std::uint64_t token, std::span<const Acknowledgement> acks) override {
    add({token, {acks.begin(), acks.end()}, ok_status()});
  }
  void abandoned(std::uint64_t token, const Status& why) override { add({token, {}, why}); }

  // Waits until there are so many, and gives them.
  std::vector<Answer> wait_for(std::size_t answers) {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return answers_.size() >= answers; });
    return answers_;
  }
  std::size_t size() {
    std::lock_guard lock(mutex_);
    return answers_.size();
  }

 private:
  void add(Answer answer) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    more_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<Answer> answers_;
};

// Follows like a gateway: holds events until they are taken, and has room for `room` of them.
class KeepingSubscriber final : public AlertSubscriber {
 public:
  explicit KeepingSubscriber(std::size_t room) : room_(room) {}

  void started(std::vector<AlertEvent> backlog, std::uint64_t complete_to, Seq) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(started_);
    started_ = true;
    complete_to_ = complete_to;
    for (const AlertEvent& event : backlog) taken_.push_back(event.event_id);
    more_.notify_all();
  }
  bool offer(const std::shared_ptr<const AlertEvent>& event) override {
    std::lock_guard lock(mutex_);
    EXPECT_TRUE(started_);
    EXPECT_FALSE(ended_);
    if (held_.size() == room_) return false;
    held_.push_back(event);
    highest_ = std::max(highest_, held_.size());
    more_.notify_all();
    return true;
  }
  void ended(const Status& why) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(ended_);
    ended_ = true;
    why_ = why;
    more_.notify_all();
  }

  // Takes events until one has this id.
  void take_until(std::uint64_t event_id) {
    std::unique_lock lock(mutex_);
    while (taken_.empty() || taken_.back() < event_id) {
      more_.wait(lock, [&] { return !held_.empty() || ended_ || (!taken_.empty() && taken_.back() >= event_id); });
      take(lock);
      if (ended_ && held_.empty()) return;
    }
  }
  // Waits for the end, then takes what was still held.
  Status wait_ended() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return ended_; });
    take(lock);
    return why_;
  }
  std::uint64_t wait_started() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return started_ || ended_; });
    return complete_to_;
  }
  const std::vector<std::uint64_t>& taken() const { return taken_; }
  std::size_t highest() const { return highest_; }

 private:
  // Letting go of an event may call back into the core, so not under the lock.
  void take(std::unique_lock<std::mutex>& lock) {
    std::deque<std::shared_ptr<const AlertEvent>> events;
    events.swap(held_);
    lock.unlock();
    std::vector<std::uint64_t> ids;
    for (const auto& event : events) ids.push_back(event->event_id);
    events.clear();
    lock.lock();
    taken_.insert(taken_.end(), ids.begin(), ids.end());
  }

  const std::size_t room_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::shared_ptr<const AlertEvent>> held_;
  std::vector<std::uint64_t> taken_;
  std::size_t highest_ = 0;
  std::uint64_t complete_to_ = 0;
  bool started_ = false, ended_ = false;
  Status why_;
};

// Commits wait while held; the next one fails when told to.
class HoldingJournal final : public Journal {
 public:
  Status append(const BlockView& block) override {
    times_.push_back(block.time);
    return inner_.append(block);
  }
  Result<Seq> commit() override {
    std::unique_lock lock(mutex_);
    waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    waiting_ = false;
    if (!failure_.ok()) return failure_;
    return inner_.commit();
  }
  bool commit_waits() const override { return commit_waits_; }
  Status close() override {
    closed_ = true;
    return inner_.close();
  }
  Seq next_seq() const override { return inner_.next_seq(); }
  JournalStats stats() const override { return inner_.stats(); }

  // Before the core is started.
  void say_commit_waits(bool waits) { commit_waits_ = waits; }
  void hold() { set(true, ok_status()); }
  void let_go(Status failure = ok_status()) { set(false, std::move(failure)); }
  // Until a commit is being held.
  void wait_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_ && waiting_; });
  }
  // After the core stopped.
  const std::vector<Nanos>& times() const { return times_; }
  bool closed() const { return closed_; }

 private:
  void set(bool held, Status failure) {
    std::lock_guard lock(mutex_);
    held_ = held;
    failure_ = std::move(failure);
    changed_.notify_all();
  }
  MemoryJournal inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false, waiting_ = false, closed_ = false, commit_waits_ = true;
  Status failure_;
  std::vector<Nanos> times_;
};

inline Submission submission_of(const std::vector<Command>& commands, std::shared_ptr<AckSink> sink, std::uint64_t token = 0) {
  Submission submission;
  for (const Command& command : commands) append_record(command, submission.records);
  submission.count = static_cast<std::uint32_t>(commands.size());
  submission.sink = std::move(sink);
  submission.token = token;
  return submission;
}

// Eight commands: a firm in USD with one of each thing, and a limit on the trader's gross exposure of 1000.
inline std::vector<Command> floor_commands() {
  Instrument ibm;
  ibm.symbol = "IBM", ibm.currency = "USD", ibm.multiplier = limits::kScale;
  Limit gross;
  gross.name = "ann gross", gross.kind = NodeKind::kTrader, gross.node = "ann", gross.measure = Measure::kGross;
  gross.breach = Int128{1'000} * limits::kScale;
  return {Firm{"Halo", "USD"}, Desk{"rates"}, Book{"b1", "rates"}, Trader{"ann", "rates"}, Counterparty{"cp"}, ibm, gross,
          Price{"IBM", 100 * limits::kScale, 0}};
}
inline constexpr Seq kFloor = 8;

// `id` must outlive the use of the command. 20 shares at 100 break the limit.
inline Trade trade_of(const std::string& id, std::int64_t shares = 1, Side side = Side::kBuy) {
  Trade trade;
  trade.source = "t", trade.trade_id = id, trade.version = 1, trade.book = "b1", trade.trader = "ann";
  trade.counterparty = "cp", trade.instrument = "IBM", trade.side = side;
  trade.quantity = shares * limits::kScale, trade.price = 100 * limits::kScale;
  return trade;
}

// The answer to a read, to be waited for.
template <class T, class Call>
std::future<Result<At<T>>> begin_to_ask(Call call) {
  const auto promise = std::make_shared<std::promise<Result<At<T>>>>();
  auto answer = promise->get_future();
  call([promise](Result<At<T>> result) { promise->set_value(std::move(result)); });
  return answer;
}
template <class T, class Call>
Result<At<T>> ask(Call call) {
  return begin_to_ask<T>(std::move(call)).get();
}

}  // namespace halocline
