#include "command/query.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/civil_time.h"

namespace halocline {
namespace {

constexpr char kNullFirst = 0x01, kPresent = 0x02, kNullLast = 0x03;
// A number is its count of significant bytes (above 0x80 when positive, below when negative) and these bytes, big end first;
// a negative one as the complement of its size.
constexpr int kZero = 0x80;

constexpr std::size_t kMostNumberBytes = 17;

// How many bytes it took.
std::size_t pack_number(Int128 number, char* out) {
  const bool negative = number < 0;
  UInt128 size = negative ? ~static_cast<UInt128>(number) : static_cast<UInt128>(number);
  const auto head = [&](int count) { return static_cast<char>(negative ? kZero - 1 - count : kZero + count); };
  const auto low = static_cast<std::uint64_t>(size);
  if (size == low) {
    const int count = (std::bit_width(low) + 7) / 8;
    const std::uint64_t first = low == 0 ? 0 : __builtin_bswap64(low << (64 - 8 * count)), bytes = negative ? ~first : first;
    out[0] = head(count);
    std::memcpy(out + 1, &bytes, sizeof bytes);
    return static_cast<std::size_t>(count) + 1;
  }
  char bytes[kMostNumberBytes];
  char* first = bytes + sizeof bytes;
  int count = 0;
  for (; size != 0; size >>= 8, ++count) *--first = static_cast<char>(negative ? ~size : size);
  *--first = head(count);
  std::memcpy(out, first, static_cast<std::size_t>(count) + 1);
  return static_cast<std::size_t>(count) + 1;
}

Int128 unpack_number(std::string_view& rest) {
  const int head = static_cast<unsigned char>(rest[0]);
  const bool negative = head < kZero;
  const int count = negative ? kZero - 1 - head : head - kZero;
  CHECK(static_cast<std::size_t>(count) < rest.size() && count <= 16, "a packed number of %d bytes", count);
  UInt128 size = 0;
  for (int i = 1; i <= count; ++i) {
    const auto byte = static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
    size = size << 8 | static_cast<unsigned char>(negative ? ~byte : byte);
  }
  rest.remove_prefix(static_cast<std::size_t>(count) + 1);
  return static_cast<Int128>(negative ? ~size : size);
}

// Whether it has no byte 0 or 1. Eight at a time: a byte below two borrows when two is taken from it.
bool is_plain(std::string_view text) {
  constexpr std::uint64_t kTwos = 0x0202020202020202, kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= text.size(); at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if (((eight - kTwos) & ~eight & kHighBits) != 0) return false;
  }
  return std::none_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), [](char c) { return c == 0 || c == 1; });
}

// Ends with a zero byte; bytes 0 and 1 in it are written as 1 1 and 1 2. Gives the end.
char* pack_text(std::string_view text, char* out) {
  if (is_plain(text)) {
    out = std::copy(text.begin(), text.end(), out);
  } else {
    for (const char c : text) {
      if (c == 0 || c == 1) *out++ = 1;
      *out++ = static_cast<char>(c == 0 ? 1 : c == 1 ? 2 : c);
    }
  }
  *out++ = 0;
  return out;
}

std::size_t most_packed(const Value& value, ValueType type) {
  return type == ValueType::kText ? 2 * value.text.size() + 2 : 1 + kMostNumberBytes;
}

// Into most_packed() bytes; gives the end.
char* pack_into(const Value& value, ValueType type, bool descending, bool nulls_last, char* out) {
  if (value.null) {
    *out++ = nulls_last ? kNullLast : kNullFirst;
    return out;
  }
  *out++ = kPresent;
  char* const end = type == ValueType::kText ? pack_text(value.text, out) : out + pack_number(value.number, out);
  if (descending) std::transform(out, end, out, [](char c) { return static_cast<char>(~c); });
  return end;
}

}  // namespace

std::string_view value_type_name(ValueType type) {
  switch (type) {
    case ValueType::kNull: return "null";
    case ValueType::kBool: return "bool";
    case ValueType::kInt: return "int";
    case ValueType::kDecimal: return "decimal";
    case ValueType::kText: return "text";
    case ValueType::kTimestamp: return "timestamp";
    case ValueType::kInterval: return "interval";
  }
  return "";
}

std::string value_text(const Value& value, ValueType type) {
  if (value.null) return "NULL";
  switch (type) {
    case ValueType::kNull: return "NULL";
    case ValueType::kBool: return value.number != 0 ? "true" : "false";
    case ValueType::kInt: return to_digits(value.number);
    case ValueType::kDecimal: return to_decimal(value.number);
    case ValueType::kText: return std::string(value.text);
    case ValueType::kTimestamp: return instant_text(static_cast<std::int64_t>(value.number));
    case ValueType::kInterval: {
      constexpr Int128 kNanosPerE8 = 10;
      const Int128 tenth = value.number % kNanosPerE8;
      if (tenth == 0) return to_decimal(value.number / kNanosPerE8) + " s";
      return to_digits(value.number) + " ns";
    }
  }
  return "";
}

void pack(const Value& value, ValueType type, std::string& row, bool descending, bool nulls_last) {
  const std::size_t size = row.size();
  row.resize(size + most_packed(value, type));
  const char* const end = pack_into(value, type, descending, nulls_last, row.data() + size);
  row.resize(static_cast<std::size_t>(end - row.data()));
}

void pack(const Value& value, ValueType type, ByteBuffer& row, bool descending, bool nulls_last) {
  row.resize_to(pack_into(value, type, descending, nulls_last, row.room(most_packed(value, type))));
}

Value PackedReader::next(ValueType type) {
  CHECK(!rest_.empty(), "a packed row is too short");
  const char head = rest_[0];
  rest_.remove_prefix(1);
  if (head != kPresent) return Value{};
  if (type != ValueType::kText) return Value::of(unpack_number(rest_));
  const std::size_t end = rest_.find('\0');
  CHECK(end != std::string_view::npos, "a packed text without an end");
  const std::string_view text = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  if (text.find('\1') == std::string_view::npos) return Value::of_text(text);
  std::string& plain = unescaped_.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) plain.push_back(text[i] == 1 ? static_cast<char>(text[++i] - 1) : text[i]);
  return Value::of_text(plain);
}

}  // namespace halocline
