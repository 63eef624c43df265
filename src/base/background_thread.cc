#include "base/background_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"

namespace halocline {

void work_in_background(const char* name, int niceness) {
  CHECK(pthread_setname_np(pthread_self(), name) == 0, "%s is too long for a thread's name", name);
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness));
}

}  // namespace halocline
