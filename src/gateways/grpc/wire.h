// The protobuf wire format (protobuf.dev/programming-guides/encoding), read in place: for the two messages that arrive half a
// million times a second. It takes what protobuf's own parser takes and refuses what that refuses, but for text that is not
// UTF-8, which is looked at field by field (is_utf8) so that one bad trade does not fail its batch.
//
//   WireReader reader(bytes);
//   while (std::uint32_t tag = reader.tag()) {
//     if (tag == wire_tag(1, kVarint)) id = reader.varint(); else reader.skip(tag);
//   }
//   if (reader.failed()) …
//
// Takes any bytes and never reads beyond them. The texts it gives point into them. One thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace halocline::rpc {

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kStartGroup = 3, kEndGroup = 4, kFixed32 = 5 };

constexpr std::uint32_t wire_tag(std::uint32_t field, WireType type) { return field << 3 | type; }

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // The next field's number and type; 0 at the end, or when something is wrong (then failed() says so).
  std::uint32_t tag() {
    if (at_ == end_) return 0;
    const auto value = static_cast<std::uint32_t>(varint(kMostShortBytes));
    if (value >> 3 == 0) failed_ = true;
    return failed_ ? 0 : value;
  }

  std::uint64_t varint() { return varint(kMostVarintBytes); }
  std::uint64_t fixed64() {
    std::uint64_t value = 0;
    if (!has(sizeof value)) return 0;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string_view bytes() {
    const std::uint64_t size = varint(kMostShortBytes);
    if (!has(size)) return {};
    const std::string_view value(at_, size);
    at_ += size;
    return value;
  }
  // Passes over the value of a field nobody asked for.
  void skip(std::uint32_t tag) { skip(tag, 0); }

  bool failed() const { return failed_; }

 private:
  // As protobuf's parser: how deep groups nest, and how many bytes numbers take; tags and lengths are 32 bits.
  static constexpr int kMostNested = 100;
  static constexpr int kMostVarintBytes = 10;
  static constexpr int kMostShortBytes = 5;

  bool has(std::uint64_t size) {
    if (failed_ || size > static_cast<std::uint64_t>(end_ - at_)) failed_ = true;
    return !failed_;
  }
  std::uint64_t varint(int most_bytes) {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) return static_cast<unsigned char>(*at_++);
    return long_varint(most_bytes);
  }
  std::uint64_t long_varint(int most_bytes);
  void skip(std::uint32_t tag, int depth);

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace halocline::rpc
