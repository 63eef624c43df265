#include "base/clock.h"

#include <ctime>

#include "base/queue.h"

namespace halocline {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

std::int64_t SystemClock::wall() const { return read_clock(CLOCK_REALTIME); }
std::int64_t SystemClock::monotonic() const { return read_clock(CLOCK_MONOTONIC); }
std::int64_t SystemClock::processor_time() const { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

void ManualClock::advance(std::int64_t nanoseconds) {
  wall_.fetch_add(nanoseconds);
  monotonic_.fetch_add(nanoseconds);
  ring();
}

void ManualClock::set_wall(std::int64_t wall) {
  wall_.store(wall);
  ring();
}

void ManualClock::ring() {
  if (Doorbell* bell = bell_.load()) bell->ring();
}

}  // namespace halocline
