// A copy of a few bytes, without a call: for texts and packed rows, most of which are shorter than what a call costs.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace halocline {

// To memory that does not overlap; gives the end.
[[gnu::always_inline]] inline char* copy_bytes(std::string_view bytes, char* to) {
  const std::size_t size = bytes.size();
  const char* const from = bytes.data();
  // The last step goes to the end, over what the one before it has copied.
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    for (std::size_t at = 0; at + 16 < size; at += 16) std::memcpy(to + at, from + at, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else if (size > 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
  return to + size;
}

}  // namespace halocline
