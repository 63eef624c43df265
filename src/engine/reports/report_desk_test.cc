// Trade reports by literal commands: chains of corrections in every order, reports that wait for their instrument, and what a FIX session
// leaves in the books. docs/semantics.md, "Trade reports" and "FIX sessions".
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/decimal.h"
#include "engine/engine.h"
#include "engine/views.h"

namespace halocline {
namespace {

constexpr std::int64_t kOne = 100'000'000;
constexpr Nanos kStart = 1'700'000'000'000'000'000;

class ReportsTest : public ::testing::Test {
 protected:
  ReportsTest() { begin(); }

  void begin() {
    engine = std::make_unique<Engine>();
    for (const Command& command : std::vector<Command>{
             Firm{"Acme", "USD"}, Currency{"EUR", 2 * kOne}, Desk{"cash"}, Desk{"macro"}, Book{"eq1", "cash"}, Trader{"ann", "cash"},
             Counterparty{"street"}, Instrument{"AAPL", InstrumentKind::kEquity, "USD", kOne, "", "", "", 0, 0}}) {
      EXPECT_EQ(apply(command), Outcome::kAccepted);
    }
  }

  Outcome apply(const Command& command) {
    applied = engine->apply(engine->last_seq() + 1, kStart, command, events);
    return applied.outcome;
  }

  static TradeReport report(std::string_view id, Action action, std::string_view reference = "", std::int64_t quantity = 100) {
    return {{"oms", id, 0, action, "eq1", "ann", "street", "AAPL", Side::kBuy, quantity * kOne, 10 * kOne, 0, kStart}, reference, "", "",
        false};
  }

  std::string quantity() {
    const auto rows = views::positions(*engine->snapshot(), {NodeKind::kBook, "eq1", ""});
    return rows.empty() ? "0" : to_decimal(rows.front().quantity);
  }
  TradeRow trade(const std::string& id) {
    const std::optional<TradeRow> row = views::trade(*engine->snapshot(), "oms", id);
    EXPECT_TRUE(row.has_value()) << id;
    return row.value_or(TradeRow{});
  }

