// A fast hash of short byte strings and of pairs of ids, the same on every machine and build. It is also part of what the state
// keeps of a trade (TradeRecord::content), so it is a format: never change it without a new one beside it.
// Multiply-and-fold mixing as in wyhash (Wang Yi, public domain). Not for secrets.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/load_bytes.h"

namespace halocline {

inline std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_ids(std::uint64_t a, std::uint64_t b) {
  return hash_mix(a ^ 0xa0761d6478bd642full, b ^ 0xe7037ed1a0b428dbull);
}

inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0) {
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t h = seed ^ hash_mix(left ^ 0x8ebc6af09c88c6e3ull, 0x589965cc75374cc3ull);
  std::uint64_t a = 0, b = 0;
  while (left > 16) {
    std::memcpy(&a, p, 8), std::memcpy(&b, p + 8, 8);
    h = hash_mix(a ^ 0xa0761d6478bd642full, b ^ h);
    p += 16, left -= 16;
  }
  a = load_bytes(p, left < 8 ? left : 8);
  b = left > 8 ? load_bytes(p + 8, left - 8) : 0;
  return hash_mix(a ^ 0xe7037ed1a0b428dbull, b ^ h ^ 0x1d8e4e27c47d124full);
}

}  // namespace halocline
