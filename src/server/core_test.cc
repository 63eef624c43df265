#include "server/core.h"

#include <pthread.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/disk.h"
#include "engine/views.h"
#include "journal/file_journal.h"
#include "server/core_fixture.h"
#include "server/replay.h"

namespace halocline {
namespace {

// With a journal whose commits take the time of a disk, during which the engine works, and one whose commits do not.
class CoreTest : public ::testing::TestWithParam<bool> {
 protected:
  CoreTest() { journal_.say_commit_waits(GetParam()); }
  void start(CoreOptions options = {}) {
    options.durability = "memory";
    core_.emplace(std::move(options), clock_, engine_, journal_, CoreStart{});
    core_->start();
    ASSERT_TRUE(core_->submit(submission_of(floor_commands(), sink_)).ok());
    const auto answers = sink_->wait_for(1);
    for (const Acknowledgement& ack : answers.front().acks) ASSERT_EQ(ack.outcome, Outcome::kAccepted) << ack.seq;
  }
  void TearDown() override { journal_.let_go(); }

  Status submit(const std::string& id, std::int64_t shares = 1, Side side = Side::kBuy, std::uint64_t token = 0) {
    return core_->submit(submission_of({trade_of(id, shares, side)}, sink_, token));
  }
  // Crosses the limit so many times up and down: two events each.
  void cross(int times) {
    for (int i = 0; i < times; ++i) {
      const std::string id = "c" + std::to_string(crossed_++);
      const std::string up = id + "u", down = id + "d";
      ASSERT_TRUE(core_->submit(submission_of({trade_of(up, 20), trade_of(down, 20, Side::kSell)}, crossings_)).ok());
    }
    crossings_->wait_for(static_cast<std::size_t>(crossed_));
  }
  static std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> ids;
    for (std::uint64_t id = first; id <= last; ++id) ids.push_back(id);
    return ids;
  }