  std::unique_ptr<Engine> engine;
  Applied applied;
  std::vector<AlertEvent> events;
};

TEST_F(ReportsTest, CorrectionsFindTheirTrade) {
  EXPECT_EQ(apply(report("E1", Action::kNew)), Outcome::kAccepted);
  EXPECT_EQ(apply(report("E2", Action::kAmend, "E1", 90)), Outcome::kAccepted);
  EXPECT_EQ(apply(report("E3", Action::kAmend, "E2", 80)), Outcome::kAccepted) << "the one before";
  EXPECT_EQ(apply(report("E4", Action::kAmend, "E1", 70)), Outcome::kAccepted) << "the first";
  EXPECT_EQ(trade("E1").version, 4u);
  EXPECT_EQ(trade("E3").trade_id, "E1") << "by any of its reports";
  EXPECT_EQ(quantity(), "70");
  EXPECT_EQ(apply(report("E5", Action::kCancel, "E4")), Outcome::kAccepted);
  EXPECT_FALSE(trade("E1").live);
}

TEST_F(ReportsTest, AReportSentAgainIsADuplicate) {
  apply(report("E1", Action::kNew));
  apply(report("E2", Action::kAmend, "E1", 90));
  const Seq at = engine->last_seq();
  apply(report("E3", Action::kAmend, "E2", 80));
  EXPECT_EQ(apply(report("E2", Action::kAmend, "E1", 90)), Outcome::kDuplicate);
  EXPECT_EQ(applied.first_seq, at);
  EXPECT_EQ(apply(report("E2", Action::kAmend, "E1", 91)), Outcome::kConflict);
  EXPECT_EQ(apply(report("E1", Action::kNew)), Outcome::kStale);
  EXPECT_EQ(apply(report("E2", Action::kNew)), Outcome::kConflict) << "the id of a correction";
  EXPECT_EQ(apply(report("E9", Action::kNew, "E1")), Outcome::kInvalidAction);
  EXPECT_EQ(quantity(), "80");
}

// Every order of the reports of a chain ends in the same books.
TEST_F(ReportsTest, TheOrderOfArrivalDoesNotMatter) {
  for (const bool cancelled : {false, true}) {
    for (std::size_t length = 1; length <= 5; ++length) {
      std::vector<TradeReport> chain{report("E1", Action::kNew)};
      static constexpr const char* kIds[] = {"E1", "E2", "E3", "E4", "E5"};
      for (std::size_t i = 1; i < length; ++i) {
        const Action action = cancelled && i + 1 == length ? Action::kCancel : Action::kAmend;
        chain.push_back(report(kIds[i], action, kIds[i - 1], 100 - static_cast<std::int64_t>(i)));
      }
      std::vector<std::size_t> order(length);
      std::iota(order.begin(), order.end(), 0u);
      do {
        begin();
        std::string said;
        for (const std::size_t i : order) {
          EXPECT_FALSE(is_refused(apply(chain[i])));
          said += std::string(kIds[i]) + " " + std::string(outcome_name(applied.outcome)) + ", ";
        }
        const TradeRow end = trade("E1");
        const bool live = !cancelled || length == 1;
        EXPECT_EQ(end.version, length) << said;
        EXPECT_EQ(end.live, live) << said;
        EXPECT_EQ(quantity(), live ? std::to_string(101 - length) : "0") << said;
        // All of them again change nothing.
        for (const TradeReport& again : chain) {
          const Outcome outcome = apply(again);
          EXPECT_TRUE(outcome == Outcome::kDuplicate || outcome == Outcome::kStale) << said << outcome_name(outcome);
        }
        EXPECT_EQ(trade("E1").version, length) << said;
      } while (std::next_permutation(order.begin(), order.end()));
    }
  }
}

TEST_F(ReportsTest, WhatAReportSaysBesideItsNamesMustHold) {
  TradeReport wrong = report("E1", Action::kNew);
  wrong.desk = "macro";
  EXPECT_EQ(apply(wrong), Outcome::kWrongDesk);
  wrong.desk = "cash", wrong.currency = "EUR";
  EXPECT_EQ(apply(wrong), Outcome::kWrongCurrency);
  wrong.currency = "USD";
  EXPECT_EQ(apply(wrong), Outcome::kAccepted);
}

TEST_F(ReportsTest, AParkedReportEntersWithItsInstrument) {
  TradeReport early = report("E1", Action::kNew), second = report("E2", Action::kNew, "", 5);
  early.trade.instrument = second.trade.instrument = "MSFT";
  EXPECT_EQ(apply(early), Outcome::kUnknownInstrument);
  early.park = second.park = true;
  EXPECT_EQ(apply(early), Outcome::kParked);
  EXPECT_EQ(apply(second), Outcome::kParked);
  EXPECT_EQ(apply(early), Outcome::kDuplicate);
  early.trade.quantity += 1;
  EXPECT_EQ(apply(early), Outcome::kConflict);
  TradeReport wrong = second, other = second;
  wrong.trade.trade_id = "E3", wrong.currency = "EUR";
  other.trade.trade_id = "E4", other.trade.instrument = "SAP";
  EXPECT_EQ(apply(wrong), Outcome::kParked);
  EXPECT_EQ(apply(other), Outcome::kParked);
  const FixLedger before = views::fix_ledger(*engine->snapshot());
  EXPECT_EQ(before.parked, 4u);
  EXPECT_EQ(before.parked_for, (std::vector<std::pair<std::string, std::uint64_t>>{{"MSFT", 3}, {"SAP", 1}}));
  EXPECT_EQ(apply(Instrument{"MSFT", InstrumentKind::kEquity, "USD", kOne, "", "", "", 0, 0}), Outcome::kAccepted);
  const FixLedger after = views::fix_ledger(*engine->snapshot());
  EXPECT_EQ(after.parked, 1u);
  EXPECT_EQ(after.released, 2u);
  EXPECT_EQ(after.refused, 1u);
  const std::vector<RefusedRelease> refused = engine->take_refused_releases();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].trade_id, "E3");
  EXPECT_EQ(refused[0].outcome, Outcome::kWrongCurrency);
  EXPECT_TRUE(engine->take_refused_releases().empty());
  EXPECT_EQ(quantity(), "105");
  EXPECT_EQ(trade("E1").seq, engine->last_seq());
}

