#include "base/rest.h"

#include <cerrno>
#include <ctime>

namespace halocline {

void rest(std::int64_t nanoseconds) {
  if (nanoseconds <= 0) return;
  timespec left{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

}  // namespace halocline
