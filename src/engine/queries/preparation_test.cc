// What goes otherwise than well with queries that are made ready aside. That their answers and events are right is tested from outside
// (tests/queries/watch_test.py, maintained_test.py) and through the core (server/watches_test.cc).
#include "engine/queries/preparation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bench/floor_workload.h"
#include "engine/engine.h"
#include "engine/queries/run.h"

namespace halocline::queries {
namespace {

constexpr Nanos kStart = 1'700'000'000'000'000'000;

class PreparationTest : public ::testing::Test {
 protected:
  PreparationTest() {
    for (const Command& command : floor_.reference()) apply(command);
    trade(30);
  }
  void apply(const Command& command) {
    ASSERT_EQ(engine_.apply(engine_.last_seq() + 1, kStart, command, events_).outcome, Outcome::kAccepted);
  }
  void trade(int trades) {
    std::string id;
    for (int i = 0; i < trades; ++i) apply(floor_.next_trade(id));
  }
  // The next version of the first trade there is.
  void amend(std::uint32_t version, std::int64_t shares) {
    std::string id;
    bench::FloorWorkload other(1, kSize);
    Trade trade = other.next_trade(id);
    trade.trade_id = "t0";
    trade.version = version;
    trade.action = Action::kAmend;
    trade.quantity = shares * limits::kScale;
    apply(trade);
  }
  static std::shared_ptr<const Plan> plan(const std::string& sql) {
    Result<Plan> made = prepare(sql, {});
    EXPECT_TRUE(made.ok()) << made.status().message();
    return std::make_shared<const Plan>(made.take());
  }
  LiveQueries& live() { return engine_.queries(); }
  LiveQueries::Id add(const std::string& sql) { return live().add(plan(sql)).value(); }
  void expect_as_asked_anew(LiveQueries::Id id, const std::string& sql) {
    const Result<QueryRows> anew = run(*plan(sql), *engine_.snapshot());
    ASSERT_TRUE(anew.ok());
    std::vector<std::string> rows;
    for (const KeptRow& row : live().rows(id)) rows.push_back(row.row);
    EXPECT_EQ(rows, anew.value().rows);
  }

