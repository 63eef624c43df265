#include "base/queue.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <thread>

namespace halocline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* until) {
  return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

// On two processors the thread one waits for needs this one.
int Doorbell::spins() {
  static const int spins = std::thread::hardware_concurrency() > 4 ? 200 : 0;
  return spins;
}

std::int64_t Doorbell::deadline_after(std::int64_t nanoseconds) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t at = static_cast<std::int64_t>(now.tv_sec) * kSecond + now.tv_nsec;
  const std::int64_t least = std::max<std::int64_t>(nanoseconds, 0);
  return least > kForever - 1 - at ? kForever : at + least;
}

bool Doorbell::sleep(std::int64_t until) {
  timespec at{};
  at.tv_sec = until / kSecond;
  at.tv_nsec = until % kSecond;
  const long result = futex(asleep_, FUTEX_WAIT_BITSET, 1, until == kForever ? nullptr : &at);
  return !(result == -1 && errno == ETIMEDOUT);
}

void Doorbell::wake() { futex(asleep_, FUTEX_WAKE_BITSET, 1, nullptr); }

}  // namespace halocline
