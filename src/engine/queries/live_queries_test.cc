// Queries over trades that come one after the other while the trades change: whatever the first answers were read from, each is what the
// question asked anew gives; and what is told is the same however often it is taken. All else about continuous queries is tested from
// outside (tests/queries).
#include "engine/queries/live_queries.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bench/floor_workload.h"
#include "engine/engine.h"
#include "engine/queries/run.h"

namespace halocline {
namespace {

constexpr Nanos kStart = 1'700'000'000'000'000'000;
constexpr bench::FloorSize kFloor{2, 4, 6, 3, 8, 2};

class Round {
 public:
  explicit Round(std::uint64_t seed) : floor_(seed, kFloor) {
    for (const Command& command : floor_.reference()) apply(command);
  }

  // One of `among` commands is followed by new queries.
  void play(int commands, std::uint32_t among) {
    for (int i = 0; i < commands; ++i) {
      const std::uint32_t what = below(100);
      if (what == 0) {
        const std::string name = "N" + std::to_string(i);
        std::string& trader = floor_.traders[below(kFloor.traders)];
        apply(Rename{NodeKind::kTrader, trader, name});
        trader = name;
      } else if (what < 30 && !versions_.empty()) {
        change(what < 5);
      } else {
        std::string id;
        apply(floor_.next_trade(id));
        versions_.push_back(1);
      }
      if (below(among) == 0) register_some();
      if (below(50) == 0) check_all();
    }
    check_all();
  }

 private:
  std::uint32_t below(std::uint32_t n) { return floor_.below(n); }

  void apply(const Command& command) {
    const Seq seq = engine_.last_seq() + 1;
    const Nanos time = kStart + static_cast<Nanos>(seq / 2);
    ASSERT_EQ(engine_.apply(seq, time, command, events_).outcome, Outcome::kAccepted);
    one_by_one_.apply(seq, time, command, events_);
    tell(one_by_one_, told_one_by_one_);
  }
  static void tell(Engine& engine, std::vector<std::string>& told) {
    for (const queries::LiveEvents& one : engine.queries().take()) {
      ASSERT_EQ(one.failure, nullptr);
      for (const RowEvent& row : one.events->rows) {
        told.push_back("query " + std::to_string(one.query) + " seq " + std::to_string(one.events->seq) + " time " +
                       std::to_string(one.events->time) + " kind " + std::to_string(static_cast<int>(row.kind)) + " reason " +
                       std::to_string(static_cast<int>(row.reason)) + " " + std::string(row.key) + "/" + std::string(row.before) + "/" +
                       std::string(row.after) + "/" + std::string(row.order));
      }
    }
  }
  // The next version of a trade, or its cancel.
  void change(bool cancel) {
    const std::uint32_t number = below(static_cast<std::uint32_t>(versions_.size()));
    if (versions_[number] == 0) return;
    std::string unused;
    bench::FloorWorkload other(below(1'000'000), kFloor);
    Trade trade = other.next_trade(unused);
    const std::string id = "t" + std::to_string(number);
    trade.trade_id = id;
    trade.trader = floor_.traders[below(kFloor.traders)];
    trade.version = ++versions_[number];
    trade.action = cancel ? Action::kCancel : Action::kAmend;
    if (cancel) versions_[number] = 0;
    apply(trade);
  }

  std::string condition() {
    const auto name = [&](const std::vector<std::string>& names) {
      return " = '" + names[below(static_cast<std::uint32_t>(names.size()))] + "'";
    };
    const std::string price = std::to_string(below(500)), quantity = std::to_string(100 * below(50));
    switch (below(7)) {
      case 0: return "trader" + name(floor_.traders);
      case 1: return "instrument" + name(floor_.instruments) + " AND book" + name(floor_.books);
      case 2: return "price BETWEEN " + price + " AND " + price + ".5 + 40";
      case 3: return "quantity > " + quantity;
      case 4: return "book" + name(floor_.books) + " AND quantity <= " + quantity;
      case 5: return "counterparty IN ('cpty0', 'cpty2') AND side = 'BUY' AND price < " + price;
      default: return "live AND trade_id LIKE '%" + std::to_string(below(10)) + "'";
    }
  }
  std::string sql() {
    switch (below(3)) {
      case 0: return "SELECT trade_id, price FROM trades WHERE " + condition() + (below(2) == 0 ? " ORDER BY price" : "");
      case 1: return "SELECT trader, COUNT(*), SUM(notional), MAX(price) FROM trades WHERE " + condition() + " GROUP BY trader";
      default: return "SELECT trade_id, quantity FROM trades WHERE " + condition() + " ORDER BY quantity DESC LIMIT 5";
    }
  }
  void register_some() {
    std::vector<std::shared_ptr<const queries::Plan>> plans;
    for (std::uint32_t left = 1 + below(4); left > 0; --left) {
      Result<queries::Plan> plan = queries::prepare(sql(), {});
      ASSERT_TRUE(plan.ok()) << plan.status().message();
      plans.push_back(std::make_shared<const queries::Plan>(plan.take()));
    }
    const auto added = engine_.queries().add(plans);
    one_by_one_.queries().add(plans);
    for (std::size_t i = 0; i < plans.size(); ++i) {
      ASSERT_TRUE(added[i].ok());
      watched_.emplace_back(added[i].value(), plans[i]);
      check(watched_.back());
    }
    if (watched_.size() < 60) return;
    for (const auto& [id, plan] : watched_) {
      engine_.queries().remove(id);
      one_by_one_.queries().remove(id);
    }
    watched_.clear();
  }

  using Watched = std::pair<queries::LiveQueries::Id, std::shared_ptr<const queries::Plan>>;
  void check(const Watched& one) {
    const Result<QueryRows> anew = queries::run(*one.second, *engine_.snapshot());
    ASSERT_TRUE(anew.ok());
    std::vector<std::string> rows;
    for (const KeptRow& row : engine_.queries().rows(one.first)) rows.push_back(row.row);
    ASSERT_EQ(rows, anew.value().rows) << "query " << one.first << " at seq " << engine_.last_seq();
  }
  void check_all() {
    for (const Watched& one : watched_) check(one);
    std::vector<std::string> told;
    tell(engine_, told);
    ASSERT_EQ(told, told_one_by_one_) << "up to seq " << engine_.last_seq();
    told_one_by_one_.clear();
  }

  bench::FloorWorkload floor_;
  Engine engine_;
  Engine one_by_one_;  // the same, but what it tells is taken after each command
  std::vector<std::string> told_one_by_one_;  // since it was taken from the other
  std::vector<AlertEvent> events_;
  std::vector<std::uint32_t> versions_;  // of each trade; 0: cancelled
  std::vector<Watched> watched_;
};

TEST(LiveQueries, AnswerAsIfAskedAnewWheneverTheyCame) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Round(seed).play(600, 4);
    if (HasFatalFailure()) return;
  }
}

TEST(LiveQueries, TellTheSameOfTradesThatAreSettledTogether) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Round(seed).play(1'500, 60);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace halocline
