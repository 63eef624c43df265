// A Port for tests: keeps what is submitted, and answers when the test says so (or at once, on a thread of its own,
// as the core does). Reads answer with the rows the test has put in. Each of its methods may be called on any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "command/codec.h"
#include "command/port.h"

namespace halocline::rpc {

class RecordingPort final : public Port {
 public:
  // Outcome of a command; by default all are ACCEPTED.
  void judge_by(std::function<Outcome(const Command&)> judge) {
    const std::lock_guard lock(mutex_);
    judge_ = std::move(judge);
  }
  // What reads answer with, and what the last query was asked with.
  struct Reads {
    std::vector<PositionRow> positions;
    std::vector<NodeRow> nodes;
    std::vector<LimitRow> limits{1};
    std::vector<AlertRow> alerts{2};
    std::vector<TradeRow> trades;
    ReferenceRows reference;
    QueryRows query;
    QueryParameters parameters;
  };
  // Sets or looks at them: use(Reads&), with the port's lock held.
  template <class Use>
  auto reads(Use&& use) {
    const std::lock_guard lock(mutex_);
    return use(reads_);
  }

  explicit RecordingPort(bool answers_at_once = true) : releasing_(answers_at_once), core_([this] { run(); }) {}
  ~RecordingPort() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    core_.join();
  }

  // Answers everything from now on, or keeps everything unanswered.
  void release(bool on) {
    const std::lock_guard lock(mutex_);
    releasing_ = on;
    changed_.notify_all();
  }
  // submit() blocks, as when the core's queue is full.
  void block(bool on) {
    const std::lock_guard lock(mutex_);
    blocking_ = on;
    changed_.notify_all();
  }
  // submit() refuses, and everything unanswered is abandoned, as when the core stops.
  void abandon() {
    std::deque<Submission> abandoned;
    {
      const std::lock_guard lock(mutex_);
      refusing_ = true;
      abandoned.swap(waiting_);
      changed_.notify_all();
    }
    for (Submission& one : abandoned) one.sink->abandoned(one.token, stopped());
  }

