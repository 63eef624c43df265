// Avro data in binary: values of any schema, to bytes and back. Avro 1.11 specification, "Binary Encoding".
//
//   std::string bytes;
//   encode(*schema, row, bytes);
//   Decoder in(bytes);
//   Result<Value> row = in.read(*schema);
//
// Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "history/avro/schema.h"

namespace halocline::avro {

// null; boolean; int, long, enum; float, double; bytes, string, fixed; and the values of a record, array, or map (each an entry
// of two). A union's value is that of its branch.
class Value {
 public:
  Value() = default;
  Value(bool value) : value_(value) {}                  // NOLINT: implicit on purpose, so that rows are written as lists
  Value(std::int32_t value) : value_(std::int64_t{value}) {}  // NOLINT
  Value(std::int64_t value) : value_(value) {}          // NOLINT
  Value(double value) : value_(value) {}                // NOLINT
  Value(std::string value) : value_(std::move(value)) {}  // NOLINT
  Value(const char* value) : value_(std::string(value)) {}  // NOLINT
  Value(std::vector<Value> values) : value_(std::move(values)) {}  // NOLINT

  bool null() const { return std::holds_alternative<std::monostate>(value_); }
  // nullptr when it is of another kind.
  const bool* flag() const { return std::get_if<bool>(&value_); }
  const std::int64_t* number() const { return std::get_if<std::int64_t>(&value_); }
  const double* real() const { return std::get_if<double>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const std::vector<Value>* list() const { return std::get_if<std::vector<Value>>(&value_); }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<Value>> value_;
};

// The value is one of the schema (CHECKed). Unions of null and one other type only, which is all Iceberg has.
void encode(const Schema& schema, const Value& value, std::string& out);
void encode_long(std::int64_t value, std::string& out);
void encode_bytes(std::string_view bytes, std::string& out);

// Reads from bytes that may be anything. Failures are kDataLoss. Memory is bounded by the input: what takes no bytes is not
// repeated.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  Result<Value> read(const Schema& schema);
  Result<std::int64_t> read_long();
  Result<std::string_view> read_bytes();                   // with its length before it
  Result<std::string_view> read_raw(std::uint64_t length);
  std::string_view rest() const { return rest_; }

 private:
  Result<Value> read_record(const Schema& schema);
  Result<Value> read_blocks(const Schema& items, bool keyed);

  std::string_view rest_;
};

}  // namespace halocline::avro
