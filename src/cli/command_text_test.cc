#include "cli/command_text.h"

#include <gtest/gtest.h>

namespace halocline::cli {
namespace {

TEST(CommandText, ShowsATrade) {
  Trade trade;
  trade.source = "oms";
  trade.trade_id = "T 1";
  trade.version = 1;
  trade.book = "b1";
  trade.quantity = 150'000'000;
  trade.price = 9'912'500'000;
  EXPECT_EQ(command_line(trade),
            "TRADE source=oms trade_id=\"T 1\" version=1 action=NEW book=b1 side=BUY quantity=1.5 price=99.125 fees=0");
  EXPECT_EQ(command_json(trade)["price"], "99.125");
  trade.action = Action::kCancel;
  EXPECT_EQ(command_line(trade), "TRADE source=oms trade_id=\"T 1\" version=1 action=CANCEL");
}

TEST(CommandText, ShowsNumbersThatNameNothing) {
  Limit limit;
  limit.measure = static_cast<Measure>(99);
  EXPECT_EQ(command_json(limit)["measure"], "99");
  EXPECT_EQ(command_line(Timer{}), "TIMER");
}

}  // namespace
}  // namespace halocline::cli
