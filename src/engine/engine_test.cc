// The engine by literal commands and literal effects, in the words of docs/semantics.md. The great mass of cases is the
// comparison with the independent model (tests/oracle); here are the ones a reader should see.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>

#include "bench/floor_workload.h"
#include "command/codec.h"
#include "engine/running_digest.h"
#include "engine/state/state.h"
#include "engine/views.h"

namespace halocline {
namespace {

constexpr std::int64_t kOne = 100'000'000;
constexpr Nanos kStart = 1'700'000'000'000'000'000;
constexpr Nanos kSecond = 1'000'000'000;

// A small floor and a running seq.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    for (const Command& command : std::vector<Command>{
             Firm{"Acme", "USD"}, Currency{"EUR", 2 * kOne}, Desk{"cash"}, Desk{"macro"}, Book{"eq1", "cash"}, Book{"eq2", "macro"},
             Trader{"ann", "cash"}, Trader{"bob", "macro"}, Counterparty{"street"},
             Instrument{"AAPL", InstrumentKind::kEquity, "USD", kOne, "", "tech", "", 0, 0},
             Instrument{"SAP", InstrumentKind::kEquity, "EUR", kOne, "", "tech", "", 0, 0},
             Instrument{"ES", InstrumentKind::kFuture, "USD", 50 * kOne, "SPX", "", "", 20261218, 60 * kSecond}}) {
      EXPECT_EQ(apply(command), Outcome::kAccepted);
    }
  }

  Outcome apply(const Command& command) {
    applied = engine.apply(engine.last_seq() + 1, time, command, events);
    return applied.outcome;
  }

  static Trade trade(std::string_view id, std::uint32_t version, Action action, Side side, std::int64_t quantity, std::int64_t price,
                     std::string_view instrument = "AAPL", std::string_view book = "eq1", std::string_view trader = "ann") {
    return Trade{"T", id, version, action, book, trader, "street", instrument, side, quantity * kOne, price * kOne, 0, kStart};
  }

  PositionRow position(NodeKind kind, const std::string& node, const std::string& instrument) {
    const auto rows = views::positions(*engine.snapshot(), {kind, node, instrument});
    return rows.empty() ? PositionRow{} : rows.front();
  }

  NodeRow node(NodeKind kind, const std::string& name) { return views::nodes(*engine.snapshot(), {kind, name}).at(0); }

  Engine engine;
  Nanos time = kStart;
  Applied applied;
  std::vector<AlertEvent> events;
};

TEST_F(EngineTest, EachTradeOutcome) {
  struct Case {
    Trade trade;
    Outcome expected;
  };
  Trade wrong = trade("x", 1, Action::kNew, Side::kBuy, 1, 1);
  auto with = [&](auto change) {
    Trade t = wrong;
    change(t);
    return t;
  };
  const Case cases[] = {
      {trade("a", 2, Action::kNew, Side::kBuy, 100, 10), Outcome::kAccepted},
      {trade("a", 2, Action::kNew, Side::kBuy, 100, 10), Outcome::kDuplicate},
      {trade("a", 2, Action::kNew, Side::kBuy, 101, 10), Outcome::kConflict},
      {trade("a", 1, Action::kNew, Side::kBuy, 100, 10), Outcome::kStale},
      {trade("a", 3, Action::kCancel, Side::kBuy, 0, 0), Outcome::kAccepted},
      {trade("b", 2, Action::kCancel, Side::kBuy, 0, 0), Outcome::kTombstone},
      {trade("b", 1, Action::kNew, Side::kBuy, 100, 10), Outcome::kStale},
      {trade("b", 3, Action::kAmend, Side::kBuy, 100, 10), Outcome::kAccepted},
      {with([](Trade& t) { t.book = "nowhere"; }), Outcome::kUnknownBook},
      {with([](Trade& t) { t.trader = "nobody"; }), Outcome::kUnknownTrader},
      {with([](Trade& t) { t.counterparty = "nobody"; }), Outcome::kUnknownCounterparty},
      {with([](Trade& t) { t.instrument = "APPL"; }), Outcome::kUnknownInstrument},
      {with([](Trade& t) { t.side = Side{}; }), Outcome::kInvalidSide},
      {with([](Trade& t) { t.action = Action{}; }), Outcome::kInvalidAction},
      {with([](Trade& t) { t.version = 0; }), Outcome::kInvalidVersion},
      {with([](Trade& t) { t.quantity = 0; }), Outcome::kInvalidQuantity},
      {with([](Trade& t) { t.price = 0; }), Outcome::kInvalidPrice},
      {with([](Trade& t) { t.price = -1, t.instrument = "ES", t.trade_id = "future"; }), Outcome::kAccepted},
      {with([](Trade& t) { t.quantity = INT64_MAX; }), Outcome::kOutOfRange},
      {with([](Trade& t) { t.source = ""; }), Outcome::kInvalidName},
      {with([](Trade& t) { t.trade_id = "a\nb"; }), Outcome::kInvalidName},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(outcome_name(apply(c.trade)), outcome_name(c.expected)) << c.trade.trade_id << " v" << c.trade.version;
  }
}

