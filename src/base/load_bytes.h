// Bytes of a short text as one little-endian number, and whether two are the same, without a call for a length only known at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace halocline {

// The bytes p[0 … n) in the low bytes of the result, zeros above. n is 0 to 8; nothing outside is read.
inline std::uint64_t load_bytes(const char* p, std::size_t n) {
  if (n == 8) {
    std::uint64_t all = 0;
    std::memcpy(&all, p, 8);
    return all;
  }
  if (n >= 4) {
    std::uint32_t low = 0, high = 0;  // they overlap, in equal bytes
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + n - 4, 4);
    return low | static_cast<std::uint64_t>(high) << (8 * (n - 4));
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n; ++i) value |= static_cast<std::uint64_t>(static_cast<unsigned char>(p[i])) << (8 * i);
  return value;
}

inline bool same_bytes(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() > 16) return std::memcmp(a.data(), b.data(), a.size()) == 0;
  const std::size_t first = a.size() < 8 ? a.size() : 8, last = a.size() - first;
  return load_bytes(a.data(), first) == load_bytes(b.data(), first) &&
         load_bytes(a.data() + first, last) == load_bytes(b.data() + first, last);
}

}  // namespace halocline
