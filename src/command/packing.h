// How a packed row (query.h) is written, value by value. In place, for those who write very many.
//
// A value is a byte that says whether it is null, and unless it is, its bytes: their order is the order of the values.
// - A number is its count of significant bytes (above kZero when positive, below when negative) and these bytes, big end first; a negative
//   one as the complement of its size.
// - A text ends with a zero byte; bytes 0 and 1 in it are written as 1 1 and 1 2.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/copy_bytes.h"
#include "base/decimal.h"
#include "command/query.h"

namespace halocline::packing {

inline constexpr char kNullFirst = 0x01, kPresent = 0x02, kNullLast = 0x03;
inline constexpr int kZero = 0x80;

// The most bytes that one value may take, and be written beyond its end.
inline constexpr std::size_t kMostNumber = 18;
constexpr std::size_t most_of_text(std::size_t size) { return 2 * size + 2; }

// A number beyond 64 bits.
char* write_wide(UInt128 size, bool negative, char* out);

// These give the end. Neither writes the byte that says that it is no null.
[[gnu::always_inline]] inline char* write_number(Int128 number, char* out) {
  const bool negative = number < 0;
  const UInt128 size = negative ? ~static_cast<UInt128>(number) : static_cast<UInt128>(number);
  const auto low = static_cast<std::uint64_t>(size);
  if (size != low) [[unlikely]] return write_wide(size, negative, out);
  const int count = (std::bit_width(low) + 7) / 8;
  const std::uint64_t first = low == 0 ? 0 : __builtin_bswap64(low << (64 - 8 * count)), bytes = negative ? ~first : first;
  out[0] = static_cast<char>(negative ? kZero - 1 - count : kZero + count);
  std::memcpy(out + 1, &bytes, sizeof bytes);
  return out + 1 + count;
}

// Whether it has no byte 0 or 1. Eight at a time, the last ones perhaps again: a byte below two borrows when two is taken from it.
inline bool is_plain(std::string_view text) {
  const auto bytes = [&]<class Word>(std::size_t at, Word word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    return word;
  };
  const auto has_low = [](std::uint64_t eight) {
    constexpr std::uint64_t kTwos = 0x0202020202020202, kHighBits = 0x8080808080808080;
    return (eight - kTwos) & ~eight & kHighBits;
  };
  const std::size_t size = text.size();
  if (size < 4) return std::none_of(text.begin(), text.end(), [](char c) { return c == 0 || c == 1; });
  if (size < 8) return has_low(bytes(0, std::uint32_t{}) | std::uint64_t{bytes(size - 4, std::uint32_t{})} << 32) == 0;
  std::uint64_t low = has_low(bytes(size - 8, std::uint64_t{}));
  for (std::size_t at = 0; at + 8 < size; at += 8) low |= has_low(bytes(at, std::uint64_t{}));
  return low == 0;
}

inline char* write_text(std::string_view text, char* out) {
  if (is_plain(text)) {
    out = copy_bytes(text, out);
  } else {
    for (const char c : text) {
      if (c == 0 || c == 1) *out++ = 1;
      *out++ = static_cast<char>(c == 0 ? 1 : c == 1 ? 2 : c);
    }
  }
  *out++ = 0;
  return out;
}

inline std::size_t most_of(const Value& value, ValueType type) {
  return type == ValueType::kText ? most_of_text(value.text.size()) : kMostNumber;
}

// One that is no null, and the byte before it; in ascending order.
[[gnu::always_inline]] inline char* write_present(const Value& value, ValueType type, char* out) {
  *out++ = kPresent;
  return type == ValueType::kText ? write_text(value.text, out) : write_number(value.number, out);
}

// A value and the byte before it, into most_of() bytes, in the order that pack() says (query.h); gives the end.
inline char* write(const Value& value, ValueType type, bool descending, bool nulls_last, char* out) {
  if (value.null) {
    *out = nulls_last ? kNullLast : kNullFirst;
    return out + 1;
  }
  char* const end = write_present(value, type, out);
  if (descending) std::transform(out + 1, end, out + 1, [](char c) { return static_cast<char>(~c); });
  return end;
}

// The same at the end of a buffer.
inline void append(const Value& value, ValueType type, ByteBuffer& out, bool descending = false, bool nulls_last = false) {
  out.end_at(write(value, type, descending, nulls_last, out.room(most_of(value, type))));
}

}  // namespace halocline::packing
