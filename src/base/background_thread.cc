#include "base/background_thread.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/check.h"
#include "base/rest.h"

namespace halocline {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kBetweenBreaths = std::chrono::milliseconds(1), kLongestBreath = std::chrono::milliseconds(20);
constexpr nanoseconds kBetweenSteps = std::chrono::microseconds(500);
constexpr nanoseconds kStep = std::chrono::microseconds(10);  // and about 50 more, which the system adds

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

// How many processors are left when each thread that wants one has one; below 0: more want one than there are. 0 where nobody can tell.
long processors_left() {
  static const int load = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  static const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  char text[64];  // "0.20 0.18 0.12 1/80 11206": the fourth number
  const ssize_t bytes = load < 0 ? 0 : pread(load, text, sizeof text - 1, 0);
  if (bytes <= 0) return 0;
  text[bytes] = '\0';
  int running = 0;
  return std::sscanf(text, "%*s %*s %*s %d/", &running) == 1 ? processors - running : 0;
}

enum class Manners { kNone, kStepsAside, kBreathes };

// When this thread breathed or stepped aside last.
struct Breath {
  Manners manners = Manners::kNone;
  nanoseconds at{0}, used{0};
  long displaced = 0;
  nanoseconds late_from = nanoseconds::max();

  void take() { at = time_of(CLOCK_MONOTONIC), used = time_of(CLOCK_THREAD_CPUTIME_ID), displaced = times_displaced(); }
  void begin(Manners these) { manners = these, take(); }
};
thread_local Breath last_breath;

}  // namespace

void work_in_background(const char* name, int niceness) {
  CHECK(pthread_setname_np(pthread_self(), name) == 0, "%s is too long for a thread's name", name);
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness));
  if (niceness < kLeastUrgent) return last_breath.begin(Manners::kStepsAside);
  const sched_param none{};
  static_cast<void>(sched_setscheduler(0, SCHED_IDLE, &none));
  last_breath.begin(Manners::kBreathes);
}

bool has_processor_for_another() { return last_breath.manners == Manners::kNone || processors_left() > 0; }

void late_from(std::int64_t time) { last_breath.late_from = nanoseconds(time); }

void breathe() {
  Breath& last = last_breath;
  if (last.manners == Manners::kNone) return;
  const nanoseconds gone = time_of(CLOCK_MONOTONIC) - last.at;
  if (last.manners == Manners::kStepsAside) {
    if (gone < kBetweenSteps) return;
    if (last.at + gone < last.late_from && processors_left() < 0) rest(kStep.count());
    last.at = time_of(CLOCK_MONOTONIC);
    return;
  }
  if (gone < kBetweenBreaths) return;
  if (times_displaced() != last.displaced) {
    const nanoseconds waited = gone - (time_of(CLOCK_THREAD_CPUTIME_ID) - last.used);
    rest(std::min(waited, kLongestBreath).count());
  }
  last.take();
}

}  // namespace halocline
