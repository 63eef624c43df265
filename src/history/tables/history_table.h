// A table on its way to a commit: rows that came, the files they became, and what the files change in the table. Rows may go on to
// come while earlier ones are being committed: close() draws the line.
//
//   table.close();
//   Status status = table.write(warehouse, metadata, first_seq);                  // again after a failure
//   Result<TableChange> change = table.change(warehouse, metadata, written);      // for each attempt at a commit
//   table.committed(snapshot);
//
// One thread. append_table.h and upsert_table.h are the kinds there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/iceberg/table_change.h"
#include "history/tables/rewrite.h"
#include "history/tables/table_definition.h"
#include "history/warehouse.h"

namespace halocline {

class HistoryTable {
 public:
  virtual ~HistoryTable() = default;

  virtual const TableDefinition& definition() const = 0;
  // Rows that are not closed, and about how many bytes of memory they take.
  virtual std::int64_t open_rows() const = 0;
  virtual std::int64_t open_bytes() const = 0;
  // Rows that are, and are not committed.
  virtual std::int64_t closed_rows() const = 0;
  // Whether there is anything closed to commit.
  virtual bool pending() const = 0;

  // The rows so far become files, in memory. A failure stays.
  virtual Status close() = 0;
  // Brings the closed files to the warehouse, those that are not there yet. Files are named by the first seq that the commit covers.
  virtual Status write(Warehouse& warehouse, const iceberg::TableMetadata& table, Seq first) = 0;
  // The written files as a change of the table as it is; files that had to be written for it are named in `written`.
  virtual Result<iceberg::TableChange> change(Warehouse& warehouse, const iceberg::TableMetadata& table,
                                              std::vector<std::string>& written) = 0;
  // What was closed is in the table; its snapshot then, if that is known.
  virtual void committed(std::optional<std::int64_t> snapshot) = 0;

  // A rewrite as a change of the table as it is: also rows that are no longer what they were when it was made are deleted in its files.
  // kFailedPrecondition: the table changed so that it does not fit any more.
  virtual Result<iceberg::TableChange> replacement(Warehouse& warehouse, const iceberg::TableMetadata& table, const Rewrite& rewrite,
                                                   std::vector<std::string>& written) = 0;
  // It is in the table; its snapshot then, if that is known.
  virtual void replaced(const Rewrite& rewrite, std::optional<std::int64_t> snapshot) = 0;
};

}  // namespace halocline
