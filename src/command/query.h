// What goes in and out of a query: typed values, rows of them in packed form, and the words of the port about queries.
// The language is docs/queries.md.
//
// A packed row is one string of bytes whose order is the order of its values: nulls first, numbers by size, texts byte by byte. So rows
// are compared, hashed and kept as plain bytes. It is made and read inside the process only, never written to disk or wire.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/decimal.h"
#include "command/command.h"

namespace halocline {

// kNull is the type of a bare NULL. The numbers are part of the API (api/halocline/v1/queries.proto).
enum class ValueType : std::uint8_t { kNull = 0, kBool = 1, kInt = 2, kDecimal = 3, kText = 4, kTimestamp = 5, kInterval = 6 };

std::string_view value_type_name(ValueType type);  // "bool", "int", "decimal", "text", "timestamp", "interval"

// A value; its type is known from where it stands. Text is a view into what it was read from.
struct Value {
  Int128 number = 0;      // bool 0 or 1; int; decimal e8; timestamp and interval ns
  std::string_view text;  // kText
  bool null = true;

  static Value of(Int128 number) { return {number, {}, false}; }
  static Value of_text(std::string_view text) { return {0, text, false}; }
};

// As a person reads it: "NULL", "true", "12.5", a time as 2026-11-24T10:42:13Z, an interval in seconds as "60 s".
std::string value_text(const Value& value, ValueType type);

struct ColumnType {
  std::string name;
  ValueType type = ValueType::kNull;
};

// Bytes that are put together and used again and again: what was taken for them once stays.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& from) noexcept { swap(from); }
  ByteBuffer& operator=(ByteBuffer&& from) noexcept {
    swap(from);
    return *this;
  }

  void clear() { end_ = memory_.get(); }
  std::size_t size() const { return static_cast<std::size_t>(end_ - memory_.get()); }
  std::string_view bytes() const { return {memory_.get(), size()}; }
  // Where the next bytes go, of which there may be so many; the new end is then told.
  char* room(std::size_t most) {
    if (static_cast<std::size_t>(limit_ - end_) < most) [[unlikely]] grow(most);
    return end_;
  }
  void end_at(char* end) { end_ = end; }
  // `write(to, limit)` writes what comes next, and gives the end of it; or nullptr, and writes nothing that counts, where that takes more.
  template <class Write>
  void add(Write write) {
    for (;;) {
      if (char* const end = write(end_, limit_); end != nullptr) return end_at(end);
      grow(kMore);
    }
  }
  ByteBuffer& operator+=(std::string_view more) {
    end_at(std::copy(more.begin(), more.end(), room(more.size())));
    return *this;
  }

 private:
  static constexpr std::size_t kMore = 64;

  // To room for so many more, and to at least twice what there is.
  void grow(std::size_t most);
  void swap(ByteBuffer& with) noexcept { std::swap(memory_, with.memory_), std::swap(end_, with.end_), std::swap(limit_, with.limit_); }

  std::unique_ptr<char[]> memory_;
  char* end_ = nullptr;
  char* limit_ = nullptr;  // of what there is
};

// Adds a value to a packed row. `descending` turns the order round; `nulls_last` puts nulls behind all other values.
void pack(const Value& value, ValueType type, std::string& row, bool descending = false, bool nulls_last = false);
void pack(const Value& value, ValueType type, ByteBuffer& row, bool descending = false, bool nulls_last = false);

// Reads a row packed in ascending order. The values' texts hold as long as the row and the reader.
class PackedReader {
 public:
  explicit PackedReader(std::string_view row) : rest_(row) {}
  Value next(ValueType type);
  std::string_view rest() const { return rest_; }  // what is not read yet

 private:
  std::string_view rest_;
  std::list<std::string> unescaped_;  // costs nothing while it is empty
};

// A value for a parameter: $1 has the name "1", :desk the name "desk".
struct QueryParameter {
  ValueType type = ValueType::kNull;
  Int128 number = 0;
  std::string text;
  bool null = true;
};
using QueryParameters = std::map<std::string, QueryParameter, std::less<>>;

// Why a row left an answer.
enum class RowReason : std::uint8_t { kChanged = 1, kGone = 2, kTime = 3 };  // it reads differently; it is no more; time passed

// One row of a continuous query's answer became different. Of one seq each row has at most one. The numbers are part of the API.
// Views into the memory its QueryEvents are in (event_memory.h).
struct RowEvent {
  enum class Kind : std::uint8_t { kInsert = 1, kUpdate = 2, kDelete = 3 };
  Kind kind{};
  RowReason reason = RowReason::kChanged;  // of kDelete
  std::string_view key;     // tells the answer's rows apart; the same for as long as the row is in it
  std::string_view before;  // packed; of kUpdate and kDelete
  std::string_view after;   // packed; of kInsert and kUpdate
  std::string_view order;   // of kInsert and kUpdate: rows sorted by these bytes are in the answer's order
};

// A row of a continuous query's answer.
struct KeptRow {
  std::string key;
  std::string order;
  std::string row;  // packed
};

// All events of one seq, in the order of their keys.
struct QueryEvents {
  Seq seq = 0;
  Nanos time = 0;
  std::span<const RowEvent> rows;
};

struct QueryRows {
  std::vector<ColumnType> columns;
  std::vector<std::string> rows;  // packed
};

}  // namespace halocline
