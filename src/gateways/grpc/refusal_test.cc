#include "gateways/grpc/refusal.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace halocline::rpc {
namespace {

Trade trade() {
  Trade t;
  t.source = "FIX1";
  t.trade_id = "abc";
  t.version = 3;
  t.book = "EQ9";
  t.quantity = 100;
  t.price = 100;
  return t;
}

TEST(Refusal, Trades) {
  const Trade t = trade();
  EXPECT_EQ("book \"EQ9\" is not known", refusal_detail(Outcome::kUnknownBook, t));
  EXPECT_EQ("trader is empty", refusal_detail(Outcome::kUnknownTrader, t));
  EXPECT_EQ("version 3 of trade FIX1/abc was accepted with other content", refusal_detail(Outcome::kConflict, t));
  EXPECT_EQ("quantity_e8 is 0.000001; it must be above 0", refusal_detail(Outcome::kInvalidQuantity, t));
  Trade much = t;
  much.quantity = limits::kMaxQuantity + 1;
  EXPECT_EQ("quantity_e8 10000000000.00000001 is out of range: at most 1e10", refusal_detail(Outcome::kOutOfRange, much));
  Trade control = t;
  control.trade_id = "a\nb";
  EXPECT_EQ("trade_id \"a\\x0ab\" has a control character", refusal_detail(Outcome::kInvalidName, control));
}

TEST(Refusal, WhatIsNoRefusalHasNoWords) {
  for (const Outcome outcome : {Outcome::kNone, Outcome::kAccepted, Outcome::kTombstone, Outcome::kUnchanged, Outcome::kDuplicate,
                                Outcome::kStale}) {
    EXPECT_EQ("", refusal_detail(outcome, trade()));
  }
}

TEST(Refusal, OthersNameTheirField) {
  EXPECT_EQ("desk \"d\" is not known", refusal_detail(Outcome::kUnknownDesk, Command(Book{"b", "d"})));
  EXPECT_EQ("limit \"l\" is not known", refusal_detail(Outcome::kUnknownLimit, Command(LimitRemove{"l"})));
  EXPECT_EQ("alert 7 is cleared already", refusal_detail(Outcome::kAlertCleared, Command(AlertAck{7, "me", ""})));
  EXPECT_EQ("a firm cannot be renamed", refusal_detail(Outcome::kUnknownName, Command(Rename{NodeKind::kFirm, "a", "b"})));
  Limit limit;
  limit.breach = 5 * limits::kScale;
  limit.warn = 6 * limits::kScale;
  EXPECT_EQ("warn 6 is not between 0 and the breach level 5", refusal_detail(Outcome::kInvalidLimit, Command(limit)));
}

// Every refusal of every command has some words: none goes out with an empty detail.
TEST(Refusal, NoneIsWithoutWords) {
  const Command commands[] = {Trade{}, Price{}, FxRate{}, Firm{}, Currency{}, Desk{}, Book{}, Trader{}, Counterparty{}, Instrument{},
                              Rename{}, EndOfDay{}, Limit{}, LimitRemove{}, AlertAck{}};
  for (int number = 0; number < kOutcomeCount; ++number) {
    const auto outcome = static_cast<Outcome>(number);
    if (outcome_name(outcome).empty()) continue;
    for (const Command& command : commands) EXPECT_EQ(is_refused(outcome), !refusal_detail(outcome, command).empty()) << number;
  }
}

}  // namespace
}  // namespace halocline::rpc
