// `trades`: the current version of each trade, one row a trade, kept up to date by merge-on-read: a changed trade's old row is deleted
// by its position and the new one appended, in one commit. docs/formats/tables.md has the columns.
//
//   TradesTable trades;
//   trades.take(books);                                  // what changed since the last time
//   trades.files(), …                                    // to be written to the warehouse
//   Result<TableChange> change = trades.change(…);       // for each attempt at a commit
//   trades.committed(snapshot);
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/iceberg/table_change.h"
#include "history/tables/books.h"
#include "history/tables/row_places.h"
#include "history/tables/table_writer.h"

namespace halocline {

class TradesTable {
 public:
  static TableDefinition definition();

  // New data files, encoded, of the trades that changed. They and what they replace are pending until committed().
  Status take(Books& books);
  bool pending() const { return !files_.empty() || !gone_.empty(); }
  std::int64_t rows() const { return rows_; }  // pending

  // Writes the pending files; again after a failure.
  Status write(Warehouse& warehouse, const iceberg::TableMetadata& table);
  // The pending change of the table as it is: its data files, and a file of deletes, which is written now and named in `written`.
  Result<iceberg::TableChange> change(Warehouse& warehouse, const iceberg::TableMetadata& table, std::vector<std::string>& written);
  // It is in the table; its snapshot, if that is known.
  void committed(std::optional<std::int64_t> snapshot);

 private:
  struct File {
    iceberg::ParquetFile parquet;
    std::vector<std::uint64_t> numbers;  // of its rows
    bool written = false;
  };
  Status finish_file(iceberg::ParquetRows& rows, std::vector<std::uint64_t>& numbers);

  RowPlaces places_;
  std::vector<File> files_;
  std::vector<std::uint64_t> gone_;
  std::int64_t rows_ = 0;
};

}  // namespace halocline
