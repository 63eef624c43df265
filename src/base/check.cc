#include "base/check.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace halocline {

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "halocline: broken invariant at %s:%d: %s\n", file, line, condition);
  std::abort();
}

void check_failed(const char* file, int line, const char* condition, const char* format, ...) {
  std::fprintf(stderr, "halocline: broken invariant at %s:%d: %s: ", file, line, condition);
  va_list args;
  va_start(args, format);
  std::vfprintf(stderr, format, args);
  va_end(args);
  std::fputc('\n', stderr);
  std::abort();
}

}  // namespace halocline
