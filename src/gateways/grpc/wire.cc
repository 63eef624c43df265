#include "gateways/grpc/wire.h"

namespace halocline::rpc {

std::uint64_t WireReader::long_varint(int most_bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 7 * most_bytes; shift += 7) {
    if (!has(1)) return 0;
    const auto byte = static_cast<unsigned char>(*at_++);
    if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  failed_ = true;
  return 0;
}

void WireReader::skip(std::uint32_t tag, int depth) {
  switch (tag & 7) {
    case kVarint: varint(); return;
    case kFixed64: fixed64(); return;
    case kBytes: bytes(); return;
    case kFixed32:
      if (has(4)) at_ += 4;
      return;
    case kStartGroup:
      if (depth >= kMostNested) break;
      while (const std::uint32_t inner = this->tag()) {
        if ((inner & 7) == kEndGroup) {
          if (inner >> 3 != tag >> 3) failed_ = true;
          return;
        }
        skip(inner, depth + 1);
        if (failed_) return;
      }
      break;  // the group has no end
    default: break;
  }
  failed_ = true;
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at != end) {
    if (end - at >= 8) {
      std::uint64_t eight;
      std::memcpy(&eight, at, sizeof eight);
      if ((eight & 0x8080'8080'8080'8080u) == 0) {
        at += 8;
        continue;
      }
    }
    const unsigned char lead = *at++;
    if (lead < 0x80) continue;
    int more = 0;
    unsigned char low = 0x80, high = 0xBF;  // bounds of the second byte
    if (lead >= 0xC2 && lead <= 0xDF) {
      more = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      more = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    for (; more > 0; --more, low = 0x80, high = 0xBF) {
      if (at == end || *at < low || *at > high) return false;
      ++at;
    }
  }
  return true;
}

}  // namespace halocline::rpc
