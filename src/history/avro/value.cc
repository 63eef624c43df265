#include "history/avro/value.h"

#include <cstring>
#include <limits>

#include "base/check.h"

namespace halocline::avro {
namespace {

Status broken(const char* why) { return Status(Code::kDataLoss, std::string("broken Avro data: ") + why); }

void encode_list(const Schema& schema, const std::vector<Value>& values, std::string& out) {
  if (schema.kind == Kind::kRecord) {
    CHECK(values.size() == schema.fields.size(), "a record of %zu fields got %zu", schema.fields.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) encode(*schema.fields[i].schema, values[i], out);
    return;
  }
  if (!values.empty()) {
    encode_long(static_cast<std::int64_t>(values.size()), out);
    for (const Value& value : values) {
      if (schema.kind == Kind::kArray) {
        encode(*schema.parts[0], value, out);
      } else {
        const std::vector<Value>& entry = *value.list();
        encode_bytes(*entry[0].text(), out);
        encode(*schema.parts[0], entry[1], out);
      }
    }
  }
  out.push_back('\0');
}

template <class Real>
void encode_real(double value, std::string& out) {
  const Real real = static_cast<Real>(value);
  char bytes[sizeof real];
  std::memcpy(bytes, &real, sizeof real);
  out.append(bytes, sizeof real);
}

}  // namespace

void encode_long(std::int64_t value, std::string& out) {
  auto left = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  while (left >= 0x80) {
    out.push_back(static_cast<char>(left | 0x80));
    left >>= 7;
  }
  out.push_back(static_cast<char>(left));
}

void encode_bytes(std::string_view bytes, std::string& out) {
  encode_long(static_cast<std::int64_t>(bytes.size()), out);
  out.append(bytes);
}

void encode(const Schema& schema, const Value& value, std::string& out) {
  switch (schema.kind) {
    case Kind::kNull: CHECK(value.null()); return;
    case Kind::kBoolean: CHECK(value.flag() != nullptr), out.push_back(*value.flag() ? '\1' : '\0'); return;
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kEnum: CHECK(value.number() != nullptr), encode_long(*value.number(), out); return;
    case Kind::kFloat: CHECK(value.real() != nullptr), encode_real<float>(*value.real(), out); return;
    case Kind::kDouble: CHECK(value.real() != nullptr), encode_real<double>(*value.real(), out); return;
    case Kind::kBytes:
    case Kind::kString: CHECK(value.text() != nullptr), encode_bytes(*value.text(), out); return;
    case Kind::kFixed: CHECK(value.text() != nullptr && value.text()->size() == schema.size), out.append(*value.text()); return;
    case Kind::kRecord:
    case Kind::kArray:
    case Kind::kMap: CHECK(value.list() != nullptr), encode_list(schema, *value.list(), out); return;
    case Kind::kUnion: {
      CHECK(schema.parts.size() == 2 && schema.parts[0]->kind == Kind::kNull, "a union that is not optional");
      encode_long(value.null() ? 0 : 1, out);
      encode(*schema.parts[value.null() ? 0 : 1], value, out);
      return;
    }
  }
}

Result<std::int64_t> Decoder::read_long() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    if (i == 9 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
  }
  return broken("a number without an end");
}

Result<std::string_view> Decoder::read_raw(std::uint64_t length) {
  if (length > rest_.size()) return broken("it ends too early");
  const std::string_view bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return bytes;
}

Result<std::string_view> Decoder::read_bytes() {
  Result<std::int64_t> length = read_long();
  if (!length.ok()) return length.status();
  if (length.value() < 0) return broken("a negative length");
  return read_raw(static_cast<std::uint64_t>(length.value()));
}

Result<Value> Decoder::read_record(const Schema& schema) {
  std::vector<Value> values;
  values.reserve(schema.fields.size());
  for (const Field& field : schema.fields) {
    Result<Value> value = read(*field.schema);
    if (!value.ok()) return value;
    values.push_back(value.take());
  }
  return Value(std::move(values));
}

// Arrays and maps come in blocks, each with a count before it, a negative one with the block's length in bytes as well.
Result<Value> Decoder::read_blocks(const Schema& items, bool keyed) {
  std::vector<Value> values;
  while (true) {
    Result<std::int64_t> count = read_long();
    if (!count.ok()) return count.status();
    if (count.value() == 0) return Value(std::move(values));
    if (count.value() == std::numeric_limits<std::int64_t>::min()) return broken("a count out of range");
    if (count.value() < 0) {
      if (Result<std::int64_t> bytes = read_long(); !bytes.ok()) return bytes.status();
    }
    for (std::int64_t left = count.value() < 0 ? -count.value() : count.value(); left > 0; --left) {
      const std::size_t before = rest_.size();
      Value key;
      if (keyed) {
        Result<std::string_view> text = read_bytes();
        if (!text.ok()) return text.status();
        key = Value(std::string(text.value()));
      }
      Result<Value> value = read(items);
      if (!value.ok()) return value;
      if (rest_.size() == before) return broken("a list of nothing");
      values.push_back(keyed ? Value(std::vector<Value>{std::move(key), value.take()}) : value.take());
    }
  }
}

Result<Value> Decoder::read(const Schema& schema) {
  switch (schema.kind) {
    case Kind::kNull: return Value();
    case Kind::kBoolean: {
      Result<std::string_view> byte = read_raw(1);
      if (!byte.ok()) return byte.status();
      return Value(byte.value()[0] != '\0');
    }
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kEnum: {
      Result<std::int64_t> number = read_long();
      if (!number.ok()) return number.status();
      return Value(number.value());
    }
    case Kind::kFloat:
    case Kind::kDouble: {
      const bool wide = schema.kind == Kind::kDouble;
      Result<std::string_view> bytes = read_raw(wide ? 8 : 4);
      if (!bytes.ok()) return bytes.status();
      double value = 0;
      float narrow = 0;
      if (wide) std::memcpy(&value, bytes.value().data(), 8);
      else std::memcpy(&narrow, bytes.value().data(), 4), value = narrow;
      return Value(value);
    }
    case Kind::kBytes:
    case Kind::kString:
    case Kind::kFixed: {
      Result<std::string_view> bytes = schema.kind == Kind::kFixed ? read_raw(schema.size) : read_bytes();
      if (!bytes.ok()) return bytes.status();
      return Value(std::string(bytes.value()));
    }
    case Kind::kRecord: return read_record(schema);
    case Kind::kArray: return read_blocks(*schema.parts[0], false);
    case Kind::kMap: return read_blocks(*schema.parts[0], true);
    case Kind::kUnion: {
      Result<std::int64_t> branch = read_long();
      if (!branch.ok()) return branch.status();
      const auto place = static_cast<std::uint64_t>(branch.value());  // a negative one is large
      if (place >= schema.parts.size()) return broken("a union without that branch");
      return read(*schema.parts[place]);
    }
  }
  return broken("a type that is not known");
}

}  // namespace halocline::avro
