// The rows of a Parquet file, one after the other, in the columns of a schema: found by field id, wherever the file has them. A column that
// the file lacks is null. Iceberg spec, "Column Projection".
//
//   Result<ParquetScan> scan = ParquetScan::open(bytes, schema);
//   while (true) {
//     Result<bool> row = scan.value().next();
//     if (!row.ok() || !row.value()) …
//     scan.value().copy(rows, 7);       // a row of rows of the same schema
//   }
//
// One thread. Memory is that of the file's bytes and of some thousand rows. Arrow's exceptions and Statuses end here, as kDataLoss: the
// file is broken; kUnsupported: a column is of a type that is not read here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "history/iceberg/schema.h"
#include "history/parquet/parquet_rows.h"

namespace halocline::iceberg {

class ParquetScan {
 public:
  // Of the columns that ParquetRows writes.
  static Result<ParquetScan> open(std::string bytes, const Schema& schema);
  ~ParquetScan();
  ParquetScan(ParquetScan&&) noexcept;
  ParquetScan& operator=(ParquetScan&&) noexcept;

  // On to the next row, at first the first one; false behind the last.
  Result<bool> next();

  // Of the row: its place in the file, from 0.
  std::int64_t position() const;
  // … the value of an int, long, date or timestamptz column, by its place in the schema; none when it is null.
  std::optional<std::int64_t> number(std::size_t column) const;
  // … any column's value as a text that no other value of the column has: digits (of a decimal: unscaled), "true", "false", a string.
  std::optional<std::string> text(std::size_t column) const;
  // … its first `columns` values into the row being built, whose first columns are those of the schema.
  void copy(ParquetRows& to, std::size_t columns) const;

 private:
  class Reader;
  explicit ParquetScan(std::unique_ptr<Reader> reader);
  std::unique_ptr<Reader> reader_;
};

}  // namespace halocline::iceberg