TEST_F(EngineTest, DuplicateNamesTheSeqOfItsVersion) {
  apply(trade("a", 1, Action::kNew, Side::kBuy, 100, 10));
  apply(trade("a", 2, Action::kAmend, Side::kBuy, 90, 10));
  const Seq accepted_at = engine.last_seq();
  apply(Timer{});
  apply(trade("a", 2, Action::kAmend, Side::kBuy, 90, 10));
  EXPECT_EQ(applied.outcome, Outcome::kDuplicate);
  EXPECT_EQ(applied.first_seq, accepted_at);
  // Also after the thing it names got another name: what was accepted stays accepted.
  apply(Rename{NodeKind::kInstrument, "AAPL", "AAPL.OQ"});
  EXPECT_EQ(apply(trade("a", 2, Action::kAmend, Side::kBuy, 90, 10)), Outcome::kDuplicate);
}

TEST_F(EngineTest, AverageCostThroughAFlipAndAnAmend) {
  apply(Price{"AAPL", 12 * kOne, 0});
  apply(trade("a", 1, Action::kNew, Side::kBuy, 100, 10));
  apply(trade("b", 1, Action::kNew, Side::kSell, 150, 13));
  PositionRow row = position(NodeKind::kBook, "eq1", "AAPL");
  EXPECT_EQ(to_decimal(row.quantity), "-50");
  EXPECT_EQ(to_decimal(row.realised), "300");       // 100 * (13 - 10)
  EXPECT_EQ(to_decimal(row.average_price), "13");
  EXPECT_EQ(to_decimal(row.unrealised), "50");      // 50 * (13 - 12)
  EXPECT_EQ(to_decimal(row.total_pnl), "350");
  // The first trade was 120 at 11 all along: the split is as if it had been so from the start.
  apply(trade("a", 2, Action::kAmend, Side::kBuy, 120, 11));
  for (const auto& [kind, name] : {std::pair{NodeKind::kBook, "eq1"}, {NodeKind::kDesk, "cash"}, {NodeKind::kFirm, "Acme"},
                                   {NodeKind::kTrader, "ann"}, {NodeKind::kCounterparty, "street"}}) {
    row = position(kind, name, "AAPL");
    EXPECT_EQ(to_decimal(row.quantity), "-30") << name;
    EXPECT_EQ(to_decimal(row.realised), "240") << name;  // 120 * (13 - 11)
    EXPECT_EQ(to_decimal(row.total_pnl), "270") << name;
    EXPECT_EQ(to_digits(row.realised + row.unrealised), to_digits(row.total_pnl));
  }
}

TEST_F(EngineTest, MeasuresInTheFirmsCurrency) {
  apply(trade("a", 1, Action::kNew, Side::kBuy, 100, 10));               // 1000 USD
  apply(trade("b", 1, Action::kNew, Side::kSell, 10, 50, "SAP", "eq1"));  // -500 EUR, -1000 USD
  NodeRow desk = node(NodeKind::kDesk, "cash");
  EXPECT_EQ(to_decimal(desk.net), "0");
  EXPECT_EQ(to_decimal(desk.gross), "2000");
  EXPECT_EQ(to_decimal(desk.concentration), "0.5");
  EXPECT_EQ(to_decimal(desk.largest_trade), "1000");
  EXPECT_EQ(desk.trade_rate, 2u);
  apply(FxRate{"EUR", 3 * kOne, 0});
  apply(Price{"AAPL", 11 * kOne, 0});
  desk = node(NodeKind::kDesk, "cash");
  EXPECT_EQ(to_decimal(desk.net), "-400");
  EXPECT_EQ(to_decimal(desk.total_pnl), "100");
  apply(Book{"eq1", "macro"});
  EXPECT_EQ(to_decimal(node(NodeKind::kDesk, "cash").gross), "0");
  EXPECT_EQ(to_decimal(node(NodeKind::kDesk, "macro").gross), "2600");
  EXPECT_EQ(to_decimal(node(NodeKind::kSector, "tech").gross), "2600");
  time += 11 * kSecond;
  apply(Timer{});
  EXPECT_EQ(node(NodeKind::kFirm, "Acme").trade_rate, 0u);
}