  ManualClock clock_{kMorning};
  HoldingJournal journal_;
  Engine engine_;
  std::shared_ptr<KeepingSink> sink_ = std::make_shared<KeepingSink>();
  std::shared_ptr<KeepingSink> crossings_ = std::make_shared<KeepingSink>();
  int crossed_ = 0;
  std::optional<Core> core_;
};

TEST_P(CoreTest, SubmissionsAreAcknowledgedOnceInOrderWithConsecutiveSeqs) {
  start();
  constexpr std::uint64_t kSubmissions = 2'000;
  for (std::uint64_t i = 1; i <= kSubmissions; ++i) {
    const std::string a = std::to_string(i) + "a", b = std::to_string(i) + "b";
    ASSERT_TRUE(
        core_->submit(submission_of({trade_of(a, 1, i % 2 ? Side::kBuy : Side::kSell), trade_of(b), trade_of(a, 7)}, sink_, i)).ok());
  }
  const auto answers = sink_->wait_for(kSubmissions + 1);
  Seq seq = kFloor;
  for (std::uint64_t i = 1; i <= kSubmissions; ++i) {
    ASSERT_EQ(answers[i].token, i);
    ASSERT_EQ(answers[i].acks.size(), 3u);
    for (const Acknowledgement& ack : answers[i].acks) ASSERT_EQ(ack.seq, ++seq);
    ASSERT_EQ(answers[i].acks[0].outcome, Outcome::kAccepted);
    ASSERT_EQ(answers[i].acks[1].outcome, Outcome::kAccepted);
    ASSERT_EQ(answers[i].acks[2].outcome, Outcome::kConflict);
  }
  EXPECT_EQ(core_->report().durable_seq, seq);
}

TEST_P(CoreTest, WhoFollowsIsToldOfCommandsAndGetsBooksThatAreDurable) {
  CoreOptions options;
  options.followed.emplace();
  start(options);
  EXPECT_EQ(core_->settled_seq(), kFloor);
  ASSERT_TRUE(submit("a", 20).ok());
  ASSERT_TRUE(submit("a", 20).ok());  // once more: a duplicate
  sink_->wait_for(3);
  ASSERT_TRUE(core_->effects()->tells(1, kFloor + 2));
  std::vector<AlertEvent> events;
  for (Seq seq = 1; seq <= kFloor + 1; ++seq) EXPECT_EQ(core_->effects()->take(seq, events).outcome, Outcome::kAccepted);
  ASSERT_EQ(events.size(), 1u);  // the limit
  EXPECT_EQ(events.front().seq, kFloor + 1);
  const Applied twice = core_->effects()->take(kFloor + 2, events);
  EXPECT_EQ(twice.outcome, Outcome::kDuplicate);
  EXPECT_EQ(twice.first_seq, kFloor + 1);

  journal_.hold();
  ASSERT_TRUE(submit("b").ok());
  journal_.wait_held();
  auto books = std::async(std::launch::async, [&] { return core_->followed_books(); });
  EXPECT_EQ(core_->settled_seq(), kFloor + 2);
  journal_.let_go();
  const Result<Snapshot> got = books.get();
  ASSERT_TRUE(got.ok()) << got.status().message();
  EXPECT_EQ(views::seq_of(*got.value()), kFloor + 3);
  EXPECT_EQ(core_->settled_seq(), kFloor + 3);
  EXPECT_EQ(views::state_digest(*got.value()), views::state_digest(*engine_.snapshot()));

  journal_.hold();
  ASSERT_TRUE(submit("c").ok());
  journal_.wait_held();
  books = std::async(std::launch::async, [&] { return core_->followed_books(); });
  journal_.let_go(Status(Code::kIo, "the disk is gone"));
  EXPECT_EQ(books.get().status().code(), Code::kUnavailable);
  EXPECT_EQ(core_->followed_books().status().code(), Code::kUnavailable);
  EXPECT_FALSE(core_->stop().ok());
  EXPECT_EQ(core_->settled_seq(), kFloor + 3);
}

TEST_P(CoreTest, NothingLeavesBeforeItIsDurable) {
  start();
  auto follower = std::make_shared<KeepingSubscriber>(100);
  core_->follow_alerts(0, false, follower);
  follower->wait_started();
  journal_.hold();
  ASSERT_TRUE(submit("big", 20).ok());
  journal_.wait_held();
  std::promise<Seq> read_seq;
  core_->nodes({}, {}, [&](Result<At<std::vector<NodeRow>>> rows) { read_seq.set_value(rows.value().seq); });
  auto read = read_seq.get_future();
  while (core_->report().last_seq < kFloor + 1) std::this_thread::yield();  // applied: the engine runs ahead of the disk
  EXPECT_EQ(core_->report().durable_seq, kFloor);
  EXPECT_EQ(sink_->size(), 1u);
  EXPECT_TRUE(follower->taken().empty());
  EXPECT_EQ(follower->highest(), 0u);
  journal_.let_go();
  sink_->wait_for(2);
  follower->take_until(1);
  EXPECT_EQ(follower->taken(), range(1, 1));
  EXPECT_EQ(read.get(), kFloor + 1) << "a read sees what was submitted before it";
}

TEST_P(CoreTest, AFullQueueMakesTheSenderWaitAndLosesNothing) {
  CoreOptions options;
  options.queue_length = 4;
  start(options);
  journal_.hold();
  std::atomic<std::uint64_t> sent{0};
  std::atomic<bool> was_full{false};
  std::thread sender([&] {
    for (int afterwards = 0; afterwards < 500; afterwards += was_full.load()) {
      const std::uint64_t i = sent.load();
      ASSERT_TRUE(submit(std::to_string(i), 1, i % 2 ? Side::kBuy : Side::kSell).ok());
      sent.store(i + 1);
    }
  });
  journal_.wait_held();
  const std::uint64_t under_way = journal_.next_seq() - 1 - kFloor;  // any number: while the sequencer took them out there was room again
  while (core_->report().queues[0].depth < 4) std::this_thread::yield();
  EXPECT_LE(sent.load(), under_way + 4);
  was_full.store(true);
  journal_.let_go();
  sender.join();
  EXPECT_EQ(sink_->wait_for(1 + sent.load()).size(), 1 + sent.load());
  EXPECT_LE(core_->report().queues[0].highest, 4u);
}

TEST_P(CoreTest, ManySendersAllGetTheirs) {
  CoreOptions options;
  options.queue_length = 16;
  options.in_flight_bytes = 2'000;
  start(options);
  std::vector<std::thread> senders;
  std::vector<std::shared_ptr<KeepingSink>> sinks;
  for (int s = 0; s < 4; ++s) {
    sinks.push_back(std::make_shared<KeepingSink>());
    senders.emplace_back([this, s, sink = sinks.back()] {
      for (std::uint64_t i = 0; i < 500; ++i) {
        const std::string id = std::to_string(s) + "-" + std::to_string(i);
        ASSERT_TRUE(core_->submit(submission_of({trade_of(id)}, sink, i)).ok());
      }
    });
  }
  for (auto& sender : senders) sender.join();
  for (const auto& sink : sinks) {
    const auto answers = sink->wait_for(500);
    for (std::uint64_t i = 0; i < 500; ++i) ASSERT_EQ(answers[i].token, i);
  }
  EXPECT_EQ(core_->report().durable_seq, kFloor + 2'000);
}

TEST_P(CoreTest, AFollowerFromABookmarkWhileEventsKeepComingMissesNothing) {
  CoreOptions options;
  options.subscriber_queue = 64;  // so a backlog comes in pieces of 32
  options.queue_length = 8;
  start(options);
  cross(300);
  std::thread busy([&] { cross(300); });
  auto follower = std::make_shared<KeepingSubscriber>(1'000'000);
  core_->follow_alerts(7, false, follower);
  follower->take_until(1'200);
  busy.join();
  EXPECT_EQ(follower->taken(), range(8, 1'200));
  core_->unfollow(follower.get());
  EXPECT_EQ(core_->report().subscribers, 0u);
}

TEST_P(CoreTest, ALongBacklogIsSentAsFastAsItIsTakenAndNeverMoreThanAPieceAhead) {
  CoreOptions options;
  options.subscriber_queue = 64;
  start(options);
  cross(500);
  auto follower = std::make_shared<KeepingSubscriber>(64 + kInlineBacklog);
  core_->follow_alerts(0, false, follower);
  follower->take_until(1'000);
  EXPECT_EQ(follower->taken(), range(1, 1'000));
  EXPECT_LE(follower->highest(), 64 + kInlineBacklog);
}

TEST_P(CoreTest, ASlowFollowerIsCutWithABookmarkAndResumesWithoutAGap) {
  start();
  auto slow = std::make_shared<KeepingSubscriber>(5);
  core_->follow_alerts(0, true, slow);
  EXPECT_EQ(slow->wait_started(), 0u);
  cross(10);
  const Status why = slow->wait_ended();
  EXPECT_EQ(why.code(), Code::kResourceExhausted);
  EXPECT_NE(why.message().find("bookmark 5"), std::string::npos) << why.message();
  EXPECT_EQ(slow->taken(), range(1, 5));
  auto again = std::make_shared<KeepingSubscriber>(100);
  core_->follow_alerts(5, false, again);
  again->take_until(20);
  EXPECT_EQ(again->taken(), range(6, 20));
  EXPECT_EQ(core_->report().subscribers, 1u);
}

TEST_P(CoreTest, ABookmarkOfTheFutureAndTooManyFollowersAreRefused) {
  CoreOptions options;
  options.max_subscribers = 1;
  start(options);
  auto early = std::make_shared<KeepingSubscriber>(1);
  core_->follow_alerts(1, false, early);
  EXPECT_EQ(early->wait_ended().code(), Code::kOutOfRange);
  auto first = std::make_shared<KeepingSubscriber>(1), second = std::make_shared<KeepingSubscriber>(1);
  core_->follow_alerts(0, false, first);
  first->wait_started();
  core_->follow_alerts(0, false, second);
  EXPECT_EQ(second->wait_ended().code(), Code::kResourceExhausted);
  EXPECT_EQ(core_->stop().code(), Code::kOk);
  EXPECT_EQ(first->wait_ended().code(), Code::kUnavailable);
}

TEST_P(CoreTest, ReadsBeyondTheBoundAreRefusedAtOnce) {
  CoreOptions options;
  options.max_reads = 1;
  start(options);
  journal_.hold();
  ASSERT_TRUE(submit("x").ok());
  journal_.wait_held();
  std::promise<bool> first;
  core_->limits({}, [&](Result<At<std::vector<LimitRow>>> rows) { first.set_value(rows.ok()); });
  const auto second = ask<std::vector<LimitRow>>([&](auto reply) { core_->limits({}, reply); });
  EXPECT_EQ(second.status().code(), Code::kResourceExhausted);
  journal_.let_go();
  EXPECT_TRUE(first.get_future().get());
}

TEST_P(CoreTest, StopFinishesWhatWasTakenSealsAndRefusesMore) {
  start();
  journal_.hold();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(submit(std::to_string(i)).ok());
  journal_.wait_held();
  std::thread stopping([&] { EXPECT_TRUE(core_->stop().ok()); });
  while (core_->report().state != "draining") std::this_thread::yield();
  journal_.let_go();
  stopping.join();
  EXPECT_EQ(sink_->size(), 101u);
  EXPECT_TRUE(journal_.closed());
  EXPECT_EQ(submit("late").code(), Code::kUnavailable);
  EXPECT_EQ(ask<std::vector<LimitRow>>([&](auto reply) { core_->limits({}, reply); }).status().code(), Code::kUnavailable);
}

TEST_P(CoreTest, AfterAJournalFailureNothingIsAcknowledgedAndEveryoneWaitingIsTold) {
  for (const Code code : {Code::kIo, Code::kResourceExhausted}) {
    ManualClock clock(kMorning);
    HoldingJournal journal;
    journal.say_commit_waits(GetParam());
    Engine engine;
    auto sink = std::make_shared<KeepingSink>();
    std::promise<Status> failed;
    CoreOptions options;
    options.on_failure = [&](const Status& why) { failed.set_value(why); };
    Core core(options, clock, engine, journal, {});
    core.start();
    ASSERT_TRUE(core.submit(submission_of(floor_commands(), sink)).ok());
    sink->wait_for(1);
    auto follower = std::make_shared<KeepingSubscriber>(10);
    core.follow_alerts(0, false, follower);
    follower->wait_started();
    journal.hold();
    for (const std::string id : {"a", "b", "c"}) ASSERT_TRUE(core.submit(submission_of({trade_of(id, 20)}, sink)).ok());
    journal.wait_held();
    journal.let_go(Status(code, "broken"));
    EXPECT_EQ(failed.get_future().get().code(), code);
    const Code told = code == Code::kResourceExhausted ? Code::kResourceExhausted : Code::kUnavailable;
    const auto answers = sink->wait_for(4);
    for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(answers[i].abandoned.code(), told);
    EXPECT_EQ(core.submit(submission_of({trade_of("d")}, sink)).code(), told);
    EXPECT_EQ(core.stop().code(), told);
    EXPECT_EQ(follower->wait_ended().code(), told);
    EXPECT_TRUE(follower->taken().empty());
    EXPECT_FALSE(journal.closed());
  }
}

// Notes on which thread it is told, and what its courier does meanwhile.
class ThreadSink final : public AckSink, public Courier {
 public:
  void acknowledged(std::uint64_t, std::span<const Acknowledgement> acks) override {
    EXPECT_FALSE(answer_.has_value());
    seq_ = acks.back().seq;
    note("told");
    if (!gathering_) answer();
  }
  void abandoned(std::uint64_t, const Status&) override { FAIL(); }
  void gather() override {
    gathering_ = true;
    steps_.clear();
    note("gather");
  }
  void deliver() override {
    EXPECT_TRUE(std::exchange(gathering_, false));
    note("deliver");
    steps_.size() == 3 ? answer() : steps_.clear();  // it was told nothing
  }

  // What became of the next command, in order: "told by publisher", say.
  std::vector<std::string> wait() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return answer_.has_value(); });
    return *std::exchange(answer_, std::nullopt);
  }
  Seq seq() const { return seq_; }

 private:
  void note(const char* what) {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    steps_.push_back(std::string(what) + " by " + name);
  }
  void answer() {
    const std::lock_guard lock(mutex_);
    answer_ = std::exchange(steps_, {});
    more_.notify_all();
  }

  bool gathering_ = false;
  std::vector<std::string> steps_;
  std::atomic<Seq> seq_{0};
  std::mutex mutex_;
  std::condition_variable more_;
  std::optional<std::vector<std::string>> answer_;
};

TEST_P(CoreTest, ALoneCommandIsToldWhereItWasSequencedAndManyGoThroughAllThreads) {
  start();
  const auto sink = std::make_shared<ThreadSink>();
  core_->set_courier(sink.get());
  const std::vector<std::string> here{"gather by sequencer", "told by sequencer", "deliver by sequencer"};
  const std::vector<std::string> handed_over{"told by publisher"};
  // The publisher may still be busy with the command before, so it may take a few.
  Seq seq = kFloor;
  std::vector<std::string> steps;
  while (steps != here) {
    journal_.hold();
    ASSERT_TRUE(core_->submit(submission_of({trade_of(std::to_string(++seq))}, sink)).ok());
    journal_.wait_held();
    while (core_->report().last_seq < seq) std::this_thread::yield();
    journal_.let_go();
    steps = sink->wait();
    EXPECT_TRUE(steps == here || steps == handed_over) << ::testing::PrintToString(steps);
    EXPECT_EQ(sink->seq(), seq);
  }
  std::vector<std::string> ids;
  for (int i = 0; i < 65; ++i) ids.push_back("many" + std::to_string(i));
  std::vector<Command> many;
  for (const std::string& id : ids) many.push_back(trade_of(id));
  ASSERT_TRUE(core_->submit(submission_of(many, sink)).ok());
  EXPECT_EQ(sink->wait(), handed_over);
  EXPECT_EQ(sink->seq(), seq + 65);
  core_->set_courier(nullptr);
  ASSERT_TRUE(core_->submit(submission_of({trade_of("last")}, sink)).ok());
  EXPECT_EQ(sink->wait().size(), 1u) << "without a courier nothing is gathered";
}

// Single commands and bursts by turns, from two senders: whichever threads do the work, each gets its own, in order, and the follower all.
TEST_P(CoreTest, SinglesAndBurstsComeOutInOneOrder) {
  start();
  auto follower = std::make_shared<KeepingSubscriber>(1'000'000);
  core_->follow_alerts(0, false, follower);
  follower->wait_started();
  std::vector<std::shared_ptr<KeepingSink>> sinks{std::make_shared<KeepingSink>(), std::make_shared<KeepingSink>()};
  std::vector<std::thread> senders;
  for (std::size_t s = 0; s < sinks.size(); ++s) {
    senders.emplace_back([this, s, sink = sinks[s]] {
      for (std::uint64_t i = 0; i < 2'000; ++i) {
        const std::string up = std::to_string(s) + "-" + std::to_string(i) + "u", down = up + "d";
        ASSERT_TRUE(core_->submit(submission_of({trade_of(up, 20), trade_of(down, 20, Side::kSell)}, sink, i)).ok());
        if (i % 16 < 8) sink->wait_for(i + 1);  // alone, or beside the other's
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  std::vector<Seq> seqs;
  for (const auto& sink : sinks) {
    const auto answers = sink->wait_for(2'000);
    for (std::uint64_t i = 0; i < 2'000; ++i) {
      ASSERT_EQ(answers[i].token, i);
      ASSERT_EQ(answers[i].acks.size(), 2u);
      for (const Acknowledgement& ack : answers[i].acks) seqs.push_back(ack.seq);
      ASSERT_TRUE(i == 0 || answers[i].acks[0].seq > answers[i - 1].acks[1].seq);
    }
  }
  std::sort(seqs.begin(), seqs.end());
  EXPECT_EQ(seqs, range(kFloor + 1, kFloor + 8'000));
  follower->take_until(8'000);
  EXPECT_EQ(follower->taken(), range(1, 8'000));
}

TEST_P(CoreTest, TimeNeverRunsBackwards) {
  start();
  ASSERT_TRUE(submit("a").ok());
  sink_->wait_for(2);
  clock_.set_wall(kMorning - 3'600 * kSecondNs);
  ASSERT_TRUE(submit("b").ok());
  sink_->wait_for(3);
  clock_.set_wall(kMorning + kSecondNs);
  ASSERT_TRUE(submit("c").ok());
  sink_->wait_for(4);
  core_.reset();
  ASSERT_GE(journal_.times().size(), 4u);
  for (std::size_t i = 1; i < journal_.times().size(); ++i) EXPECT_GE(journal_.times()[i], journal_.times()[i - 1]);
  EXPECT_EQ(journal_.times()[2], kMorning);
}

TEST_P(CoreTest, TimePassesWithoutTradesByATimerAtTheDeadline) {
  start();
  Instrument stale;
  stale.symbol = "IBM", stale.currency = "USD", stale.multiplier = limits::kScale, stale.stale_after = 60 * kSecondNs;
  ASSERT_TRUE(core_->submit(submission_of({stale, Price{"IBM", 100 * limits::kScale, 0}}, sink_)).ok());
  sink_->wait_for(2);
  const auto timers = [&] {
    const StatusReport report = core_->report();
    for (const CounterRow& row : report.counters) {
      if (row.name == "timers") return row.value;
    }
    return std::uint64_t{0};
  };
  EXPECT_EQ(timers(), 0u);
  clock_.advance(61 * kSecondNs);
  while (timers() < 1) std::this_thread::yield();
  const auto rows = ask<ReferenceRows>([&](auto reply) { core_->reference({}, reply); });
  EXPECT_TRUE(rows.value().rows.instruments.at(0).mark_stale);
  EXPECT_EQ(rows.value().time, kMorning + 61 * kSecondNs);
  EXPECT_EQ(timers(), 1u) << "once is enough";
}

TEST_P(CoreTest, StatusKnowsTheBooksAndTheStages) {
  start();
  ASSERT_TRUE(submit("a").ok());
  sink_->wait_for(2);
  const auto status = ask<StatusReport>([&](auto reply) { core_->status(true, reply); });
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status.value().rows.live_trades, 1u);
  EXPECT_EQ(status.value().rows.limits, 1u);
  EXPECT_EQ(status.value().rows.state_digest.size(), 64u);
  ASSERT_EQ(status.value().rows.latencies.size(), 5u);
  ASSERT_TRUE(core_->stop().ok());
  const StatusReport report = core_->report();
  for (const LatencyRow& row : report.latencies) EXPECT_EQ(row.count, 2u) << row.stage;
}

INSTANTIATE_TEST_SUITE_P(Commits, CoreTest, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "TakeTime" : "TakeNone"; });

// What a run left in the journal gives the same books at the next start, and seqs and time go on from there.
TEST(Restart, RecoversTheSameDigestAndGoesOn) {
  const std::string directory = ::testing::TempDir() + "halocline_restart_" + std::to_string(getpid());
  std::filesystem::remove_all(directory);
  PosixDisk disk;
  ManualClock clock(kMorning);
  std::string digest;
  Seq last_seq = 0;
  for (int run = 0; run < 4; ++run) {
    SCOPED_TRACE(run);
    Engine engine;
    FileJournalOptions options;
    options.directory = directory;
    options.durability = Durability::kOs;
    options.segment_bytes = 4u << 20;
    options.now = clock.wall();
    Replay replay(engine, clock);
    auto journal = FileJournal::open(disk, options, replay.handler());
    ASSERT_TRUE(journal.ok()) << journal.status().message();
    replay.finish();
    EXPECT_EQ(engine.last_seq(), last_seq);
    Core core({}, clock, engine, *journal.value(), {.last_time = journal.value()->recovered().last_time});
    core.start();
    const auto before = ask<StatusReport>([&](auto reply) { core.status(true, reply); });
    if (run > 0) {
      EXPECT_EQ(before.value().rows.state_digest, digest);
    }
    auto sink = std::make_shared<KeepingSink>();
    if (run == 0) {
      ASSERT_TRUE(core.submit(submission_of(floor_commands(), sink)).ok());
    }
    std::size_t answers = run == 0 ? 1 : 0;
    for (int batch = 0; batch < 20; ++batch, ++answers) {
      std::vector<std::string> ids;
      for (int i = 0; i < 200; ++i) ids.push_back(std::to_string(run) + "-" + std::to_string(batch) + "-" + std::to_string(i));
      std::vector<Command> commands;
      for (const std::string& id : ids) commands.push_back(trade_of(id, 3, batch % 2 ? Side::kSell : Side::kBuy));
      ASSERT_TRUE(core.submit(submission_of(commands, sink)).ok());
    }
    last_seq = sink->wait_for(answers).back().acks.back().seq;
    const auto after = ask<StatusReport>([&](auto reply) { core.status(true, reply); });
    digest = after.value().rows.state_digest;
    EXPECT_EQ(after.value().seq, last_seq);
    ASSERT_TRUE(core.stop().ok());
    clock.set_wall(kMorning - run * kSecondNs);  // a clock that was set back between two runs
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace halocline
