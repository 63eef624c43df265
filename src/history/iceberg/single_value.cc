#include "history/iceberg/single_value.h"

#include <cstring>

#include "base/check.h"

namespace halocline::iceberg {
namespace {

template <class Number>
std::string little_endian(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// Where character number `count` begins, or the text ends.
std::size_t place_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    const bool begins = (text[at] & 0xc0) != 0x80;
    if (begins && seen++ == count) return at;
  }
  return at;
}

}  // namespace

std::string int_bytes(std::int32_t value) { return little_endian(value); }
std::string long_bytes(std::int64_t value) { return little_endian(value); }

std::string decimal_bytes(Int128 unscaled) {
  std::string bytes;
  bool sign = false;
  Int128 left = unscaled;
  do {
    bytes.insert(bytes.begin(), static_cast<char>(left & 0xff));
    sign = (left & 0x80) != 0;
    left >>= 8;
  } while (!(left == 0 && !sign) && !(left == -1 && sign));
  return bytes;
}

std::string value_bytes(const avro::Value& value, const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean: return std::string(1, *value.flag() ? '\1' : '\0');
    case TypeKind::kInt:
    case TypeKind::kDate: return int_bytes(static_cast<std::int32_t>(*value.number()));
    case TypeKind::kFloat: return little_endian(static_cast<float>(*value.real()));
    case TypeKind::kDouble: return little_endian(*value.real());
    case TypeKind::kDecimal: {  // Avro keeps leading bytes that only repeat the sign
      std::string bytes = *value.text();
      while (bytes.size() > 1 && (bytes[0] == '\0' || bytes[0] == '\xff') && ((bytes[0] ^ bytes[1]) & 0x80) == 0) bytes.erase(0, 1);
      return bytes;
    }
    default: return value.number() != nullptr ? long_bytes(*value.number()) : *value.text();
  }
}

bool value_before(const avro::Value& a, const avro::Value& b, const Type& type) {
  if (a.flag() != nullptr) return *a.flag() < *b.flag();
  if (a.number() != nullptr) return *a.number() < *b.number();
  if (a.real() != nullptr) return *a.real() < *b.real();
  const std::string &x = *a.text(), &y = *b.text();
  if (type.kind == TypeKind::kDecimal && ((x[0] ^ y[0]) & 0x80) != 0) return (x[0] & 0x80) != 0;
  return x < y;
}

std::string lower_text_bound(std::string_view least) { return std::string(least.substr(0, place_of(least, kBoundCharacters))); }

std::optional<std::string> upper_text_bound(std::string_view most) {
  std::string bound(most.substr(0, place_of(most, kBoundCharacters)));
  if (bound.size() == most.size()) return bound;
  // The next text of that length in the order of bytes, which is that of characters: the last ASCII character that can be raised
  // is, and what is behind it goes.
  while (!bound.empty()) {
    const auto last = static_cast<unsigned char>(bound.back());
    bound.pop_back();
    if (last < 0x7f) return bound + static_cast<char>(last + 1);
  }
  return std::nullopt;
}

}  // namespace halocline::iceberg
