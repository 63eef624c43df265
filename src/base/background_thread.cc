#include "base/background_thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/check.h"
#include "base/rest.h"

namespace halocline {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kBetweenBreaths = std::chrono::milliseconds(1), kLongestBreath = std::chrono::milliseconds(20);

nanoseconds time_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

// How often another thread got the processor although this one wanted it.
long times_displaced() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// When this thread breathed last.
struct Breath {
  bool breathes = false;
  nanoseconds at{0}, used{0};
  long displaced = 0;

  void take() { at = time_of(CLOCK_MONOTONIC), used = time_of(CLOCK_THREAD_CPUTIME_ID), displaced = times_displaced(); }
};
thread_local Breath last_breath;

}  // namespace

void work_in_background(const char* name, int niceness) {
  CHECK(pthread_setname_np(pthread_self(), name) == 0, "%s is too long for a thread's name", name);
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness));
  if (niceness < kLeastUrgent) return;
  const sched_param none{};
  static_cast<void>(sched_setscheduler(0, SCHED_IDLE, &none));
  last_breath.breathes = true;
  last_breath.take();
}

void breathe() {
  Breath& last = last_breath;
  if (!last.breathes) return;
  const nanoseconds gone = time_of(CLOCK_MONOTONIC) - last.at;
  if (gone < kBetweenBreaths) return;
  if (times_displaced() != last.displaced) {
    const nanoseconds waited = gone - (time_of(CLOCK_THREAD_CPUTIME_ID) - last.used);
    rest(std::min(waited, kLongestBreath).count());
  }
  last.take();
}

}  // namespace halocline
