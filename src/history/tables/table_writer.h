// A table of ours: what it is, and its rows on their way into data files, one file a day (or one for all) and again one when it is
// full. docs/formats/tables.md.
//
//   TableWriter writer(trade_events::definition());
//   ParquetRows& row = writer.row(time);
//   row.number(0, seq), …;
//   Status status = writer.end_row();
//   Result<std::vector<ParquetFile>> files = writer.take();     // partition values set
//
// One thread. Memory: the files not yet taken.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "command/command.h"
#include "history/iceberg/partitioning.h"
#include "history/iceberg/schema.h"
#include "history/parquet/parquet_rows.h"

namespace halocline {

struct TableDefinition {
  std::string name;
  iceberg::Schema schema;            // ids 1, 2, … in order
  std::int32_t day_of = 0;           // the field whose day is the partition; 0: one partition
  std::vector<std::int32_t> sorted_by;  // ascending
  std::set<std::string> distinct;    // texts that hardly repeat

  iceberg::PartitionSpec spec() const;
  iceberg::SortOrder order() const;
};

inline constexpr std::int64_t kFullDataFileBytes = 128 << 20;

// Microseconds since 1970, rounded down, as timestamptz has them, and the day of a time.
std::int64_t micros_of(Nanos time);
std::int32_t day_of(Nanos time);
// "2026-11-24".
std::string day_text(std::int32_t day);

class TableWriter {
 public:
  explicit TableWriter(TableDefinition definition);

  const TableDefinition& definition() const { return definition_; }
  // The row to fill, in the partition of the time. Rows of a table come in the order of time.
  iceberg::ParquetRows& row(Nanos time);
  // When full, its file is finished. The first failure of the rows so far stays.
  Status end_row();
  std::int64_t rows() const { return rows_; }    // not yet taken
  std::int64_t bytes() const;                    // … about
  // The files of all rows since the last time; afterwards there are none.
  Result<std::vector<iceberg::ParquetFile>> take();

 private:
  void finish();

  const TableDefinition definition_;
  iceberg::ParquetRows open_;
  std::optional<std::int32_t> day_;
  std::vector<iceberg::ParquetFile> done_;
  std::int64_t rows_ = 0, done_bytes_ = 0;
  Status first_;
};

}  // namespace halocline
