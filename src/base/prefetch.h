// Tells the processor to fetch a line of memory that will be read soon. Any address will do; nothing changes.
#pragma once

namespace halocline {

inline void prefetch_line(const void* address) {
  __builtin_prefetch(address);
  // GCC takes a function that only prefetches for one without effect, and drops the calls to it. This is an effect.
  asm volatile("" : : "r"(address));
}

}  // namespace halocline
