#include "server/commit_schedule.h"

#include <gtest/gtest.h>

namespace halocline {
namespace {

TEST(CommitScheduleTest, ACommitBeginsEarlierByAsLongAsTheOneBeforeTook) {
  CommitSchedule schedule(5'000, 100);
  EXPECT_FALSE(schedule.due(5'099));
  EXPECT_EQ(schedule.left(5'000), 100);
  EXPECT_TRUE(schedule.due(5'100));
  schedule.committed(5'100, 6'100);
  EXPECT_EQ(schedule.left(6'100), 3'000);  // what came at 5,100 is there at 10,100 when this one takes as long
  EXPECT_TRUE(schedule.due(9'100));
}

TEST(CommitScheduleTest, OneThatTookLongIsForgottenByAndBy) {
  CommitSchedule schedule(4'000, 0);
  schedule.committed(4'000, 5'000);
  EXPECT_EQ(schedule.left(4'000), 3'000);
  schedule.committed(7'000, 7'000);
  EXPECT_EQ(schedule.left(7'000), 3'250);
  schedule.committed(10'250, 10'250);
  EXPECT_EQ(schedule.left(10'250), 4'000 - 563);
}

TEST(CommitScheduleTest, NoMoreThanTwiceAsOftenHoweverLongTheyTake) {
  CommitSchedule schedule(4'000, 0);
  schedule.committed(4'000, 60'000);
  EXPECT_EQ(schedule.left(4'000), 2'000);
  EXPECT_EQ(schedule.left(60'000), 0);
}

}  // namespace
}  // namespace halocline
