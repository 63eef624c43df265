// Whether a text is well-formed UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF). protobuf refuses a whole
// message for one bad string, so texts are looked at one by one before they go into a batch.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace halocline {

bool is_utf8_beyond_ascii(std::string_view text);

inline bool is_utf8(std::string_view text) {
  const char* p = text.data();
  std::size_t left = text.size();
  std::uint64_t word = 0, all = 0;
  for (; left >= 8; p += 8, left -= 8) {
    std::memcpy(&word, p, 8);
    all |= word;
  }
  for (; left > 0; ++p, --left) all |= static_cast<unsigned char>(*p);
  return (all & 0x8080'8080'8080'8080u) == 0 || is_utf8_beyond_ascii(text);
}

}  // namespace halocline
