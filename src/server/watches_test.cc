// Subscriptions to queries through a core with a journal on disk: by name, after a bookmark, from the recent events and from the journal.
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "base/disk.h"
#include "command/event_memory.h"
#include "journal/file_journal.h"
#include "journal/segment.h"
#include "server/core_fixture.h"
#include "server/recent_events.h"

namespace halocline {
namespace {

// Watches like a gateway: holds what it is offered until it is taken, and has room for `room` of it.
class KeepingWatcher final : public QuerySubscriber {
 public:
  explicit KeepingWatcher(std::size_t room = 1'000'000) : room_(room) {}

  void started(QueryStart start) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(start_.has_value());
    start_ = std::move(start);
    more_.notify_all();
  }
  bool offer(const std::shared_ptr<const QueryEvents>& events) override {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(start_.has_value());
    EXPECT_FALSE(ended_.has_value());
    if (held_.size() == room_) return false;
    held_.push_back(events);
    highest_ = std::max(highest_, held_.size());
    more_.notify_all();
    return true;
  }
  void progress(Seq seq, Nanos) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(ended_.has_value());
    EXPECT_GE(seq, progress_);
    progress_ = seq;
    more_.notify_all();
  }
  void ended(const Status& why) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(ended_.has_value());
    ended_ = why;
    more_.notify_all();
  }

  QueryStart wait_started() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return start_.has_value() || ended_.has_value(); });
    EXPECT_TRUE(start_.has_value()) << ended_->message();
    return start_.value_or(QueryStart{});
  }
  Status wait_ended() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return ended_.has_value(); });
    return *ended_;
  }
  void wait_progress(Seq seq) {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return progress_ >= seq; });
  }
  void wait_holding() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return !held_.empty(); });
  }
  // Takes one after the other until there are so many; "seq kind key" of each row.
  const std::vector<std::string>& take(std::size_t seqs) {
    std::unique_lock lock(mutex_);
    while (taken_.size() < seqs) {
      more_.wait(lock, [&] { return !held_.empty() || ended_.has_value(); });
      if (held_.empty()) break;
      std::shared_ptr<const QueryEvents> events = std::move(held_.front());
      held_.pop_front();
      events_.push_back(copy_of(*events));
      std::string& text = taken_.emplace_back(std::to_string(events->seq));
      for (const RowEvent& row : events->rows) {
        text += " " + std::to_string(static_cast<int>(row.kind));
        for (const std::string_view bytes : {row.key, row.before, row.after, row.order}) (text += ' ') += bytes;
      }
      lock.unlock();
      events.reset();  // letting go may call back into the core
      lock.lock();
    }
    return taken_;
  }
  // The answer at the seq by the events taken: the rows in the order of keys, each key before its row.
  std::map<std::string, std::string> rows_at(Seq seq) {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> rows;
    for (const auto& events : events_) {
      if (events->seq > seq) break;
      for (const RowEvent& row : events->rows) {
        const std::string key(row.key);
        row.kind == RowEvent::Kind::kDelete ? void(rows.erase(key)) : void((rows[key] = row.after) += row.order);
      }
    }
    return rows;
  }
  std::size_t highest() {
    const std::lock_guard lock(mutex_);
    return highest_;
  }

 private:
  const std::size_t room_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::optional<QueryStart> start_;
  std::optional<Status> ended_;
  std::deque<std::shared_ptr<const QueryEvents>> held_;
  std::vector<std::string> taken_;
  std::vector<std::shared_ptr<const QueryEvents>> events_;  // those taken
  std::size_t highest_ = 0;
  Seq progress_ = 0;
};

void wait_until_asleep(const std::string& thread) {
  while (true) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string line;
      std::getline(std::ifstream(task.path() / "stat"), line);
      if (line.find("(" + thread + ") S") != std::string::npos) return;
    }
    std::this_thread::yield();
  }
}

const char* const kTrades = "SELECT trade_id, quantity FROM trades WHERE quantity > 1";
const char* const kTotals = "SELECT trader, COUNT(*) AS n, SUM(notional) AS total FROM trades GROUP BY trader";