// The peak of P&L is looked at after the command that lets them in, not between them.
TEST_F(ReportsTest, ParkedReportsEnterAsOne) {
  TradeReport rebate = report("E1", Action::kNew), without = report("E2", Action::kAmend, "E1");
  rebate.trade.instrument = without.trade.instrument = "MSFT";
  rebate.trade.fees = -7 * kOne;
  rebate.park = without.park = true;
  EXPECT_EQ(apply(rebate), Outcome::kParked);
  EXPECT_EQ(apply(without), Outcome::kParked);
  EXPECT_EQ(apply(Instrument{"MSFT", InstrumentKind::kEquity, "USD", kOne, "", "", "", 0, 0}), Outcome::kAccepted);
  EXPECT_EQ(quantity(), "100");
  for (const NodeRow& row : views::nodes(*engine->snapshot(), {})) EXPECT_EQ(row.drawdown, 0) << row.name;
}

TEST_F(ReportsTest, ASessionsNumbersAndWhatWaitsForItsReply) {
  const auto ledger = [&] { return views::fix_ledger(*engine->snapshot()).sessions.at(0); };
  EXPECT_EQ(apply(FixReceived{"oms", 5, 2, FixReply::kAlways, "AE", "571=R1\x01"}), Outcome::kAccepted);
  const Seq at = engine->last_seq();
  apply(report("R1", Action::kNew));
  EXPECT_TRUE(ledger().unanswered.empty()) << "its second trade has not been seen";
  TradeReport other = report("R1/2", Action::kNew);
  other.trade.book = "eq9";
  apply(other);
  EXPECT_EQ(ledger().next_in, 6u);
  ASSERT_EQ(ledger().unanswered.size(), 1u);
  EXPECT_EQ(ledger().unanswered[0].seq, at);
  EXPECT_EQ(ledger().unanswered[0].told.outcome, Outcome::kUnknownBook) << "the worse one";
  EXPECT_EQ(ledger().unanswered[0].told.index, 1u);

  EXPECT_EQ(apply(FixReserved{"oms", 1'000}), Outcome::kAccepted);
  EXPECT_EQ(apply(FixSent{"oms", 2, at, "8=FIX"}), Outcome::kAccepted);
  EXPECT_TRUE(ledger().unanswered.empty());
  EXPECT_EQ(ledger().next_out, 1'000u);
  EXPECT_EQ(apply(FixSent{"oms", 2, 0, "8=FIX"}), Outcome::kStale);
  EXPECT_EQ(apply(FixReserved{"oms", 3}), Outcome::kAccepted) << "a clean stop";
  EXPECT_EQ(ledger().next_out, 3u);
  EXPECT_EQ(apply(FixSent{"oms", 7, 0, "8=FIX"}), Outcome::kAccepted);
  const auto sent = views::fix_sent(*engine->snapshot(), "oms", 1, 7, 10);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].number, 2u);
  EXPECT_EQ(sent[1].seq, engine->last_seq());
  EXPECT_EQ(views::fix_sent(*engine->snapshot(), "oms", 3, 6, 10).size(), 0u);

  EXPECT_EQ(apply(FixReset{"oms"}), Outcome::kAccepted);
  EXPECT_EQ(ledger().next_in, 1u);
  EXPECT_EQ(views::fix_sent(*engine->snapshot(), "oms", 1, 100, 10).size(), 0u);
  EXPECT_EQ(apply(FixReceived{"oms", 0, 0, FixReply::kNone, "", ""}), Outcome::kOutOfRange);
  EXPECT_EQ(apply(FixReceived{"", 1, 0, FixReply::kNone, "", ""}), Outcome::kInvalidName);
}

TEST_F(ReportsTest, ADropCopyIsAnsweredOnlyWhenRefused) {
  apply(FixReceived{"oms", 1, 1, FixReply::kWhenRefused, "8", ""});
  apply(report("E1", Action::kNew));
  EXPECT_TRUE(views::fix_ledger(*engine->snapshot()).sessions.at(0).unanswered.empty());
  apply(FixReceived{"oms", 2, 1, FixReply::kWhenRefused, "8", ""});
  TradeReport wrong = report("E2", Action::kNew);
  wrong.trade.trader = "nobody";
  apply(wrong);
  EXPECT_EQ(views::fix_ledger(*engine->snapshot()).sessions.at(0).unanswered.size(), 1u);
}

}  // namespace
}  // namespace halocline
