#include "base/background_thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace halocline {
namespace {

rusage usage_of_this_thread() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

// Both threads of a test on one processor: the first this process may use.
void stay_on_one_processor() {
  cpu_set_t all, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof one, &one), 0);
}

// Works beside a thread that wants the same processor until that got it, and then breathes: how often it slept.
long sleeps_when_displaced() {
  std::atomic<bool> done = false;
  std::thread busy([&] {
    stay_on_one_processor();
    while (!done) {
    }
  });
  long slept = -1;
  std::thread([&] {
    stay_on_one_processor();
    work_in_background("test", kLeastUrgent);
    const long displaced = usage_of_this_thread().ru_nivcsw;
    while (usage_of_this_thread().ru_nivcsw == displaced) {
    }
    const long before = usage_of_this_thread().ru_nvcsw;
    breathe();
    slept = usage_of_this_thread().ru_nvcsw - before;
  }).join();
  done = true;
  busy.join();
  return slept;
}

TEST(BackgroundThreadTest, WhoIsLeastUrgentAndWasDisplacedStaysAwayForAWhile) { EXPECT_EQ(sleeps_when_displaced(), 1); }

// A thread that says so of itself works beside as many as there are processors, and then breathes: how often it slept.
template <class Begin>
long sleeps_in_a_crowd(Begin begin_as) {
  std::atomic<bool> done = false;
  std::atomic<long> at_work = 0;
  std::vector<std::thread> busy;
  for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); ++i) {
    busy.emplace_back([&] {
      ++at_work;
      while (!done) {
      }
    });
  }
  long slept = -1;
  std::thread([&] {
    begin_as();
    while (at_work < static_cast<long>(busy.size())) {
    }
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(1)) {
    }
    const long before = usage_of_this_thread().ru_nvcsw;
    breathe();
    slept = usage_of_this_thread().ru_nvcsw - before;
  }).join();
  done = true;
  for (std::thread& thread : busy) thread.join();
  return slept;
}

TEST(BackgroundThreadTest, OthersInTheBackgroundStepAsideInACrowd) {
  EXPECT_EQ(sleeps_in_a_crowd([] { work_in_background("test", kLeastUrgent - 1); }), 1);
}

TEST(BackgroundThreadTest, WhoIsLateDoesNot) {
  const auto late_since = [](std::int64_t time) {
    return [time] {
      work_in_background("test", kLeastUrgent - 1);
      late_from(time);
    };
  };
  EXPECT_EQ(sleeps_in_a_crowd(late_since(0)), 0);
  EXPECT_EQ(sleeps_in_a_crowd(late_since(INT64_MAX)), 1);
}

TEST(BackgroundThreadTest, WhoIsNotInTheBackgroundDoesNot) { EXPECT_EQ(sleeps_in_a_crowd([] {}), 0); }

}  // namespace
}  // namespace halocline