  // Waits until something has happened (or `most` has passed, for a test that fails, or for something that must not happen).
  // The condition is looked at whenever the port's state changes, with its lock held.
  struct Seen {
    std::size_t submissions = 0;
    bool has_subscriber = false;
    std::size_t unfollowed = 0;
  };
  template <class Condition>
  [[nodiscard]] bool sees(Condition&& condition, std::chrono::milliseconds most = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [&] { return condition(Seen{submissions_, subscriber_ != nullptr, unfollowed_}); });
  }

  std::size_t submissions() const {
    const std::lock_guard lock(mutex_);
    return submissions_;
  }
  std::shared_ptr<AlertSubscriber> subscriber() const {
    const std::lock_guard lock(mutex_);
    return subscriber_;
  }

  Status submit(Submission submission) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !blocking_ || refusing_; });
    if (refusing_) return stopped();
    ++submissions_;
    waiting_.push_back(std::move(submission));
    changed_.notify_all();
    return ok_status();
  }

  void positions(AsOf, PositionFilter, Reply<std::vector<PositionRow>> reply) override { reply(at(&Reads::positions)); }
  void nodes(AsOf, NodeFilter, Reply<std::vector<NodeRow>> reply) override { reply(at(&Reads::nodes)); }
  void limits(AsOf, Reply<std::vector<LimitRow>> reply) override { reply(at(&Reads::limits)); }
  void alerts(AsOf, AlertFilter, Reply<std::vector<AlertRow>> reply) override { reply(at(&Reads::alerts)); }
  void reference(AsOf, Reply<ReferenceRows> reply) override { reply(at(&Reads::reference)); }
  void trade(AsOf, std::string, std::string, Reply<std::vector<TradeRow>> reply) override { reply(at(&Reads::trades)); }
  void query(AsOf, std::string sql, QueryParameters parameters, Reply<QueryRows> reply) override {
    if (sql.empty()) return reply(Status(Code::kInvalidArgument, "line 1, column 1: nothing is asked"));
    reads([&](Reads& reads) { reads.parameters = std::move(parameters); });
    reply(at(&Reads::query));
  }
  void status(bool, Reply<StatusReport> reply) override {
    StatusReport report;
    report.state = "serving";
    reply(At<StatusReport>{42, 43, report});
  }

  // The test plays the core to the subscriber.
  void fix_ledger(Reply<FixLedger> reply) override { reply(At<FixLedger>{1, 1, {}}); }
  void fix_sent(std::string, std::uint32_t, std::uint32_t, std::size_t, Reply<std::vector<FixSentRow>> reply) override {
    reply(At<std::vector<FixSentRow>>{1, 1, {}});
  }
  void set_courier(Courier* courier) override {
    const std::lock_guard lock(telling_);
    courier_ = courier;
  }
  void set_fix_desk(FixDesk*) override {}
  Result<std::vector<FixSessionRow>> fix_sessions() override { return Status(Code::kNotFound, "no FIX"); }
  void fix_reset(const std::string&, std::function<void(const Status&)> done) override { done(Status(Code::kNotFound, "no FIX")); }
  void follow_alerts(std::uint64_t bookmark, bool, std::shared_ptr<AlertSubscriber> subscriber) override {
    if (bookmark > 1'000'000) {
      subscriber->ended(Status(Code::kOutOfRange, "event " + std::to_string(bookmark) + " is ahead of the newest"));
      return;
    }
    const std::lock_guard lock(mutex_);
    subscriber_ = std::move(subscriber);
    changed_.notify_all();
  }
  void unfollow(const AlertSubscriber* subscriber) override {
    const std::lock_guard lock(mutex_);
    if (subscriber_.get() != subscriber) return;
    subscriber_ = nullptr;
    ++unfollowed_;
    changed_.notify_all();
  }
  // The test plays the core to it too.
  void watch(WatchRequest request, std::shared_ptr<QuerySubscriber> subscriber) override {
    if (request.sql.empty()) return subscriber->ended(Status(Code::kInvalidArgument, "line 1, column 1: nothing is asked"));
    const std::lock_guard lock(mutex_);
    watchers_.push_back(std::move(subscriber));
    changed_.notify_all();
  }
  void unwatch(const QuerySubscriber* subscriber) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(watchers_, [&](const auto& one) { return one.get() == subscriber; });
    changed_.notify_all();
  }
  std::vector<std::shared_ptr<QuerySubscriber>> watchers() const {
    const std::lock_guard lock(mutex_);
    return watchers_;
  }
  void count(const char*, std::uint64_t) override {}

 private:
  static Status stopped() { return Status(Code::kUnavailable, "the server is stopping"); }

  template <class T>
  At<T> at(T Reads::*rows) {
    return reads([&](const Reads& reads) { return At<T>{42, 43, reads.*rows}; });
  }

  // Now by a courier and now without one, as the core does.
  void tell(const Submission& one, std::span<const Acknowledgement> acks) {
    const std::lock_guard lock(telling_);
    Courier* const courier = seq_ % 2 == 0 ? nullptr : courier_;
    if (courier != nullptr) courier->gather();
    one.sink->acknowledged(one.token, acks);
    if (courier != nullptr) courier->deliver();
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || (releasing_ && !waiting_.empty()); });
      if (stopping_) return;
      Submission one = std::move(waiting_.front());
      waiting_.pop_front();
      const std::function<Outcome(const Command&)> judge = judge_;
      lock.unlock();
      std::vector<Acknowledgement> acks;
      for (std::span<const std::byte> rest(one.records); !rest.empty();) {
        const FramedCommand next = first_command(rest);
        rest = rest.subspan(next.bytes);
        acks.push_back({++seq_, 0, judge ? judge(next.command) : Outcome::kAccepted});
      }
      CHECK(acks.size() == one.count);
      tell(one, acks);
      lock.lock();
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool releasing_ = true, blocking_ = false, refusing_ = false, stopping_ = false;
  std::function<Outcome(const Command&)> judge_;
  Reads reads_;
  std::deque<Submission> waiting_;
  std::size_t submissions_ = 0, unfollowed_ = 0;
  std::shared_ptr<AlertSubscriber> subscriber_;
  std::vector<std::shared_ptr<QuerySubscriber>> watchers_;
  Seq seq_ = 0;
  std::mutex telling_;
  Courier* courier_ = nullptr;
  std::thread core_;
};

}  // namespace halocline::rpc
