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

}  // namespace halocline::rpc
