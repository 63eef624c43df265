// A table of current rows, one for each number, kept up to date by merge-on-read: the old row of a number is deleted by its position
// and the new one appended, in one commit: in a position delete file, from version 3 in the deletion vector of its data file. Iceberg
// spec, "Row-level Deletes".
//
//   UpsertTable trades(trades::definition());
//   ParquetRows& row = trades.row(number);
//   row.number(0, number), …;
//   Status status = trades.end_row();
//   trades.remove(7);
//
// Each number is written or removed once between two close(). The first field is the number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/parquet/parquet_rows.h"
#include "history/tables/history_table.h"
#include "history/tables/row_places.h"

namespace halocline {

class UpsertTable final : public HistoryTable {
 public:
  explicit UpsertTable(TableDefinition definition);

  iceberg::ParquetRows& row(std::uint64_t number);
  // When full, its file is finished. The first failure of the rows so far stays.
  Status end_row();
  // The number has no row any more.
  void remove(std::uint64_t number) { open_removed_.push_back(number); }

  const TableDefinition& definition() const override { return definition_; }
  std::int64_t open_rows() const override { return open_rows_; }
  std::int64_t open_bytes() const override;
  std::int64_t closed_rows() const override { return closed_rows_; }
  bool pending() const override { return !files_.empty() || !removed_.empty(); }
  Status close() override;
  Status write(Warehouse& warehouse, const iceberg::TableMetadata& table, Seq first) override;
  // The deletes are a file that is written for the change.
  Result<iceberg::TableChange> change(Warehouse& warehouse, const iceberg::TableMetadata& table,
                                      std::vector<std::string>& written) override;
  void committed(std::optional<std::int64_t> snapshot) override;
  Result<iceberg::TableChange> replacement(Warehouse& warehouse, const iceberg::TableMetadata& table, const Rewrite& rewrite,
                                           std::vector<std::string>& written) override;
  void replaced(const Rewrite& rewrite, std::optional<std::int64_t> snapshot) override;

 private:
  struct File {
    iceberg::ParquetFile parquet;
    std::vector<std::uint64_t> numbers;  // of its rows
    bool written = false;
  };
  void finish();
  // These rows as deletes of the change, beside those there are.
  Status write_deletes(Warehouse& warehouse, const iceberg::TableMetadata& table, std::vector<iceberg::DeletedRow> rows,
                       std::vector<std::string>& written, iceberg::TableChange& change) const;

  const TableDefinition definition_;
  const std::int32_t number_field_;
  iceberg::ParquetRows open_;
  std::vector<std::uint64_t> numbers_;  // of the rows in it
  std::vector<File> done_;              // whole, of open rows
  std::vector<std::uint64_t> open_removed_;
  std::vector<File> files_;             // closed
  std::vector<std::uint64_t> removed_;
  std::int64_t open_rows_ = 0, done_bytes_ = 0, closed_rows_ = 0;
  RowPlaces places_;
  Status first_;
};

}  // namespace halocline
