// Queries over trades that come one after the other while the trades change: whatever the first answers were read from, each is what the
// question asked anew gives; and what is told is the same however often it is taken. All else about continuous queries is tested from
// outside (tests/queries).
#include "engine/queries/live_queries.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
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

// Queries over nodes by how far their exposures are: which are not looked at while they cannot have come near. Levels lie beside what the
// nodes have, so that trades, prices, rates, staleness and names cross them all the time, or a few steps later.
class NearLevels {
 public:
  // `others`: 0, or which conditions there are that are on more than exposures, or such as no index can use.
  NearLevels(std::uint64_t seed, std::uint32_t others) : floor_(seed, kFloor), others_(others) {
    for (const Command& command : floor_.reference()) apply(command);
  }

  void play(int commands) {
    for (int i = 0; i < commands; ++i) {
      const std::uint32_t what = below(100);
      const std::uint32_t instrument = below(kFloor.instruments);
      const std::string name = "N" + std::to_string(i);
      std::string id;
      if (what < 2) {
        std::string& trader = floor_.traders[below(kFloor.traders)];
        const std::string renamed = other_name(trader);
        apply(Rename{NodeKind::kTrader, trader, renamed});
        trader = renamed;
      } else if (what < 4) {
        apply(FxRate{floor_.codes[1], 100'000'000 + below(20'000'000), 0});
      } else if (what < 12) {
        apply(Price{floor_.instruments[instrument], floor_.prices[instrument] * (90 + below(21)) / 100, 0});
      } else if (what < 15) {
        Limit limit;
        limit.name = name, limit.kind = NodeKind::kDesk, limit.node = floor_.desks[below(kFloor.desks)], limit.measure = Measure::kGross;
        limit.breach = Int128{1 + below(1'000'000)} * limits::kScale;
        apply(limit);
      } else if (what < 16) {
        apply(EndOfDay{++date_ % 100 > 28 ? date_ += 73 : date_});
      } else if (what < 18) {
        seconds_ += 40;  // prices older than that are stale
        Instrument stale;
        stale.symbol = floor_.instruments[instrument], stale.currency = floor_.codes[instrument % kFloor.currencies];
        stale.multiplier = limits::kScale, stale.sector = floor_.sectors[instrument % floor_.sectors.size()];
        stale.stale_after = (30 + below(60)) * Nanos{1'000'000'000};
        const Outcome outcome = engine_.apply(engine_.last_seq() + 1, time(), stale, events_).outcome;
        ASSERT_TRUE(outcome == Outcome::kAccepted || outcome == Outcome::kUnchanged);
      } else {
        Trade trade = floor_.next_trade(id);
        if (below(4) != 0) trade.quantity = 1 + below(1'000'000);  // moves little
        apply(trade);
      }
      if (below(12) == 0) ask();
      check_all();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  std::size_t events() const { return told_; }

 private:
  std::uint32_t below(std::uint32_t n) { return floor_.below(n); }
  Nanos time() const { return kStart + seconds_ * Nanos{1'000'000'000}; }
  void apply(const Command& command) {
    ASSERT_EQ(engine_.apply(engine_.last_seq() + 1, time(), command, events_).outcome, Outcome::kAccepted);
  }

  // Each trader has two names, by turns.
  static std::string other_name(const std::string& trader) { return (trader[0] == 'T' ? "S" : "T") + trader.substr(1); }

  // A level near what a node of the kind has.
  std::string level(const std::string& measure, const std::string& kind) {
    const Result<queries::Plan> plan = queries::prepare("SELECT " + measure + " FROM nodes WHERE kind = '" + kind + "'", {});
    const Result<QueryRows> rows = queries::run(plan.value(), *engine_.snapshot());
    PackedReader reader(rows.value().rows[below(static_cast<std::uint32_t>(rows.value().rows.size()))]);
    const Int128 now = reader.next(ValueType::kDecimal).number;
    return to_decimal(now + now * (Int128{below(21)} - 10) / (below(2) == 0 ? 100 : 10'000) + below(3));
  }
  std::string condition(const std::string& kind) {
    static const char* const kMeasures[] = {"net", "gross", "long", "short", "stale"};
    const std::string measure = kMeasures[below(5)];
    const std::string a = level(measure, kind), b = level(measure, kind);
    const std::uint32_t of = below(5);
    switch (of < 4 ? of : 3 + others_) {
      case 0: return measure + " > " + a;
      case 1: return measure + " <= " + a;
      case 2: return measure + " >= " + a + " AND " + measure + " < " + b;
      case 3: {
        const std::string& trader = floor_.traders[below(kFloor.traders)];
        return "name = '" + (below(2) == 0 ? trader : other_name(trader)) + "' AND " + measure + " > " + level(measure, "trader");
      }
      case 4: return "total_pnl > 0 AND " + measure + " > " + a;
      case 5: return "trade_rate = " + std::to_string(below(4)) + " AND " + measure + " > " + a;
      case 6: {  // an end of day moves these, and no exposure
        const std::string of_day = below(2) == 0 ? "day_pnl" : "largest_trade";
        return of_day + (below(2) == 0 ? " > " : " < ") + level(of_day, kind);
      }
      default: return measure + " > " + a + " OR net > " + b;
    }
  }
  void ask() {
    static const char* const kKinds[] = {"trader", "desk", "book", "currency", "sector"};
    const std::string kind = kKinds[below(5)];
    const std::string sql = "SELECT name, gross FROM nodes WHERE " + (below(5) == 0 ? "" : "kind = '" + kind + "' AND ") + condition(kind);
    Result<queries::Plan> plan = queries::prepare(sql, {});
    ASSERT_TRUE(plan.ok()) << sql << ": " << plan.status().message();
    watched_.push_back({sql, std::make_shared<const queries::Plan>(plan.take()), 0});
    const auto id = engine_.queries().add(watched_.back().plan);
    ASSERT_TRUE(id.ok());
    watched_.back().id = id.value();
    if (watched_.size() < 16) return;
    const auto gone = watched_.begin() + below(16);
    engine_.queries().remove(gone->id);
    watched_.erase(gone);
  }
  void check_all() {
    told_ += engine_.queries().take().size();
    for (const Watched& one : watched_) {
      const Result<QueryRows> anew = queries::run(*one.plan, *engine_.snapshot());
      ASSERT_TRUE(anew.ok());
      std::vector<std::string> rows, expected = anew.value().rows;
      for (const KeptRow& row : engine_.queries().rows(one.id)) rows.push_back(row.row);
      std::sort(rows.begin(), rows.end());
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(rows, expected) << one.sql << " at seq " << engine_.last_seq();
    }
  }

  struct Watched {
    std::string sql;
    std::shared_ptr<const queries::Plan> plan;
    queries::LiveQueries::Id id;
  };
  bench::FloorWorkload floor_;
  const std::uint32_t others_;
  Engine engine_;
  Nanos seconds_ = 0;
  std::uint32_t date_ = 20240101;
  std::vector<AlertEvent> events_;
  std::vector<Watched> watched_;
  std::size_t told_ = 0;
};

TEST(LiveQueries, NodesThatComeNearALevelAreSeen) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    NearLevels near(seed, static_cast<std::uint32_t>(seed % 5));
    near.play(500);
    if (HasFatalFailure()) return;
    EXPECT_GT(near.events(), 100u);
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
