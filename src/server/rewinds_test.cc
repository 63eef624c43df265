// What the books said at instants of the past, asked of a running server: the same as it answered then.
#include "server/rewinds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <latch>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "base/civil_time.h"
#include "engine/effective.h"
#include "engine/views.h"
#include "journal/archived_disk.h"
#include "server/apply_records.h"
#include "server/books_at_start.h"
#include "server/core_fixture.h"

namespace halocline {
namespace {

class RewindsTest : public ::testing::Test {
 protected:
  RewindsTest()
      : directory_(std::filesystem::path(::testing::TempDir()) /
                   ("halocline-rewinds-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + "-" +
                    std::to_string(getpid()))),
        disk_(posix_, journal(), std::make_unique<FolderArchive>(posix_, (directory_ / "archive").string())) {
    std::filesystem::create_directories(directory_);
  }
  ~RewindsTest() override {
    core_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start(CoreOptions options = {}) {
    FileJournalOptions file;
    file.directory = journal();
    file.durability = Durability::kOs;
    file.segment_bytes = 64u << 10;
    file.now = clock_.wall();
    Result<BooksAtStart> opened = books_at_start(disk_, clock_, file, "");
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    books_.emplace(opened.take());
    const bool is_new = books_->engine->last_seq() == 0;
    options.journal = {&disk_, file.directory};
    core_.emplace(std::move(options), clock_, *books_->engine, *books_->journal, books_->start);
    core_->start();
    if (is_new) submit(floor_commands());
  }
  void restart(CoreOptions options) {
    ASSERT_TRUE(core_->stop().ok());
    core_.reset();
    books_.reset();
    start(std::move(options));
  }
  std::string journal() const { return (directory_ / "journal").string(); }
  void submit(const std::vector<Command>& commands) {
    const auto sink = std::make_shared<KeepingSink>();
    ASSERT_TRUE(core_->submit(submission_of(commands, sink)).ok());
    sink->wait_for(1);
  }
  // Random commands: trades, corrections, prices, limits.
  void play() {
    std::vector<std::string> ids;
    ids.reserve(8);
    std::vector<Command> commands;
    for (std::uint64_t left = 1 + random_() % 5; left > 0; --left) {
      const std::uint64_t what = random_() % 10;
      if (what < 7) {
        Trade trade = trade_of(ids.emplace_back("t" + std::to_string(random_() % 300)), 1 + static_cast<std::int64_t>(random_() % 9),
                               random_() % 2 == 0 ? Side::kBuy : Side::kSell);
        trade.version = 1 + static_cast<std::uint32_t>(random_() % 6);
        if (random_() % 4 != 0) trade.trade_time = clock_.wall() + kSecondNs * (60 - static_cast<std::int64_t>(random_() % 600));
        if (random_() % 5 == 0) trade.action = Action::kCancel;
        commands.emplace_back(trade);
      } else if (what < 9) {
        commands.emplace_back(Price{"IBM", static_cast<std::int64_t>(50 + random_() % 100) * limits::kScale, 0});
      } else {
        Limit net;
        net.name = "net", net.kind = NodeKind::kBook, net.node = "b1", net.measure = Measure::kNet;
        net.breach = static_cast<Int128>(100 + random_() % 2'000) * limits::kScale;
        commands.emplace_back(net);
      }
    }
    submit(commands);
  }

  Result<At<QueryRows>> query(const AsOf& as_of, const std::string& sql) {
    return ask<QueryRows>([&](auto reply) { core_->query(as_of, sql, {}, std::move(reply)); });
  }
  // All that can be read of an instant. It is all asked at once: whoever works on rewinds is let run seldom on a busy machine.
  struct Reads {
    std::future<Result<At<std::vector<PositionRow>>>> positions;
    std::future<Result<At<std::vector<NodeRow>>>> nodes;
    std::future<Result<At<std::vector<LimitRow>>>> limits;
    std::future<Result<At<std::vector<AlertRow>>>> alerts;
    std::vector<std::future<Result<At<QueryRows>>>> queries;
  };
  static constexpr std::size_t kReads = 7;
  Reads read_everything(const AsOf& as_of) {
    Reads reads;
    reads.positions = begin_to_ask<std::vector<PositionRow>>([&](auto reply) { core_->positions(as_of, {}, reply); });
    reads.nodes = begin_to_ask<std::vector<NodeRow>>([&](auto reply) { core_->nodes(as_of, {}, reply); });
    reads.limits = begin_to_ask<std::vector<LimitRow>>([&](auto reply) { core_->limits(as_of, reply); });
    reads.alerts = begin_to_ask<std::vector<AlertRow>>([&](auto reply) { core_->alerts(as_of, {false, {}, {}}, reply); });
    for (const char* sql : {"SELECT trade_id, version, status, price FROM trades ORDER BY trade_id",
                            "SELECT side, COUNT(*), SUM(notional) FROM trades WHERE live GROUP BY side", "SELECT * FROM alerts"}) {
      reads.queries.push_back(begin_to_ask<QueryRows>([&](auto reply) { core_->query(as_of, sql, {}, std::move(reply)); }));
    }
    return reads;
  }
  // … as text.
  static std::string text_of(Reads reads) {
    std::string text;
    const auto add = [&](auto& asked, auto one) {
      const auto answer = asked.get();
      if (!answer.ok()) return void(text += answer.status().message());
      text += "at " + std::to_string(answer.value().seq) + " " + std::to_string(answer.value().time) + "\n";
      for (const auto& row : answer.value().rows) text += one(row) + "\n";
    };
    add(reads.positions, [](const PositionRow& row) {
      return row.node + " " + to_digits(row.quantity) + " " + to_digits(row.realised) + " " + to_digits(row.total_pnl);
    });
    add(reads.nodes, [](const NodeRow& row) {
      return row.name + " " + to_digits(row.net) + " " + to_digits(row.drawdown) + " " + std::to_string(row.trade_rate);
    });
    add(reads.limits,
        [](const LimitRow& row) { return row.name + " " + to_digits(row.breach) + " " + std::to_string(row.active_alerts); });
    add(reads.alerts, [](const AlertRow& row) {
      return std::to_string(row.alert_id) + " " + row.limit + row.query + " " + std::to_string(row.cleared) + std::to_string(row.last_seq);
    });
    for (auto& asked : reads.queries) {
      const Result<At<QueryRows>> rows = asked.get();
      if (!rows.ok()) return text + rows.status().message();
      for (const std::string& row : rows.value().rows.rows) text += row + "\n";
    }
    return text;
  }

  // What was answered then: of the books, and of what of them was effective at some other time.
  struct Seen {
    Seq seq = 0;
    Nanos time = 0;
    std::string answer;
    Nanos effective = 0;
    std::string effective_answer;
  };
  // Plays, and keeps what everything read then gave.
  std::vector<Seen> record(int times) {
    std::vector<Seen> seen;
    for (int i = 0; i < times; ++i) {
      if (i % 3 == 0) clock_.advance(1 + static_cast<std::int64_t>(random_() % 3'000'000'000));
      play();
      const auto span = static_cast<std::uint64_t>(clock_.wall() + 60 * kSecondNs - kMorning);
      const Nanos effective = kMorning - 30 * kSecondNs + static_cast<Nanos>(random_() % span);
      // A timer may come in between: then once more.
      for (bool settled = false; !settled;) {
        const auto before = ask<std::vector<LimitRow>>([&](auto reply) { core_->limits({}, reply); });
        Reads then = read_everything({}), effective_then = read_everything({{}, {}, {}, effective});
        std::string answer = text_of(std::move(then)), effective_answer = text_of(std::move(effective_then));
        const auto after = ask<std::vector<LimitRow>>([&](auto reply) { core_->limits({}, reply); });
        settled = before.value().seq == after.value().seq;
        if (!settled) continue;
        seen.push_back({after.value().seq, after.value().time, std::move(answer), effective, std::move(effective_answer)});
      }
    }
    return seen;
  }
  // Some instants, each of them again. Several wait at once.
  struct Again {
    AsOf as_of;
    const std::string* answer;
  };
  void expect_again(const std::vector<Again>& all) {
    for (std::size_t from = 0; from < all.size(); from += kAtOnce) {
      const std::span<const Again> some = std::span(all).subspan(from, std::min(kAtOnce, all.size() - from));
      std::vector<Reads> reads;
      for (const Again& one : some) reads.push_back(read_everything(one.as_of));
      for (std::size_t i = 0; i < some.size(); ++i) {
        const AsOf& as_of = some[i].as_of;
        ASSERT_EQ(text_of(std::move(reads[i])), *some[i].answer)
            << "as of seq " << as_of.seq.value_or(0) << " time " << as_of.time.value_or(0) << ", effective at "
            << as_of.effective_time.value_or(0);
      }
    }
  }
  void ask_again(const std::vector<Seen>& seen, int times) {
    std::vector<Again> all;
    for (int i = 0; i < times; ++i) {
      const Seen& one = seen[random_() % seen.size()];
      all.push_back({{one.seq, {}, {}}, &one.answer});
      all.push_back({{one.seq, {}, {}, one.effective}, &one.effective_answer});
    }
    // Of a time: all commands of it count, as commands that came together have the same.
    for (std::size_t i = 0; i + 1 < seen.size(); i += 7) {
      if (seen[i + 1].time != seen[i].time) all.push_back({{{}, seen[i].time, {}}, &seen[i].answer});
    }
    expect_again(all);
  }
  std::uint64_t count_of(const std::string& counter) {
    for (const CounterRow& row : core_->report().counters) {
      if (row.name == counter) return row.value;
    }
    return 0;
  }

  static constexpr std::size_t kAtOnce = 8, kCheckpointRecords = 300;

  PosixDisk posix_;
  std::filesystem::path directory_;
  ArchivedDisk disk_;
  ManualClock clock_{kMorning};
  std::optional<BooksAtStart> books_;
  std::optional<Core> core_;
  std::mt19937_64 random_{7};
};

TEST_F(RewindsTest, AnyInstantAnswersWhatItAnsweredThen) {
  CoreOptions options;
  options.rewind.states = 3, options.rewind.waiting = 2 * kAtOnce * kReads;
  start(std::move(options));
  submit({QueryCreate{"small", AlertLevel::kWarn, "SELECT trade_id FROM trades WHERE live AND quantity < 3"}});
  const std::vector<Seen> seen = record(1'000);
  const auto same = [](const Seen& one) { return one.answer == one.effective_answer; };
  EXPECT_LT(std::count_if(seen.begin(), seen.end(), same), 500);
  ask_again(seen, 1'000);
}

TEST_F(RewindsTest, AnyInstantAnswersTheSameWithCheckpointsAndFromTheArchive) {
  CoreOptions options;
  options.rewind.states = 3, options.rewind.waiting = 2 * kAtOnce * kReads;
  const std::string checkpoints = (directory_ / "checkpoints").string();
  options.checkpoint = {checkpoints, kCheckpointRecords, 1u << 30, 2, true};
  options.archive = {&disk_, journal(), checkpoints, 0, 0, 0};
  start(options);
  const std::vector<Seen> seen = record(1'000);
  while (count_of("segments_archived") < 4) {  // behind two checkpoints
    const std::uint64_t taken = count_of("checkpoints");
    for (std::size_t i = 0; i < kCheckpointRecords; ++i) play();
    while (count_of("checkpoints") == taken) std::this_thread::yield();
  }
  EXPECT_EQ(count_of("archive_failures"), 0u);
  ask_again(seen, 1'000);
  CoreOptions without_checkpoints;
  without_checkpoints.rewind.waiting = 2 * kAtOnce * kReads;
  restart(without_checkpoints);
  EXPECT_GE(disk_.archived_segments().value().size(), 4u);
  ask_again(seen, 300);
}

// The books after each block of the journal, by an engine that reads it from the start.
std::vector<Snapshot> books_after_each_block(Disk& disk, const std::string& journal, Seq last) {
  Engine engine;
  std::vector<AlertEvent> events;
  std::vector<Snapshot> all{engine.snapshot()};
  auto reader = JournalReader::open(disk, journal, 1, false);
  reader.value()->stop_after(last);
  while (engine.last_seq() < last) {
    const Result<std::optional<BlockView>> block = reader.value()->next();
    EXPECT_TRUE(block.ok() && block.value() && apply_block(engine, *block.value(), last, events).ok());
    if (::testing::Test::HasFailure()) break;
    all.push_back(engine.snapshot());
  }
  return all;
}

TEST_F(RewindsTest, WhatWasEffectiveIsTheTradesKnownAtThePricesOfThen) {
  CoreOptions options;
  options.rewind.states = 3, options.rewind.waiting = 2 * kAtOnce * kReads;
  start(std::move(options));
  for (int i = 0; i < 300; ++i) {
    if (i % 3 == 0) clock_.advance(1 + static_cast<std::int64_t>(random_() % 3'000'000'000));
    play();
  }
  const Seq newest = ask<std::vector<LimitRow>>([&](auto reply) { core_->limits({}, reply); }).value().seq;
  const std::vector<Snapshot> books = books_after_each_block(disk_, journal(), newest);
  int corrected = 0;
  for (int i = 0; i < 300; ++i) {
    const State& known = *books[1 + random_() % (books.size() - 1)];
    const auto span = static_cast<std::uint64_t>(clock_.wall() + 120 * kSecondNs - kMorning);
    const Nanos time = kMorning - 60 * kSecondNs + static_cast<Nanos>(random_() % span);
    const State* then = books[0].get();
    for (const Snapshot& one : books) {
      if (views::seq_of(*one) != 0 && views::time_of(*one) <= time && views::seq_of(*one) <= views::seq_of(known)) then = one.get();
    }
    const std::vector<NodeRow> expected = views::nodes(*effective_books(*then, known, time).value(), {});
    const auto answer = ask<std::vector<NodeRow>>([&](auto reply) { core_->nodes({views::seq_of(known), {}, {}, time}, {}, reply); });
    ASSERT_TRUE(answer.ok()) << answer.status().message();
    ASSERT_EQ(answer.value().rows, expected) << "as of seq " << views::seq_of(known) << ", effective at " << time;
    ASSERT_EQ(answer.value().seq, views::seq_of(known));
    if (expected != views::nodes(*then, {})) ++corrected;
  }
  EXPECT_GT(corrected, 100);
}

TEST_F(RewindsTest, EffectiveNowHasWhatCameLateAndNotWhatWasTakenBack) {
  start();
  const Nanos noon = kMorning + 100 * kSecondNs;
  const auto book = [&](const std::string& id, std::uint32_t version, Action action, std::int64_t quantity, Nanos time) {
    Trade trade = trade_of(id, quantity, Side::kBuy);
    trade.version = version, trade.action = action, trade.trade_time = time;
    submit({trade});
  };
  book("right", 1, Action::kNew, 10, noon);
  book("wrong", 1, Action::kNew, 20, noon - kSecondNs);
  book("void", 1, Action::kNew, 40, noon - kSecondNs);
  book("untimed", 1, Action::kNew, 80, 0);
  const std::string as_of = "AS OF SEQ " + std::to_string(query({}, "SELECT NOW() FROM prices").value().seq);
  clock_.advance(300 * kSecondNs);
  book("late", 1, Action::kNew, 160, noon);
  book("later", 1, Action::kNew, 320, noon + 1);
  book("wrong", 2, Action::kAmend, 21, noon - kSecondNs);
  book("void", 2, Action::kCancel, 0, 0);
  book("untimed later", 1, Action::kNew, 640, 0);
  const auto quantity = [&](const std::string& when) {
    const auto rows = query({}, "SELECT SUM(quantity), COUNT(*), MAX(NOW()) FROM trades " + when);
    EXPECT_TRUE(rows.ok()) << rows.status().message();
    PackedReader fields(rows.value().rows.rows[0]);
    const Int128 sum = fields.next(ValueType::kDecimal).number / limits::kScale, count = fields.next(ValueType::kInt).number;
    return std::pair(static_cast<int>(sum), static_cast<int>(count));
  };
  const std::string effective = "EFFECTIVE AT '" + instant_text(noon) + "'";
  EXPECT_EQ(quantity(effective), std::pair(10 + 21 + 80 + 160, 4));
  EXPECT_EQ(quantity(effective + " " + as_of), std::pair(10 + 20 + 40 + 80, 4));
  EXPECT_EQ(quantity(as_of + " " + effective), std::pair(10 + 20 + 40 + 80, 4));
  const std::string in_an_hour = instant_text(clock_.wall() + 3'600 * kSecondNs);
  EXPECT_EQ(quantity("EFFECTIVE AT '" + in_an_hour + "'"), std::pair(10 + 21 + 80 + 160 + 320 + 640, 6));
  EXPECT_EQ(quantity("EFFECTIVE AT TIMESTAMP '2001-01-01'"), std::pair(0, 0));
  const auto now = query({{}, {}, {}, noon}, "SELECT NOW() FROM prices");
  EXPECT_EQ(static_cast<Nanos>(PackedReader(now.value().rows.rows[0]).next(ValueType::kTimestamp).number), noon);
  const auto gone = ask<std::vector<TradeRow>>([&](auto reply) { core_->trade({{}, {}, {}, noon}, "t", "void", reply); });
  EXPECT_TRUE(gone.value().rows.empty());
}

TEST_F(RewindsTest, SaysWhatCannotBeAsked) {
  start();
  clock_.advance(kSecondNs);
  submit({Price{"IBM", 90 * limits::kScale, 0}});
  const auto code = [&](const AsOf& as_of) { return query(as_of, "SELECT * FROM prices").status().code(); };
  EXPECT_EQ(code({Seq{1'000}, {}, {}}), Code::kOutOfRange);
  EXPECT_EQ(code({{}, clock_.wall() + 1, {}}), Code::kOutOfRange);
  EXPECT_EQ(code({{}, kMorning - 1, {}}), Code::kOutOfRange);
  EXPECT_EQ(code({{}, {}, "tomorrow"}), Code::kInvalidArgument);
  EXPECT_EQ(query({}, "SELECT * FROM prices AS OF SEQ 77").status().code(), Code::kOutOfRange);
  EXPECT_EQ(query({Seq{3}, {}, {}}, "SELECT * FROM prices AS OF SEQ 3").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(query({}, "CREATE ALERT a SEVERITY WARN AS SELECT trade_id FROM trades AS OF SEQ 3").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(query({Seq{3}, {}, {}}, "DROP ALERT a").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(query({}, "SELECT * FROM prices AS OF SEQ 3").value().seq, 3u);
  EXPECT_EQ(code({{}, {}, {}, {}, "noon"}), Code::kInvalidArgument);
  EXPECT_EQ(code({{}, {}, {}, kMorning, "-1s"}), Code::kInvalidArgument);
  EXPECT_EQ(code({Seq{1'000}, {}, {}, kMorning}), Code::kOutOfRange);
  const char* effective = "SELECT * FROM prices EFFECTIVE AT '-1s'";
  EXPECT_EQ(query({{}, {}, {}, kMorning}, effective).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(query({Seq{3}, {}, {}}, effective).value().seq, 3u);
  EXPECT_EQ(query({{}, {}, {}, kMorning}, "SELECT * FROM prices AS OF SEQ 3").value().seq, 3u);
}

TEST_F(RewindsTest, NowIsTheInstant) {
  start();
  clock_.advance(10 * kSecondNs);
  submit({Price{"IBM", 90 * limits::kScale, 0}});
  clock_.advance(10 * kSecondNs);
  const auto now = [&](const AsOf& as_of) {
    const Result<At<QueryRows>> rows = query(as_of, "SELECT NOW() FROM prices");
    return static_cast<Nanos>(PackedReader(rows.value().rows.rows[0]).next(ValueType::kTimestamp).number);
  };
  EXPECT_EQ(now({{}, kMorning + 3 * kSecondNs, {}}), kMorning + 3 * kSecondNs);
  EXPECT_EQ(now({{}, {}, "-4s"}), kMorning + 16 * kSecondNs);
  EXPECT_EQ(now({Seq{8}, {}, {}}), kMorning);
}

TEST_F(RewindsTest, ManyAtOnceAreAnsweredOrRefused) {
  CoreOptions options;
  options.rewind = {2, 4, 2, 1u << 30};
  start(std::move(options));
  for (int i = 0; i < 200; ++i) play();
  constexpr int kAsked = 60;
  std::latch answered(kAsked);
  std::atomic<int> right{0}, refused{0};
  for (int i = 0; i < kAsked; ++i) {
    const Seq seq = 9 + static_cast<Seq>(i);
    core_->nodes({seq, {}, {}}, {}, [&, seq](Result<At<std::vector<NodeRow>>> rows) {
      if (rows.ok() && rows.value().seq == seq) ++right;
      if (rows.status().code() == Code::kResourceExhausted) ++refused;
      answered.count_down();
    });
  }
  answered.wait();
  EXPECT_EQ(right + refused, kAsked);
  EXPECT_GE(right, 4);
}

TEST_F(RewindsTest, StoppingAnswersThoseThatWait) {
  start();
  for (int i = 0; i < 100; ++i) play();
  constexpr int kAsked = 10;
  std::latch answered(kAsked);
  for (int i = 0; i < kAsked; ++i) {
    core_->nodes({Seq{20}, {}, {}}, {}, [&](Result<At<std::vector<NodeRow>>> rows) {
      EXPECT_TRUE(rows.ok() || rows.status().code() == Code::kUnavailable);
      answered.count_down();
    });
  }
  ASSERT_TRUE(core_->stop().ok());
  answered.wait();
}

TEST(RewoundStates, AreBoundedByNumberAndByWhatTheyDoNotShare) {
  Engine engine;
  std::vector<AlertEvent> events;
  Seq seq = 0;
  RewoundStates few(2, 1u << 30);
  for (const Command& command : floor_commands()) {
    engine.apply(++seq, kMorning, command, events);
    few.add(engine.snapshot());
  }
  EXPECT_EQ(few.size(), 2u);
  EXPECT_EQ(few.before(6), nullptr);
  EXPECT_EQ(views::seq_of(*few.before(7)), 7u);
  EXPECT_EQ(views::seq_of(*few.before(100)), 8u);
  const std::uint64_t two = few.bytes(), one = views::bytes_apart(*engine.snapshot(), nullptr);
  EXPECT_LT(two, 2 * one);
  RewoundStates effective(4, 1u << 30);
  effective.add(engine.snapshot());
  effective.add_effective(kMorning, engine.snapshot());
  EXPECT_NE(effective.effective(kMorning, 8), nullptr);
  EXPECT_EQ(effective.effective(kMorning + 1, 8), nullptr);
  EXPECT_EQ(effective.effective(kMorning, 7), nullptr);
  EXPECT_NE(effective.before(9), nullptr);
  RewoundStates only_effective(4, 1u << 30);
  only_effective.add_effective(kMorning, engine.snapshot());
  EXPECT_EQ(only_effective.before(9), nullptr);
  RewoundStates none(8, 1);
  none.add(engine.snapshot());
  EXPECT_EQ(none.size(), 0u);
}

}  // namespace
}  // namespace halocline
