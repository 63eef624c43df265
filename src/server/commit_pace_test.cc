#include "server/commit_pace.h"

#include <gtest/gtest.h>

namespace halocline {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// Commits of `takes`, one after the other, for a second in which the process uses so much of two processors; when the next may begin,
// counted from the begin of the last.
std::int64_t pause_after(std::int64_t takes, double used) {
  CommitPace pace(2);
  std::int64_t now = 0;
  for (; now < 1'000 * kMs; now += takes) {
    pace.committed(now, now + takes, static_cast<std::int64_t>(static_cast<double>(now + takes) * used * 2));
  }
  return pace.next() - (now - takes);
}

TEST(CommitPaceTest, AnIdleMachineIsNotHeldUp) {
  EXPECT_EQ(CommitPace(2).next(), 0);
  EXPECT_LT(pause_after(kMs / 4, 0), kMs / 100);
  EXPECT_LT(pause_after(kMs / 4, 0.45), kMs / 4) << "over before the commit is";
}

TEST(CommitPaceTest, ABusyOneIsByItsCommitsLength) {
  EXPECT_NEAR(static_cast<double>(pause_after(kMs / 16, 0.75)), 3 * kMs / 16, 0.01 * kMs);
  EXPECT_NEAR(static_cast<double>(pause_after(kMs / 8, 0.75)), 3 * kMs / 8, 0.01 * kMs);
}

TEST(CommitPaceTest, NeverForLong) {
  EXPECT_EQ(pause_after(100 * kMs, 0.9), CommitPace::kLongest);
  EXPECT_EQ(pause_after(kMs, 1.5), CommitPace::kLongest) << "more than there is: a processor was taken away";
}

TEST(CommitPaceTest, WhatWasBusyIsSoonForgotten) {
  CommitPace pace(1);
  pace.committed(0, 100 * kMs, 100 * kMs);
  EXPECT_GT(pace.next(), 0);
  for (std::int64_t at = 10'000; at <= 11'000; at += 50) pace.committed(at * kMs, at * kMs + 1, 100 * kMs);
  EXPECT_LT(pace.next() - 11'000 * kMs, kMs / 100);
}

}  // namespace
}  // namespace halocline