class WatchesTest : public ::testing::Test {
 protected:
  WatchesTest() {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    directory_ = std::filesystem::path(::testing::TempDir()) / ("halocline-watches-" + name + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
  }
  ~WatchesTest() override {
    core_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start(CoreOptions options = {}, bool keeps_journal = true) {
    FileJournalOptions file;
    file.directory = (directory_ / "journal").string();
    file.durability = Durability::kOs;
    file.segment_bytes = 64u << 10;
    auto opened = FileJournal::open(disk_, file, [](const BlockView&) { return ok_status(); });
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    journal_ = opened.take();
    options.durability = "os";
    if (keeps_journal) options.journal = {&disk_, file.directory};
    core_.emplace(std::move(options), clock_, engine_, *journal_, CoreStart{});
    core_->start();
    ASSERT_TRUE(core_->submit(submission_of(floor_commands(), sink_)).ok());
    sink_->wait_for(submissions_ = 1);
  }
  // Each trade a submission, acknowledged when this returns.
  void trade(int trades) {
    for (int i = 0; i < trades; ++i) {
      const std::string id = "t" + std::to_string(++traded_);
      ASSERT_TRUE(core_->submit(submission_of({trade_of(id, 2 + traded_ % 5)}, sink_)).ok());
      ++submissions_;
    }
    sink_->wait_for(submissions_);
  }
  std::shared_ptr<KeepingWatcher> watch(WatchRequest request, std::size_t room = 1'000'000) {
    auto watcher = std::make_shared<KeepingWatcher>(room);
    core_->watch(std::move(request), watcher);
    return watcher;
  }
  std::shared_ptr<KeepingWatcher> watch_after(std::string sql, Seq after, std::size_t room = 1'000'000) {
    return watch({std::move(sql), {}, "", after}, room);
  }
  Status statement(const std::string& sql) {
    const auto answer = ask<QueryRows>([&](Port::Reply<QueryRows> reply) { core_->query({}, sql, {}, std::move(reply)); });
    return answer.ok() ? ok_status() : answer.status();
  }
  static std::vector<std::string> behind(const std::vector<std::string>& all, std::size_t from) {
    return {all.begin() + static_cast<std::ptrdiff_t>(from), all.end()};
  }

  PosixDisk disk_;
  ManualClock clock_{kMorning};
  std::filesystem::path directory_;
  Engine engine_;
  std::unique_ptr<Journal> journal_;
  std::shared_ptr<KeepingSink> sink_ = std::make_shared<KeepingSink>();
  std::size_t submissions_ = 0;
  int traded_ = 0;
  std::optional<Core> core_;
};

TEST_F(WatchesTest, AfterABookmarkComesWhatThoseWhoStayedWereTold) {
  start();
  for (const char* sql : {kTrades, kTotals}) {
    const auto stayed = watch({sql, {}, "", std::nullopt});
    const Seq began = stayed->wait_started().seq;
    trade(20);
    const Seq left = began + 20;
    trade(10);
    const auto back = watch_after(sql, left);
    const QueryStart start = back->wait_started();
    EXPECT_TRUE(start.goes_on);
    EXPECT_EQ(start.seq, left);
    EXPECT_TRUE(start.rows.empty());
    EXPECT_FALSE(start.columns.empty());
    trade(5);
    EXPECT_EQ(back->take(15), behind(stayed->take(35), 20));
  }
}

TEST_F(WatchesTest, FromTheJournalComesWhatWasBeforeAnybodyWatched) {
  start();
  trade(300);
  for (const char* sql : {kTrades, kTotals}) {
    const int before = traded_;
    const auto back = watch_after(sql, kFloor + 7);
    EXPECT_TRUE(back->wait_started().goes_on);
    trade(10);
    const std::vector<std::string> told = back->take(static_cast<std::size_t>(before) + 3);
    // Whoever begins at the start is told the same, whatever way it comes.
    const auto all = watch_after(sql, 0);
    EXPECT_EQ(behind(all->take(static_cast<std::size_t>(before) + 10), 7), told);
  }
}

TEST_F(WatchesTest, FromTheLastCheckpointBeforeTheBookmark) {
  CoreOptions options;
  options.checkpoint = {(directory_ / "checkpoints").string(), 100, 1u << 30, 100, false};
  start(std::move(options));
  const std::filesystem::path journal = directory_ / "journal";
  while (!std::filesystem::exists(journal / segment_name(3))) trade(50);
  const Seq behind_segments = kFloor + static_cast<Seq>(traded_);
  Seq newest = 0;
  while (newest < behind_segments) {
    trade(50);
    const Result<std::vector<Seq>> taken = list_checkpoints(disk_, (directory_ / "checkpoints").string());
    if (taken.ok() && !taken.value().empty()) newest = taken.value().front();
  }
  trade(20);
  for (const char* sql : {kTrades, kTotals}) {
    const auto rest = kFloor + static_cast<Seq>(traded_) - newest;
    const std::vector<std::string> told = watch_after(sql, newest)->take(rest);
    EXPECT_EQ(behind(watch_after(sql, 0)->take(static_cast<std::size_t>(traded_)), newest - kFloor), told);
  }
  // What is before it is not read.
  std::fstream segment(journal / segment_name(1), std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(segment.seekp(8'000).write("damaged", 7).flush().good());
  const std::string other = std::string(kTrades) + " AND quantity > 2", another = std::string(kTrades) + " AND quantity > 3";
  EXPECT_EQ(watch_after(other, newest, 0)->wait_ended().code(), Code::kResourceExhausted) << "it is told something, and has no room";
  EXPECT_EQ(watch_after(another, 0)->wait_ended().code(), Code::kDataLoss);
}

TEST_F(WatchesTest, OneThatReadsSlowlyIsNotCutWhileItCatchesUp) {
  CoreOptions options;
  options.subscriber_queue = 8;
  start(std::move(options));
  trade(200);
  const auto from_journal = watch_after(kTrades, kFloor, 8);
  EXPECT_EQ(from_journal->take(200).size(), 200u);
  EXPECT_LE(from_journal->highest(), 8u);
  const auto from_recent = watch_after(kTrades, kFloor, 8);
  EXPECT_EQ(from_recent->take(200), from_journal->take(200));
  EXPECT_LE(from_recent->highest(), 8u);
  trade(3);
  EXPECT_EQ(from_recent->take(203), from_journal->take(203));
}

TEST_F(WatchesTest, ABookmarkThatCannotBeServedIsRefused) {
  start({}, false);
  trade(3);
  EXPECT_EQ(watch_after(kTrades, kFloor + 4)->wait_ended().code(), Code::kOutOfRange);
  const auto back = watch_after(kTrades, kFloor + 3);
  EXPECT_TRUE(back->wait_started().goes_on) << "it is the newest seq: nothing is missing";
  EXPECT_EQ(watch_after(kTotals, kFloor)->wait_ended().code(), Code::kOutOfRange) << "nothing to read it from";
}

TEST_F(WatchesTest, AQueryIsWatchedByItsNameUntilItIsDropped) {
  start();
  EXPECT_EQ(watch({"", {}, "large", std::nullopt})->wait_ended().code(), Code::kNotFound);
  EXPECT_EQ(watch({kTrades, {}, "large", std::nullopt})->wait_ended().code(), Code::kInvalidArgument);
  ASSERT_TRUE(statement(std::string("CREATE CONTINUOUS QUERY large AS ") + kTrades).ok());
  const auto watcher = watch({"", {}, "large", std::nullopt});
  const Seq created = watcher->wait_started().seq;
  EXPECT_EQ(created, kFloor + 1);
  trade(6);
  // The recent events of a query with a name are there even if nobody watched it.
  const auto back = watch({"", {}, "large", created + 2});
  EXPECT_EQ(back->take(4), behind(watcher->take(6), 2));

  ASSERT_TRUE(statement("DROP CONTINUOUS QUERY large").ok());
  EXPECT_EQ(watcher->wait_ended().code(), Code::kNotFound);
  EXPECT_EQ(back->wait_ended().code(), Code::kNotFound);
  ASSERT_TRUE(statement(std::string("CREATE CONTINUOUS QUERY large AS ") + kTotals).ok());
  const Status younger = watch({"", {}, "large", created + 2})->wait_ended();
  EXPECT_EQ(younger.code(), Code::kFailedPrecondition) << younger.message();
}

TEST_F(WatchesTest, WhoIsCatchingUpWhenTheServerStopsIsTold) {
  CoreOptions options;
  options.subscriber_queue = 2;
  start(std::move(options));
  trade(50);
  const auto slow = watch_after(kTrades, 0, 2);
  EXPECT_EQ(slow->take(1).size(), 1u);
  EXPECT_TRUE(core_->stop().ok());
  EXPECT_EQ(slow->wait_ended().code(), Code::kUnavailable);
}

TEST_F(WatchesTest, OneThatGoesAwayWhileItCatchesUpHoldsUpNobody) {
  CoreOptions options;
  options.subscriber_queue = 2;
  start(std::move(options));
  trade(50);
  const auto gone = watch_after(kTrades, 0, 2), other = watch_after(kTotals, kFloor + 10, 2);
  EXPECT_EQ(gone->take(1).size(), 1u);
  gone->wait_holding();
  wait_until_asleep("rerun");  // until that one is taken
  core_->unwatch(gone.get());
  EXPECT_EQ(other->take(40).size(), 40u);
  for (const CounterRow& counter : core_->report().counters) EXPECT_NE(counter.name, "subscribers_cut") << "it was waited for";
}

TEST_F(WatchesTest, WhoComesBackIsToldHowFarTheAnswerIsCompleteThoughNothingHappens) {
  start();
  const std::string trades = "SELECT trade_id FROM trades";
  const std::vector<std::string> questions{trades + " WHERE quantity > 5", trades + " WHERE quantity > 100"};
  std::vector<std::shared_ptr<KeepingWatcher>> stayed;
  for (const std::string& sql : questions) stayed.push_back(watch({sql, {}, "", std::nullopt}));
  for (const auto& one : stayed) one->wait_started();
  trade(10);
  clock_.advance(kSecondNs);
  const Seq last = kFloor + 10;
  for (const auto& one : stayed) one->wait_progress(last);
  // From the recent events: one since, of the seq before the last, and none.
  for (const std::string& sql : questions) watch_after(sql, last - 3)->wait_progress(last);
}

// The journal that is read aside may be ahead of what was given out.
TEST_F(WatchesTest, WhatWasReadAsideIsNotToldAgainWhenItIsGivenOut) {
  class WaitingSink final : public AckSink {
   public:
    void acknowledged(std::uint64_t, std::span<const Acknowledgement>) override {
      waits_.set_value();
      let_go_.get_future().wait();
    }
    void abandoned(std::uint64_t, const Status& why) override { FAIL() << why.message(); }
    void wait_until_it_waits() { waits_.get_future().wait(); }
    void let_go() { let_go_.set_value(); }

   private:
    std::promise<void> waits_, let_go_;
  };
  CoreOptions options;
  options.subscriber_queue = 2;
  start(std::move(options));
  trade(5);
  const auto first = watch_after(kTrades, kFloor, 2);  // takes nothing, so that the journal is not read further for it …
  first->wait_holding();
  const auto second = watch_after(kTrades, kFloor);  // … and this one waits
  trade(1);

  // The publisher stands still, and more becomes durable.
  const auto waiting = std::make_shared<WaitingSink>();
  constexpr int kMany = 65;  // too many for the sequencer's own thread
  std::vector<std::string> ids;
  for (int i = 0; i < 2 * kMany; ++i) ids.push_back("m" + std::to_string(i));
  std::vector<Command> many, more;
  for (const std::string& id : ids) (many.size() < kMany ? many : more).push_back(trade_of(id, 2));
  ASSERT_TRUE(core_->submit(submission_of(many, waiting)).ok());
  waiting->wait_until_it_waits();
  ASSERT_TRUE(core_->submit(submission_of(more, sink_)).ok());
  ++submissions_;
  const Seq last = kFloor + 6 + 2 * kMany;
  while (core_->report().durable_seq < last) std::this_thread::yield();

  core_->unwatch(first.get());
  const std::size_t told = 6 + 2 * kMany;
  second->take(told);
  second->wait_progress(last);
  waiting->let_go();
  trade(1);
  EXPECT_EQ(second->take(told + 1), watch_after(kTrades, kFloor)->take(told + 1));
}

// What is read and prepared aside while trades come in is what it would be had the engine stopped for it. Each trade changes each answer.
TEST_F(WatchesTest, OneThatBeginsAsideIsToldTheSame) {
  CoreOptions options;
  options.rows_at_once = 0;
  start(std::move(options));
  const std::vector<std::string> questions{
      kTrades, kTotals, "SELECT trade_id, seq FROM trades ORDER BY seq DESC LIMIT 3",
      "SELECT trader, COUNT(*) AS n FROM trades GROUP BY trader ORDER BY n DESC LIMIT 2", "SELECT COUNT(*), MAX(seq) FROM trades",
      "SELECT node, instrument, quantity, trades FROM positions WHERE node_kind = 'book'",
      "SELECT t.trade_id, b.desk FROM trades t JOIN books b ON t.book = b.book",
      "SELECT SUM(trades) FROM positions WHERE node_kind = 'firm'"};
  constexpr int kRounds = 30, kEach = 7;
  std::vector<std::pair<std::string, std::shared_ptr<KeepingWatcher>>> watchers;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kEach; ++i) {
      ASSERT_TRUE(core_->submit(submission_of({trade_of("t" + std::to_string(++traded_), 2 + traded_ % 5)}, sink_)).ok());
      ++submissions_;
    }
    const std::string& sql = questions[static_cast<std::size_t>(round) % questions.size()];
    watchers.emplace_back(sql, watch({sql, {}, "", std::nullopt}));
    if (round % 5 == 4) core_->unwatch(watchers.back().second.get()), watchers.pop_back();
  }
  sink_->wait_for(submissions_);
  std::map<std::string, std::shared_ptr<KeepingWatcher>> from_the_start;
  for (const std::string& sql : questions) {
    from_the_start[sql] = watch_after(sql, kFloor);
    ASSERT_EQ(from_the_start[sql]->take(kRounds * kEach).size(), static_cast<std::size_t>(kRounds * kEach));
  }
  for (const auto& [sql, watcher] : watchers) {
    const QueryStart start = watcher->wait_started();
    const std::size_t later = kFloor + kRounds * kEach - start.seq;
    EXPECT_EQ(watcher->take(later), behind(from_the_start[sql]->take(0), kRounds * kEach - later)) << sql;
    std::map<std::string, std::string> rows;
    for (const KeptRow& row : start.rows) rows.emplace(row.key, row.row + row.order);
    EXPECT_EQ(rows, from_the_start[sql]->rows_at(start.seq)) << sql;
    EXPECT_FALSE(start.goes_on);
  }
}

TEST_F(WatchesTest, AQueryWithANameThatIsPreparedAside) {
  CoreOptions options;
  options.rows_at_once = 0;
  start(std::move(options));
  trade(20);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(statement(std::string("CREATE CONTINUOUS QUERY totals AS ") + kTotals).ok());
    const auto dropped = watch({"", {}, "totals", std::nullopt}), also = watch({kTotals, {}, "", std::nullopt});
    if (i % 2 == 0) trade(3);
    ASSERT_TRUE(statement("DROP CONTINUOUS QUERY totals").ok());
    EXPECT_EQ(dropped->wait_ended().code(), Code::kNotFound);
    EXPECT_FALSE(also->wait_started().rows.empty());
    core_->unwatch(also.get());
  }
}

TEST_F(WatchesTest, WhoIsToBeginWhenTheServerStopsIsTold) {
  CoreOptions options;
  options.rows_at_once = 0;
  start(std::move(options));
  trade(20);
  std::vector<std::shared_ptr<KeepingWatcher>> watchers;
  for (int i = 0; i < 20; ++i) {
    watchers.push_back(watch({std::string(kTotals) + " HAVING COUNT(*) > " + std::to_string(i), {}, "", std::nullopt}));
  }
  EXPECT_TRUE(core_->stop().ok());
  for (const auto& watcher : watchers) EXPECT_EQ(watcher->wait_ended().code(), Code::kUnavailable);
}

// What nobody watches any more is kept up for a while, but little of what every trade would have to be shown to.
TEST(WatchesOrphansTest, FewOfThoseThatNoIndexServesAreKept) {
  Engine engine;
  NamedCounters counters;
  Watches::Options options;
  options.ring = [] {};
  Watches watches(std::move(options), counters);
  std::vector<std::shared_ptr<KeepingWatcher>> watchers;
  for (int i = 0; i < 30; ++i) {
    const std::string number = std::to_string(i);
    for (const std::string& condition : {"quantity = " + number, "quantity * price <> " + number}) {
      watchers.push_back(std::make_shared<KeepingWatcher>());
      Result<queries::Plan> plan = queries::prepare("SELECT trade_id FROM trades WHERE " + condition, {});
      const std::shared_ptr<Watch> watch = watches.add("", std::make_shared<const queries::Plan>(plan.take()), {}, watchers.back());
      watches.begin({&watch, 1}, engine);
      watches.start(watch);
    }
  }
  EXPECT_EQ(engine.queries().size(), 60u);
  for (const auto& watcher : watchers) watches.remove(watcher.get());
  watches.attend();
  watches.let_go(engine.queries());
  EXPECT_EQ(engine.queries().size(), 30u + 8u);
}

TEST(RecentEventsTest, TheOldestOfAllQueriesGoFirst) {
  const auto at = [](Seq seq) {
    const RowEvent row;
    return copy_of({seq, 0, {&row, 1}});
  };
  RecentEvents recent(4'000);
  EXPECT_EQ(recent.complete_after(), 0u);
  recent.add(7, at(1));
  for (Seq seq = 2; seq <= 100; ++seq) recent.add(8, at(seq));
  const Seq from = recent.complete_after();
  EXPECT_GT(from, 1u);
  EXPECT_TRUE(recent.after(7, 0, 10).empty());
  EXPECT_EQ(recent.after(8, from, 1'000).size(), 100 - from);
  EXPECT_EQ(recent.after(8, from, 1'000).front()->seq, from + 1);
  EXPECT_EQ(recent.after(8, 97, 2).size(), 2u);
  EXPECT_TRUE(recent.after(8, 100, 2).empty());
}

}  // namespace
}  // namespace halocline
