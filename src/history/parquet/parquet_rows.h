// Rows on their way into a Parquet file, column by column, and the file. Iceberg spec, appendix A, "Parquet"; the statistics of
// "Data File Fields" are read off the file's own.
//
//   ParquetRows rows(schema, {"trade_id"});
//   rows.number(0, seq), rows.text(1, source), rows.null(2), …   // every column of every row, in any order
//   Result<ParquetFile> file = rows.finish();                    // bytes and what a manifest says of them
//
// One thread; a row group that is full is encoded on another one meanwhile, if a processor is free. Memory is that of two row groups at
// most and of what is encoded; callers finish a file by bytes().
// Arrow's exceptions and Statuses end here, as kInternal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/decimal.h"
#include "base/status.h"
#include "history/iceberg/data_file.h"
#include "history/iceberg/schema.h"

namespace halocline::iceberg {

struct ParquetFile {
  std::string bytes;
  DataFile file;  // statistics, sizes and split offsets; the path and the partition are the caller's
};

struct ParquetOptions {
  std::set<std::string> distinct;          // columns whose values hardly repeat: not worth a dictionary
  std::int64_t row_group_rows = 1 << 18;
  bool encoded_aside = true;               // a full row group by a thread beside the one that adds rows, if a processor is free
  bool bound_whole_texts = false;          // bounds of texts unshortened, as deletes need them
};

class ParquetRows {
 public:
  // Of boolean, int, long, date, timestamptz, string and decimal columns (CHECKed). `schema` is copied.
  explicit ParquetRows(const Schema& schema, ParquetOptions options = {});
  ~ParquetRows();
  ParquetRows(ParquetRows&&) noexcept;
  ParquetRows& operator=(ParquetRows&&) noexcept;

  // The value of the row being built in the column, by its place in the schema. Of the column's type: int, long, date, timestamptz
  // (microseconds since 1970) are numbers. Bytes that are no UTF-8 become U+FFFD.
  void number(std::size_t column, std::int64_t value);
  void text(std::size_t column, std::string_view value);
  void decimal(std::size_t column, Int128 unscaled);
  void flag(std::size_t column, bool value);
  void null(std::size_t column);  // of an optional column
  // The row is complete. A row group that is full is encoded; a failure of that is told by a later call.
  Status end_row();

  std::int64_t rows() const;          // in the file so far
  // Encoded so far and, roughly, what the rows not yet encoded will come to.
  std::int64_t bytes() const;
  // The whole file; from then on the next one, of the same schema, is empty.
  Result<ParquetFile> finish();

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace halocline::iceberg
