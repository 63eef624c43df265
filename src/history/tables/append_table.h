// A table that is only appended to: one data file a commit and day (or one for all), and again one when it is full.
//
//   AppendTable ledger(trade_events::definition());
//   ParquetRows& row = ledger.row(time);
//   row.number(0, seq), …;
//   Status status = ledger.end_row();
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "history/parquet/parquet_rows.h"
#include "history/tables/history_table.h"

namespace halocline {

class AppendTable final : public HistoryTable {
 public:
  explicit AppendTable(TableDefinition definition);

  // The row to fill, in the partition of the time. Rows come in the order of time.
  iceberg::ParquetRows& row(Nanos time);
  // When full, its file is finished. The first failure of the rows so far stays.
  Status end_row();

  const TableDefinition& definition() const override { return definition_; }
  std::int64_t open_rows() const override { return open_rows_; }
  std::int64_t open_bytes() const override;
  std::int64_t closed_rows() const override { return closed_rows_; }
  bool pending() const override { return closed_rows_ > 0; }
  Status close() override;
  Status write(Warehouse& warehouse, const iceberg::TableMetadata& table, Seq first) override;
  Result<iceberg::TableChange> change(Warehouse& warehouse, const iceberg::TableMetadata& table,
                                      std::vector<std::string>& written) override;
  void committed(std::optional<std::int64_t> snapshot) override;
  Result<iceberg::TableChange> replacement(Warehouse& warehouse, const iceberg::TableMetadata& table, const Rewrite& rewrite,
                                           std::vector<std::string>& written) override;
  void replaced(const Rewrite& rewrite, std::optional<std::int64_t> snapshot) override;

 private:
  void finish();

  const TableDefinition definition_;
  iceberg::ParquetRows open_;
  std::optional<std::int32_t> day_;
  std::vector<iceberg::ParquetFile> done_;       // whole, of open rows
  std::vector<iceberg::ParquetFile> unwritten_;  // closed
  std::vector<iceberg::DataFile> files_;         // written
  std::int64_t open_rows_ = 0, done_bytes_ = 0, closed_rows_ = 0;
  Status first_;
};

}  // namespace halocline
