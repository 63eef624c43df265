// Where the files of a table of ours go. Any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "command/command.h"
#include "history/iceberg/data_file.h"
#include "history/iceberg/deletion_vectors.h"
#include "history/iceberg/table_metadata.h"
#include "history/parquet/position_deletes.h"
#include "history/tables/table_definition.h"
#include "history/warehouse.h"

namespace halocline {

// A new location for a data file of this partition, named by a seq: files in the order of their names are in the order of the journal.
std::string new_data_location(const iceberg::TableMetadata& table, const TableDefinition& definition, const iceberg::DataFile& file,
                              Seq seq);

// A delete file of the rows, in the warehouse; its location is added to `written` before it is there. The partition, where
// the table has any, is the caller's.
Result<iceberg::DataFile> write_position_deletes(Warehouse& warehouse, const iceberg::TableMetadata& table,
                                                 std::vector<iceberg::DeletedRow> rows, std::vector<std::string>& written);

// Deletion vectors in one file, in the warehouse; its location is added to `written` before it is there. One entry a vector.
Result<std::vector<iceberg::DataFile>> write_deletion_vectors(Warehouse& warehouse, const iceberg::TableMetadata& table,
                                                              std::span<const iceberg::DeletionVector> vectors,
                                                              std::vector<std::string>& written);

}  // namespace halocline
