#include "base/crc32c.h"

#include <nmmintrin.h>

#include <array>
#include <cstring>

namespace halocline {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected
constexpr std::size_t kLongLane = 4096;
constexpr std::size_t kShortLane = 256;

using Matrix = std::array<std::uint32_t, 32>;  // a linear map over 32 bits: column i is the image of bit i

constexpr std::uint32_t times(const Matrix& matrix, std::uint32_t vector) {
  std::uint32_t sum = 0;
  for (int bit = 0; vector != 0; vector >>= 1, ++bit) {
    if (vector & 1) sum ^= matrix[bit];
  }
  return sum;
}

constexpr Matrix squared(const Matrix& matrix) {
  Matrix result{};
  for (int bit = 0; bit < 32; ++bit) result[bit] = times(matrix, matrix[bit]);
  return result;
}

// What a run of `bytes` zero bytes (a power of two) does to a CRC register, as four tables of one byte each: so the
// CRCs of neighbouring lanes are joined with four look-ups.
struct ZeroRun {
  std::array<std::array<std::uint32_t, 256>, 4> table{};

  constexpr explicit ZeroRun(std::size_t bytes) {
    Matrix matrix{};  // one zero bit
    matrix[0] = kPolynomial;
    for (int bit = 1; bit < 32; ++bit) matrix[bit] = 1u << (bit - 1);
    for (std::size_t bits = 1; bits < bytes * 8; bits *= 2) matrix = squared(matrix);
    for (std::uint32_t value = 0; value < 256; ++value) {
      for (int place = 0; place < 4; ++place) table[place][value] = times(matrix, value << (8 * place));
    }
  }

  std::uint64_t apply(std::uint64_t crc) const {
    return table[0][crc & 255] ^ table[1][crc >> 8 & 255] ^ table[2][crc >> 16 & 255] ^ table[3][crc >> 24 & 255];
  }
};

constexpr ZeroRun kLongRun(kLongLane);
constexpr ZeroRun kShortRun(kShortLane);

inline std::uint64_t word(const std::byte* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Three independent lanes hide the instruction's latency of three cycles.
template <std::size_t kLane>
std::uint64_t three_lanes(std::uint64_t crc, const std::byte*& at, const std::byte* end, const ZeroRun& run) {
  while (static_cast<std::size_t>(end - at) >= 3 * kLane) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
      crc = _mm_crc32_u64(crc, word(at + i));
      second = _mm_crc32_u64(second, word(at + kLane + i));
      third = _mm_crc32_u64(third, word(at + 2 * kLane + i));
    }
    crc = run.apply(run.apply(crc) ^ second) ^ third;
    at += 3 * kLane;
  }
  return crc;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) {
  const std::byte* at = bytes.data();
  const std::byte* end = at + bytes.size();
  std::uint64_t state = ~crc;
  state = three_lanes<kLongLane>(state, at, end, kLongRun);
  state = three_lanes<kShortLane>(state, at, end, kShortRun);
  for (; end - at >= 8; at += 8) state = _mm_crc32_u64(state, word(at));
  std::uint32_t tail = static_cast<std::uint32_t>(state);
  for (; at != end; ++at) tail = _mm_crc32_u8(tail, std::to_integer<unsigned char>(*at));
  return ~tail;
}

}  // namespace halocline