// The engine looks at a sum only when it may be a peak, and keeps 128 bits of what tells it so: here P&L is small, beyond 64 bits, and so
// large that these are left, and comes back. Each round has nodes of its own, which begin with nothing.
TEST_F(EngineTest, APeakIsTheHighestDayPnlThereWas) {
  constexpr std::uint32_t kSeed = 20261127;
  constexpr int kRounds = 100, kEach = 60;
  std::mt19937_64 random(kSeed);
  const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  const auto any_size = [&](std::int64_t most) { return std::max<std::int64_t>(1, most >> below(below(2) == 0 ? 4 : 40)); };
  std::vector<Money> peaks;
  std::size_t wide = 0, beyond = 0, accepted = 0;
  std::uint32_t date = 20260100;
  const auto look = [&](bool new_day) {
    const Snapshot books = engine.snapshot();
    peaks.resize(books->catalog.nodes.size(), 0);
    for (std::uint32_t node = 0; node < peaks.size(); ++node) {
      const Money pnl = books->total_pnl(node) - books->catalog.nodes[node].day_base, size = pnl < 0 ? -pnl : pnl;
      peaks[node] = std::max(new_day ? 0 : peaks[node], pnl);
      ASSERT_TRUE(peaks[node] == books->catalog.nodes[node].peak_pnl) << "node " << node << " at seq " << books->seq << ", seed " << kSeed;
      wide += size > INT64_MAX;
      beyond += size > (static_cast<Int128>(1) << 126) / limits::kScale;
    }
  };
  for (int round = 0; round < kRounds; ++round) {
    const std::string n = std::to_string(round), desk = "desk" + n, book = "book" + n, trader = "trader" + n, sector = "sector" + n;
    const std::string instruments[] = {"usd" + n, "eur" + n};
    for (const Command& command : std::vector<Command>{
             Desk{desk}, Book{book, desk}, Trader{trader, desk},
             Instrument{instruments[0], InstrumentKind::kEquity, "USD", kOne, "", sector, "", 0, 0},
             Instrument{instruments[1], InstrumentKind::kEquity, "EUR", kOne, "", sector, "", 0, 0}}) {
      ASSERT_EQ(apply(command), Outcome::kAccepted);
    }
    for (int i = 0; i < kEach; ++i) {
      const std::string id = n + "/" + std::to_string(i);
      const std::int64_t what = below(30);
      const bool ends = i == kEach / 2 && round % 8 == 0;
      if (ends) {
        ASSERT_EQ(apply(EndOfDay{++date}), Outcome::kAccepted);
      } else if (what == 0) {
        apply(Book{book, below(2) == 0 ? "macro" : desk});
      } else if (what < 10) {
        apply(Price{instruments[below(2)], any_size(limits::kMaxPrice), 0});
      } else if (what < 17) {
        apply(FxRate{"EUR", any_size(limits::kMaxRate), 0});
      } else {
        Trade one = trade(id, 1, Action::kNew, Side::kBuy, 1, 1, instruments[below(2)], book, trader);
        one.side = below(2) == 0 ? Side::kBuy : Side::kSell;
        one.quantity = any_size(limits::kMaxQuantity);
        one.price = any_size(limits::kMaxPrice / (one.quantity / 1'000 + 1));
        accepted += apply(one) == Outcome::kAccepted;  // else beyond the bound of a position
      }
      look(ends);
    }
  }
  EXPECT_GT(wide, 10'000u);
  EXPECT_GT(beyond, 1'000u);
  EXPECT_GT(accepted, 1'500u);
}

// The same where only a rate moves, after the book came to a desk that had no peak: a loss in one currency and a gain in another, both
// beyond 64 bits, of which the gain leaves the 128 at the new rate.
TEST_F(EngineTest, APeakByARateAloneBeyond128Bits) {
  const std::int64_t most = limits::kMaxPrice;
  ASSERT_EQ(apply(FxRate{"EUR", 1, 0}), Outcome::kAccepted);
  Trade loss = trade("loss", 1, Action::kNew, Side::kSell, 10'000'000'000, 1, "AAPL");
  Trade gain = trade("gain", 1, Action::kNew, Side::kBuy, 200'000'000, 1, "SAP");
  loss.price = gain.price = kOne / 1'000;
  for (const Command& command : std::vector<Command>{loss, gain, Price{"AAPL", most, 0}, Price{"SAP", most, 0}, Book{"eq1", "macro"}}) {
    ASSERT_EQ(apply(command), Outcome::kAccepted);
  }
  const NodeRow before = node(NodeKind::kDesk, "macro");
  EXPECT_LT(before.total_pnl, 0);
  EXPECT_EQ(before.drawdown, -before.day_pnl);  // from no peak at all
  ASSERT_EQ(apply(FxRate{"EUR", limits::kMaxRate, 0}), Outcome::kAccepted);
  const NodeRow after = node(NodeKind::kDesk, "macro");
  EXPECT_GT(after.total_pnl, 0);
  EXPECT_EQ(after.drawdown, 0);  // it is at its peak
}

TEST_F(EngineTest, AnAlertsLife) {
  apply(Limit{"ann-gross", NodeKind::kTrader, "ann", Measure::kGross, 800 * kOne, 1000 * kOne, 10'000'000, true, "risk", 30 * kSecond});
  apply(trade("a", 1, Action::kNew, Side::kBuy, 90, 10));
  apply(trade("b", 7, Action::kNew, Side::kBuy, 20, 10));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].step, AlertStep::kRaised);
  EXPECT_EQ(events[0].level, AlertLevel::kWarn);
  EXPECT_EQ(events[1].step, AlertStep::kEscalated);
  EXPECT_EQ(to_decimal(events[1].value), "1100");
  EXPECT_EQ(to_decimal(events[1].threshold), "1000");
  EXPECT_EQ(events[1].cause_trade_id, "b");
  EXPECT_EQ(events[1].cause_version, 7u);
  EXPECT_EQ(events[1].seq, engine.last_seq());
  EXPECT_EQ(events[1].alert_id, events[0].alert_id);

  EXPECT_LE(engine.deadline(), time + 30 * kSecond);
  time += 30 * kSecond;
  apply(Timer{});
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[2].reason, AlertReason::kUnacknowledged);
  EXPECT_EQ(apply(AlertAck{1, "ann", "hedging"}), Outcome::kAccepted);
  EXPECT_EQ(apply(AlertAck{1, "ann", ""}), Outcome::kAlreadyAcknowledged);
  EXPECT_EQ(events.back().by, "ann");

  apply(Price{"AAPL", 9 * kOne, 0});  // 990: within the hysteresis
  EXPECT_EQ(events.back().step, AlertStep::kAcknowledged);
  apply(Price{"AAPL", 8 * kOne, 0});  // 880: below 900, above 800
  EXPECT_EQ(events.back().step, AlertStep::kEased);
  EXPECT_EQ(events.back().cause, Cause::kPrice);
  EXPECT_EQ(events.back().cause_name, "AAPL");
  apply(trade("a", 2, Action::kCancel, Side::kBuy, 0, 0));
  EXPECT_EQ(events.back().step, AlertStep::kCleared);
  EXPECT_EQ(apply(AlertAck{1, "ann", ""}), Outcome::kAlertCleared);
  EXPECT_TRUE(views::alerts(*engine.snapshot(), {}).empty());
  EXPECT_EQ(views::alert_events(*engine.snapshot(), 1, 2).front().event_id, 2u);
}

TEST_F(EngineTest, ANodesOwnLimitTakesThePlaceOfTheTemplate) {
  apply(Limit{"all", NodeKind::kTrader, "*", Measure::kGross, 0, 500 * kOne, 0, false, "", 0});
  apply(trade("a", 1, Action::kNew, Side::kBuy, 100, 10));
  apply(trade("b", 1, Action::kNew, Side::kBuy, 100, 10, "AAPL", "eq2", "bob"));
  ASSERT_EQ(events.size(), 2u);
  apply(Limit{"ann", NodeKind::kTrader, "ann", Measure::kGross, 0, 5000 * kOne, 0, false, "", 0});
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[2].reason, AlertReason::kOverridden);
  EXPECT_EQ(events[2].node, "ann");
  apply(LimitRemove{"ann"});
  EXPECT_EQ(events.back().step, AlertStep::kRaised);
  apply(LimitRemove{"all"});
  EXPECT_EQ(events.size(), 6u);
  EXPECT_EQ(events.back().reason, AlertReason::kLimitRemoved);
}

TEST_F(EngineTest, PricesBecomeStaleByTime) {
  apply(Limit{"stale", NodeKind::kInstrument, "ES", Measure::kStale, 0, kOne, 0, false, "", 0});
  apply(Price{"ES", 5000 * kOne, 0});
  apply(trade("a", 1, Action::kNew, Side::kBuy, 1, 5000, "ES"));
  time += 30 * kSecond;
  apply(Price{"ES", 5001 * kOne, 0});
  time += 59 * kSecond;
  apply(Timer{});
  EXPECT_TRUE(events.empty());
  time += kSecond;
  apply(Timer{});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].cause, Cause::kTimer);
  EXPECT_EQ(to_decimal(events[0].value), "250050");
  apply(Price{"ES", 5001 * kOne, 0});
  EXPECT_EQ(events.back().step, AlertStep::kCleared);
}

