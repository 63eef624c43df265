#include "command/query.h"

#include <algorithm>

#include "base/check.h"
#include "base/civil_time.h"
#include "command/packing.h"

namespace halocline {
namespace {

using packing::kPresent, packing::kZero;

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

}  // namespace

char* packing::write_wide(UInt128 size, bool negative, char* out) {
  char bytes[sizeof size];
  char* first = bytes + sizeof bytes;
  for (; size != 0; size >>= 8) *--first = static_cast<char>(negative ? ~size : size);
  const auto count = static_cast<int>(bytes + sizeof bytes - first);
  *out++ = static_cast<char>(negative ? kZero - 1 - count : kZero + count);
  return std::copy(first, bytes + sizeof bytes, out);
}

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

void ByteBuffer::grow(std::size_t most) {
  const std::size_t used = size(), room = 2 * (static_cast<std::size_t>(limit_ - memory_.get()) + most);
  auto larger = std::make_unique_for_overwrite<char[]>(room);
  end_ = std::copy_n(memory_.get(), used, larger.get());
  limit_ = larger.get() + room;
  memory_ = std::move(larger);
}

void pack(const Value& value, ValueType type, std::string& row, bool descending, bool nulls_last) {
  const std::size_t size = row.size();
  row.resize(size + packing::most_of(value, type));
  const char* const end = packing::write(value, type, descending, nulls_last, row.data() + size);
  row.resize(static_cast<std::size_t>(end - row.data()));
}

void pack(const Value& value, ValueType type, ByteBuffer& row, bool descending, bool nulls_last) {
  packing::append(value, type, row, descending, nulls_last);
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
