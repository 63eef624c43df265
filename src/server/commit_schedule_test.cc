#include "server/commit_schedule.h"

#include <gtest/gtest.h>

namespace halocline {
namespace {

TEST(CommitScheduleTest, ACommitBeginsEarlierByAsLongAsTheOneBeforeTook) {
  CommitSchedule schedule(5'000, 100);
  EXPECT_FALSE(schedule.due(2'599));
  EXPECT_EQ(schedule.left(2'500), 100);
  EXPECT_TRUE(schedule.due(2'600)) << "nobody knows yet how long they take";
  schedule.committed(2'600, 4'600);
  EXPECT_EQ(schedule.left(4'600), 1'000);  // what came at 2,600 is there at 7,600 when this one takes as long
  EXPECT_TRUE(schedule.due(5'600));
}

TEST(CommitScheduleTest, OneThatTookLongIsForgottenByAndBy) {
  CommitSchedule schedule(4'000, 0);
  schedule.committed(2'000, 2'000);
  EXPECT_EQ(schedule.left(2'000), 2'500);
  schedule.committed(4'500, 6'125);
  EXPECT_EQ(schedule.left(4'500), 2'375);
  schedule.committed(7'000, 7'000);
  EXPECT_EQ(schedule.left(7'000), 4'000 - 1'219);
}

TEST(CommitScheduleTest, NoMoreThanTwiceAsOftenHoweverLongTheyTake) {
  CommitSchedule schedule(4'000, 0);
  schedule.committed(4'000, 60'000);
  EXPECT_EQ(schedule.left(4'000), 2'000);
  EXPECT_EQ(schedule.left(60'000), 0);
}

}  // namespace
}  // namespace halocline