TEST_F(EngineTest, ASnapshotStaysAtItsSeq) {
  apply(trade("a", 1, Action::kNew, Side::kBuy, 100, 10));
  const Snapshot before = engine.snapshot();
  const std::string digest = views::state_digest(*before);
  std::thread reader([&] {
    for (int i = 0; i < 200; ++i) ASSERT_EQ(views::state_digest(*before), digest);
  });
  for (int i = 0; i < 5000; ++i) {
    const std::string id = "n" + std::to_string(i);
    apply(trade(id, 1, Action::kNew, i % 2 ? Side::kBuy : Side::kSell, 1 + i, 10));
  }
  reader.join();
  EXPECT_EQ(views::seq_of(*before) + 5000, engine.last_seq());
}

// The same records give the same effects and digest, taken one by one or decoded, with snapshots between or without.
TEST(Engine, ReplayIsExact) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  bench::FloorWorkload floor(seed, {3, 7, 11, 5, 23, 4});
  std::vector<std::byte> journal;
  std::vector<std::pair<std::size_t, Nanos>> records;
  Nanos time = kStart;
  auto add = [&](const Command& command) {
    time += static_cast<Nanos>(random() % 4 == 0 ? random() % (3 * kSecond) : 0);
    records.emplace_back(journal.size(), time);
    append_record(command, journal);
  };
  for (const Command& command : floor.reference()) add(command);
  for (int m = 1; m < kMeasureCount; ++m) {
    const std::string name = "limit" + std::to_string(m);
    add(Limit{name, NodeKind::kTrader, "*", static_cast<Measure>(m), kOne / 2, 3'000'000 * static_cast<Int128>(kOne), 5'000'000,
              true, "", kSecond});
  }
  std::string id;
  for (int i = 0; i < 4000; ++i) {
    Trade trade = floor.next_trade(id);
    if (random() % 3 == 0) {
      id = "t" + std::to_string(random() % 4000);
      trade.trade_id = id;
      trade.version = static_cast<std::uint32_t>(1 + random() % 4);
      trade.action = random() % 3 == 0 ? Action::kCancel : Action::kAmend;
    }
    add(trade);
    if (random() % 10 == 0) add(Price{floor.instruments[random() % 23], static_cast<std::int64_t>(1 + random() % 500) * kOne, 0});
    if (random() % 20 == 0) add(Book{floor.books[random() % 7], floor.desks[random() % 3]});
    if (random() % 500 == 0) add(EndOfDay{20260101 + static_cast<std::uint32_t>(i / 500)});
  }
  auto play = [&](bool with_snapshots) {
    Engine engine;
    std::vector<AlertEvent> events;
    std::string effects;
    std::vector<Snapshot> kept;
    views::RunningDigest digest;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::size_t end = i + 1 < records.size() ? records[i + 1].first : journal.size();
      std::uint16_t type = 0;
      std::memcpy(&type, journal.data() + records[i].first + 4, 2);
      const auto payload = std::span(journal).subspan(records[i].first + kRecordHeaderBytes, end - records[i].first - kRecordHeaderBytes);
      const Applied applied = engine.apply(i + 1, records[i].second, static_cast<CommandType>(type), payload, events);
      effects += outcome_name(applied.outcome);
      if (with_snapshots && i % 97 == 0) {
        kept.push_back(engine.snapshot());
        EXPECT_EQ(digest.of(kept.back()), views::state_digest(*kept.back())) << i;
      }
      if (kept.size() > 5) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i % 5));
    }
    for (const AlertEvent& e : events) {
      effects += std::to_string(e.event_id) + e.node + std::to_string(e.seq) + to_digits(e.value) + e.cause_trade_id;
    }
    EXPECT_GT(events.size(), 10u);
    return effects + views::state_digest(*engine.snapshot());
  };
  const std::string first = play(false);
  EXPECT_EQ(first, play(true));
}

}  // namespace
}  // namespace halocline
