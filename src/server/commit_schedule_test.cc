#include "server/commit_schedule.h"

#include <gtest/gtest.h>

namespace halocline {
namespace {

TEST(CommitScheduleTest, ACommitBeginsEarlierByAsLongAsTheOneBeforeTook) {
  CommitSchedule schedule(6'000, 100);
  EXPECT_EQ(schedule.late_from(), 5'100);
  EXPECT_FALSE(schedule.due(2'099));
  EXPECT_EQ(schedule.left(2'000), 100);
  EXPECT_TRUE(schedule.due(2'100)) << "nobody knows yet how long they take";
  schedule.committed(2'100, 2'250);
  EXPECT_EQ(schedule.late_from(), 7'100);
  EXPECT_EQ(schedule.left(4'350), 500);  // what came at 2,100 is there at 7,100 when this one takes as long
  EXPECT_TRUE(schedule.due(4'850));
}

TEST(CommitScheduleTest, OneThatTookLongIsForgottenByAndBy) {
  CommitSchedule schedule(6'000, 0);
  schedule.committed(2'000, 0);
  EXPECT_EQ(schedule.left(2'000), 5'000 - 2'250);
  schedule.committed(5'000, 2'500);
  EXPECT_EQ(schedule.left(5'000), 2'500);
  schedule.committed(9'000, 0);
  EXPECT_EQ(schedule.left(9'000), 5'000 - 1'875);
}

TEST(CommitScheduleTest, NoMoreThanThreeTimesAsOftenHoweverLongTheyTake) {
  CommitSchedule schedule(6'000, 0);
  schedule.committed(6'000, 54'000);
  EXPECT_EQ(schedule.left(6'000), 2'000);
  EXPECT_EQ(schedule.left(60'000), 0);
}

}  // namespace
}  // namespace halocline
