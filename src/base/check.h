// CHECK: a broken invariant stops the process with what it saw. Always on, in every build type.
//
//   CHECK(seq == last + 1, "seq %llu follows %llu", seq, last);
//
// It is for states that cannot be reached unless the program itself is wrong. Bad input is an Outcome
// (command/outcome.h); a failing disk or network is a Status (base/status.h).
#pragma once

namespace halocline {

// Prints the file, line, condition and message to stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition);
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* format, ...)
    __attribute__((format(printf, 4, 5)));

}  // namespace halocline

#define CHECK(condition, ...)                                                                              \
  (__builtin_expect(static_cast<bool>(condition), 1)                                                       \
       ? static_cast<void>(0)                                                                              \
       : ::halocline::check_failed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__))