  static constexpr bench::FloorSize kSize{2, 4, 6, 3, 8, 2};
  bench::FloorWorkload floor_{1, kSize};
  Engine engine_;
  std::vector<AlertEvent> events_;
};

const char* const kTotals = "SELECT trader, COUNT(*), SUM(notional) FROM trades GROUP BY trader";
const char* const kBooks = "SELECT book, SUM(quantity) FROM trades GROUP BY book";
const char* const kLargest = "SELECT trade_id, quantity FROM trades ORDER BY quantity DESC LIMIT 3";

TEST_F(PreparationTest, OneThatIsGivenUpEndsItsQueries) {
  live().read_at_most(0);
  const LiveQueries::Id id = add(kTotals);
  EXPECT_FALSE(live().is_live(id));
  EXPECT_EQ(add(kTotals), id) << "the same question waits for the same preparation";
  Preparation preparation(live().take_put_off(10));
  EXPECT_EQ(preparation.size(), 1u);
  live().note_for(preparation);
  preparation.catch_up(*engine_.snapshot(), NotedChanges());
  preparation.give_up(Status(Code::kResourceExhausted, "too fast"));
  static_cast<void>(live().take_noted());
  const auto adopted = live().adopt(preparation);
  ASSERT_EQ(adopted.size(), 1u);
  EXPECT_EQ(adopted[0].first, id);
  EXPECT_EQ(adopted[0].second.message(), "too fast");
  EXPECT_EQ(live().size(), 0u);
  live().remove(id);  // by one who has not heard
  EXPECT_NE(add(kTotals), id);
}

// Nothing is noted while nobody wants anything: then all counts as changed.
TEST_F(PreparationTest, WhatChangedUnseenIsLookedAtAgain) {
  live().read_at_most(0);
  const LiveQueries::Id left = add(kTotals), stays = add(kLargest);
  Preparation preparation(live().take_put_off(10));
  live().note_for(preparation);
  preparation.catch_up(*engine_.snapshot(), NotedChanges());
  live().remove(left);
  live().remove(stays);
  amend(2, 7'000);
  const LiveQueries::Id other = add(kBooks);
  amend(3, 9'000);
  NotedChanges changed = live().take_noted();
  EXPECT_TRUE(changed.everything());
  preparation.catch_up(*engine_.snapshot(), std::move(changed));
  EXPECT_TRUE(live().adopt(preparation).empty()) << "nobody wants any of them";

  Preparation second(live().take_put_off(10));
  live().note_for(second);
  second.catch_up(*engine_.snapshot(), NotedChanges());
  amend(4, 12'000);
  trade(2);
  changed = live().take_noted();
  EXPECT_EQ(changed.size(), 3u);
  second.catch_up(*engine_.snapshot(), std::move(changed));
  ASSERT_EQ(live().adopt(second).size(), 1u);
  EXPECT_TRUE(live().is_live(other));
  EXPECT_EQ(live().since(other), engine_.last_seq());
  expect_as_asked_anew(other, kBooks);
}

TEST_F(PreparationTest, AJoinCountsThePairsThatItMayGive) {
  live().read_at_most(100);
  EXPECT_FALSE(live().is_live(add("SELECT t.trade_id, u.trade_id FROM trades t JOIN trades u ON t.book = u.book")))
      << "30 trades are 60 rows to read, and may be 900 pairs";
  live().read_at_most(900);
  EXPECT_TRUE(live().is_live(add("SELECT t.trade_id, u.seq FROM trades t JOIN trades u ON t.book = u.book")));
}

TEST_F(PreparationTest, NoMoreIsReadAtOnceThanIsAllowed) {
  live().read_at_most(40);
  const LiveQueries::Id first = add(kTotals), second = add(kLargest);
  EXPECT_TRUE(live().is_live(first));
  EXPECT_FALSE(live().is_live(second)) << "there are 30 trades, and 10 more may be read";
  live().renew();
  const LiveQueries::Id groups = add("SELECT trader, COUNT(*), SUM(notional) FROM trades GROUP BY trader HAVING COUNT(*) > 2");
  EXPECT_TRUE(live().is_live(groups)) << "its groups are known";
  const LiveQueries::Id plain = add("SELECT trade_id FROM trades WHERE quantity > 0"), another = add("SELECT trade_id FROM trades");
  EXPECT_TRUE(live().is_live(another)) << "it keeps nothing: only its answer is to be read aside";
  EXPECT_TRUE(live().read_now(plain));
  EXPECT_FALSE(live().read_now(another));
  trade(1);
  EXPECT_EQ(live().take().size(), 4u) << "of all that are live";
}

TEST_F(PreparationTest, WhatADroppedQueryKeptIsHandedOver) {
  std::vector<std::shared_ptr<void>> dropped;
  live().on_dropped([&](std::shared_ptr<void> kept) { dropped.push_back(std::move(kept)); });
  for (const char* sql : {kTotals, kLargest, "SELECT name FROM nodes", "SELECT trade_id FROM trades"}) live().remove(add(sql));
  EXPECT_EQ(dropped.size(), 3u) << "the last kept nothing";
  live().on_dropped({});
}

// Else what is noted would pile up: nobody takes it any more.
TEST_F(PreparationTest, WithTheLastQueryGoneNothingIsNoted) {
  const Snapshot books = engine_.snapshot();
  Changes changes;
  LiveQueries apart(*books, changes);
  EXPECT_FALSE(changes.wants_rows());
  apart.read_at_most(0);
  const LiveQueries::Id id = apart.add(plan(kTotals)).value();
  EXPECT_EQ(1, changes.wanted);
  EXPECT_FALSE(changes.wants_rows()) << "trades alone";
  Preparation preparation(apart.take_put_off(10));
  apart.note_for(preparation);
  EXPECT_TRUE(changes.wants_rows());
  changes.note(Changes::Of::kNodes, 1);
  EXPECT_TRUE(changes.empty()) << "it reads trades";
  changes.note(Changes::Of::kLimits, 1);
  EXPECT_FALSE(changes.empty());
  apart.remove(id);
  EXPECT_EQ(0, changes.wanted);
  EXPECT_FALSE(changes.wants_rows());
  EXPECT_TRUE(changes.empty());
  changes.note(Changes::Of::kNodes, 1);
  EXPECT_TRUE(changes.empty());
  EXPECT_TRUE(apart.take_noted().everything());
  apart.read_at_most(SIZE_MAX);
  const LiveQueries::Id other = apart.add(plan("SELECT name FROM nodes")).value();
  EXPECT_TRUE(changes.wants_rows());
  apart.remove(other);
  EXPECT_FALSE(changes.wants_rows());
}

TEST_F(PreparationTest, OnlyNodesAndHoldersOfTheKindsAskedForAreNoted) {
  const Snapshot books = engine_.snapshot();
  Changes changes;
  LiveQueries apart(*books, changes);
  const auto wanted = [&](auto wants) {
    std::vector<NodeKind> kinds;
    for (const NodeKind kind : {NodeKind::kFirm, NodeKind::kDesk, NodeKind::kBook, NodeKind::kTrader, NodeKind::kCounterparty}) {
      if (wants(kind)) kinds.push_back(kind);
    }
    return kinds;
  };
  const auto nodes = [&] { return wanted([&](NodeKind kind) { return changes.wants_node(kind); }); };
  const auto holders = [&] { return wanted([&](NodeKind kind) { return changes.wants_position(kind); }); };
  using enum NodeKind;
  const std::vector<NodeKind> none, all{kFirm, kDesk, kBook, kTrader, kCounterparty};
  EXPECT_EQ(nodes(), none);
  const LiveQueries::Id traders = apart.add(plan("SELECT name, gross FROM nodes WHERE gross > 10 AND kind = 'trader'")).value();
  EXPECT_EQ(nodes(), std::vector{kTrader});
  EXPECT_EQ(holders(), none);
  const LiveQueries::Id two = apart.add(plan("SELECT name FROM nodes WHERE name IN ('a', 'b') AND kind IN ('desk', 'trader')")).value();
  EXPECT_EQ(nodes(), (std::vector{kDesk, kTrader}));
  const LiveQueries::Id books_held = apart.add(plan("SELECT node FROM positions WHERE node_kind = 'book'")).value();
  EXPECT_EQ(holders(), std::vector{kBook});
  apart.remove(two);
  EXPECT_EQ(nodes(), std::vector{kTrader});
  const LiveQueries::Id any = apart.add(plan("SELECT name FROM nodes WHERE kind = 'trader' OR gross > 10")).value();
  EXPECT_EQ(nodes(), all);
  apart.remove(any);
  const LiveQueries::Id pairs =
      apart.add(plan("SELECT p.node FROM positions p JOIN nodes n ON p.node = n.name WHERE p.node_kind = 'book'")).value();
  EXPECT_EQ(nodes(), all);
  EXPECT_EQ(holders(), all) << "a join looks at its sources whole";
  for (const LiveQueries::Id id : {traders, books_held, pairs}) apart.remove(id);
  EXPECT_EQ(nodes(), none);
  EXPECT_EQ(holders(), none);
}

}  // namespace
}  // namespace halocline::queries
