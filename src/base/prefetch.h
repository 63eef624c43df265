// Tells the processor to fetch a line of memory that will be read soon. Any address will do; nothing changes.
#pragma once

#include <cstddef>

namespace halocline {

inline constexpr std::size_t kLine = 64;  // bytes of memory that are fetched together

inline void prefetch_line(const void* address) {
  __builtin_prefetch(address);
  // GCC takes a function that only prefetches for one without effect, and drops the calls to it. This is an effect.
  asm volatile("" : : "r"(address));
}

// All lines of an object.
template <class T>
void prefetch_all(const T* object) {
  for (std::size_t at = 0; at < sizeof *object; at += kLine) prefetch_line(reinterpret_cast<const char*>(object) + at);
}

}  // namespace halocline
