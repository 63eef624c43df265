// Bytes from the digits that hex() (base/sha256.h) makes of them. Any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace halocline {

// False when the text is not exactly two lower-case hexadecimal digits for each of the bytes.
inline bool from_hex(std::string_view text, std::span<std::byte> bytes) {
  if (text.size() != bytes.size() * 2) return false;
  const auto value = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = value(text[2 * i]), low = value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::byte>(high << 4 | low);
  }
  return true;
}

}  // namespace halocline
