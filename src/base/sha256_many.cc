#include "base/sha256_many.h"

#include <cpuid.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace halocline {
namespace {

constexpr std::size_t kBlock = 64;           // bytes
constexpr std::size_t kLengthBytes = 8;      // at the end of the last block, in bits
constexpr std::size_t kFewest = 4;           // messages; fewer are not worth the lanes
constexpr std::uint32_t kStart[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
// FIPS 180-4, 4.2.2.
constexpr std::uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

template <int kLanes>
struct Vector {
  typedef std::uint32_t Type __attribute__((vector_size(kLanes * sizeof(std::uint32_t))));
};

// The message of a lane, block by block.
struct Lane {
  const std::byte* at = nullptr;  // the next whole block of the message
  std::size_t whole = 0;          // how many of them
  std::size_t padded = 0;         // blocks of `end` after them
  std::size_t done = 0;           // of those
  Digest* digest = nullptr;       // nullptr: the lane is idle
  alignas(kBlock) std::byte end[2 * kBlock];

  void take(std::span<const std::byte> message, Digest* to) {
    digest = to;
    at = message.data();
    whole = message.size() / kBlock;
    done = 0;
    const std::size_t rest = message.size() % kBlock;
    padded = rest + 1 + kLengthBytes > kBlock ? 2 : 1;
    std::memset(end, 0, sizeof end);
    if (rest != 0) std::memcpy(end, at + whole * kBlock, rest);
    end[rest] = std::byte{0x80};
    const std::uint64_t bits = __builtin_bswap64(std::uint64_t{message.size()} * 8);
    std::memcpy(end + padded * kBlock - kLengthBytes, &bits, sizeof bits);
  }
  const std::byte* next() {
    if (whole == 0) return end + kBlock * std::min(done++, padded - 1);
    --whole;
    at += kBlock;
    return at - kBlock;
  }
  bool over() const { return whole == 0 && done == padded; }
};

// FIPS 180-4, 6.2.2, in all lanes. Inlined into functions for one CPU each, so that it becomes that one's instructions; vectors are passed
// by reference, as there is no common way to pass them by value.
template <class V>
struct Rounds {
  [[gnu::always_inline]] static inline void turn(const V& x, int by, V& to) { to = x >> by | x << (32 - by); }
  [[gnu::always_inline]] static inline void big(const V& x, int a, int b, int c, V& to) {
    V one, two, three;
    turn(x, a, one), turn(x, b, two), turn(x, c, three);
    to = one ^ two ^ three;
  }
  [[gnu::always_inline]] static inline void small(const V& x, int a, int b, int by, V& to) {
    V one, two;
    turn(x, a, one), turn(x, b, two);
    to = one ^ two ^ (x >> by);
  }

  // Rows become columns in steps of 1, 2, 4 and 8: what stands right of the diagonal changes places with what stands left of it.
  template <int kLanes, int kStep, int... kPlace>
  [[gnu::always_inline]] static inline void exchange(V& low, V& high, std::integer_sequence<int, kPlace...>) {
    const V both = __builtin_shufflevector(low, high, ((kPlace & kStep) == 0 ? kPlace : kPlace - kStep + kLanes)...);
    high = __builtin_shufflevector(low, high, ((kPlace & kStep) == 0 ? kPlace + kStep : kPlace + kLanes)...);
    low = both;
  }
  template <int kLanes, int kStep>
  [[gnu::always_inline]] static inline void exchange_all(V* rows) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if ((i & kStep) == 0) exchange<kLanes, kStep>(rows[i], rows[i + kStep], std::make_integer_sequence<int, kLanes>());
    }
  }
  // From a block of each lane, so many words a row, to the words of a block, each of all lanes: big end first (FIPS 180-4, 3.1).
  template <int kLanes>
  [[gnu::always_inline]] static inline void to_columns(V* rows) {
    exchange_all<kLanes, 1>(rows);
    exchange_all<kLanes, 2>(rows);
    exchange_all<kLanes, 4>(rows);
    if constexpr (kLanes > 8) exchange_all<kLanes, 8>(rows);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      V right, left;
      turn(rows[i], 8, right), turn(rows[i], 24, left);
      rows[i] = (right & 0xff00ff00u) | (left & 0x00ff00ffu);
    }
  }

  [[gnu::always_inline]] static inline void compress(V (&state)[8], V (&w)[16]) {
    V a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
#pragma GCC unroll 64
    for (int t = 0; t < 64; ++t) {
      V& word = w[t & 15];
      V first, second;
      if (t >= 16) {
        small(w[(t + 1) & 15], 7, 18, 3, first);
        small(w[(t + 14) & 15], 17, 19, 10, second);
        word = word + first + w[(t + 9) & 15] + second;
      }
      big(e, 6, 11, 25, first);
      const V one = h + first + (g ^ (e & (f ^ g))) + word + kRounds[t];
      big(a, 2, 13, 22, second);
      const V two = second + ((a & b) | (c & (a | b)));
      h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
};

template <int kLanes>
[[gnu::always_inline]] inline void each_in_lanes(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests) {
  using V = typename Vector<kLanes>::Type;
  V state[8] = {}, words[16];
  Lane lanes[kLanes];
  static constexpr std::byte kNothing[kBlock] = {};
  std::size_t next = 0, busy = 0;
  const auto load = [&](int i) __attribute__((always_inline)) {
    if (next == messages.size()) {
      lanes[i].digest = nullptr;
      return;
    }
    lanes[i].take(messages[next], &digests[next]);
    for (int k = 0; k < 8; ++k) state[k][i] = kStart[k];
    ++next, ++busy;
  };
  for (int i = 0; i < kLanes; ++i) load(i);
  while (busy > 0) {
    for (int i = 0; i < kLanes; ++i) {
      const std::byte* block = lanes[i].digest == nullptr ? kNothing : lanes[i].next();
      for (int part = 0; part < 16; part += kLanes) std::memcpy(&words[part + i], block + 4 * part, sizeof(V));
    }
    for (int part = 0; part < 16; part += kLanes) Rounds<V>::template to_columns<kLanes>(words + part);
    Rounds<V>::compress(state, words);
    for (int i = 0; i < kLanes; ++i) {
      if (lanes[i].digest == nullptr || !lanes[i].over()) continue;
      for (int k = 0; k < 8; ++k) {
        const std::uint32_t word = __builtin_bswap32(state[k][i]);
        std::memcpy(lanes[i].digest->data() + 4 * k, &word, sizeof word);
      }
      --busy;
      load(i);
    }
  }
}

[[gnu::target("avx2,bmi2")]] void each_in_eight(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests) {
  each_in_lanes<8>(messages, digests);
}

[[gnu::target("avx512f,bmi2")]] void each_in_sixteen(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests) {
  each_in_lanes<16>(messages, digests);
}

void each_one_by_one(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests) {
  for (std::size_t i = 0; i < messages.size(); ++i) digests[i] = sha256(messages[i]);
}

// Intel's manual, CPUID leaf 7: EBX bit 29.
bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0;
}

Sha256Way best_way() {
  if (can_sha256(Sha256Way::kSixteenLanes)) return Sha256Way::kSixteenLanes;
  return can_sha256(Sha256Way::kEightLanes) && !has_sha_instructions() ? Sha256Way::kEightLanes : Sha256Way::kOneByOne;
}

}  // namespace

bool can_sha256(Sha256Way way) {
  switch (way) {
    case Sha256Way::kOneByOne: return true;
    case Sha256Way::kEightLanes: return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0;
    case Sha256Way::kSixteenLanes: return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("bmi2") != 0;
  }
  return false;
}

void sha256_each(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests) {
  static const Sha256Way way = best_way();
  sha256_each(messages, digests, messages.size() < kFewest ? Sha256Way::kOneByOne : way);
}

void sha256_each(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests, Sha256Way way) {
  CHECK(messages.size() == digests.size(), "%zu messages, %zu digests", messages.size(), digests.size());
  switch (way) {
    case Sha256Way::kOneByOne: return each_one_by_one(messages, digests);
    case Sha256Way::kEightLanes: return each_in_eight(messages, digests);
    case Sha256Way::kSixteenLanes: return each_in_sixteen(messages, digests);
  }
}

}  // namespace halocline
