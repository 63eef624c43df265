// The values of one column on their way into a row group: appended one by one, then handed to Arrow as they lie, without a copy. What the
// row group took of memory is kept for the next one, so a table that is written all the time asks the system for none.
//
//   Column column(field, distinct);
//   column.number(7), column.null();
//   write(*column.array());          // good until clear()
//   column.clear();
//
// One thread. Not a public face of the room: parquet_rows.h is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "base/decimal.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

// Texts by number, each once. A text of up to 16 bytes is found by one look into a table that holds these themselves: the columns of
// 100,000 rows a second ask for a few names, and the bytes of words lie elsewhere.
class Words {
 public:
  // Its number; negative: it is none of them.
  std::int32_t find(std::string_view text);
  // A new one.
  std::int32_t add(std::string_view text);
  void clear();
  // Of all of them; good until the next one is new.
  std::shared_ptr<arrow::ArrayData> array() const;

 private:
  struct Key {
    std::uint64_t low = 0, high = 0;  // the bytes; of a longer text two hashes
    std::uint64_t size = 0;
    bool operator==(const Key&) const = default;
  };
  struct Slot {
    Key key;
    std::int32_t number = -1;
  };

  static Key key_of(std::string_view text);
  std::string_view word(std::int32_t number) const;
  // Where it is, or the free slot where it belongs.
  Slot& slot_of(const Key& key, std::string_view text);

  std::string bytes_;
  std::vector<std::int32_t> ends_{0};  // of each word in bytes_, after the first 0
  std::vector<Slot> slots_{16};        // a power of two, at least twice as many as words; a slot's text is there or in the next ones
  Slot last_;                          // found: often again
};

class Column {
 public:
  // `distinct`: its texts hardly repeat. A type that no column is written of is CHECKed.
  Column(const Field& field, bool distinct);

  const std::shared_ptr<arrow::DataType>& type() const { return type_; }
  std::int64_t size() const { return size_; }

  // As ParquetRows says.
  void number(std::int64_t value) {
    narrow_ ? ints_.push_back(static_cast<std::int32_t>(value)) : longs_.push_back(value);
    valid();
  }
  void text(std::string_view value);
  void decimal(Int128 unscaled) {
    decimals_.push_back(unscaled);
    valid();
  }
  void flag(bool value) {
    set_bit(bits_, value);
    valid();
  }
  void null();

  std::shared_ptr<arrow::Array> array() const;
  void clear();

 private:
  void set_bit(std::vector<std::uint8_t>& bits, bool value) const {
    const auto at = static_cast<std::size_t>(size_);
    if (at / 8 == bits.size()) bits.push_back(0);
    bits[at / 8] |= static_cast<std::uint8_t>(value << at % 8);
  }
  void valid() {
    if (nulls_ > 0) set_bit(validity_, true);
    ++size_;
  }

  const TypeKind kind_;
  const bool narrow_, plain_;  // 32-bit numbers; texts without a dictionary
  const std::shared_ptr<arrow::DataType> type_;
  std::int64_t size_ = 0, nulls_ = 0;
  std::vector<std::uint8_t> validity_;  // a bit a value, of those up to the first null too; empty while there is none
  // One of these, by kind.
  std::vector<std::int32_t> ints_;      // or a text's number among the words
  std::vector<std::int64_t> longs_;
  std::vector<Int128> decimals_;
  std::vector<std::uint8_t> bits_;
  std::vector<std::int32_t> ends_{0};   // of plain texts in bytes_
  std::string bytes_;
  std::unique_ptr<Words> words_;
};

}  // namespace halocline::iceberg
