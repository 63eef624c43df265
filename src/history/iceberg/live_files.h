// The files that a snapshot's rows are in. Iceberg spec, "Manifests": entries that are not deleted.
//
//   Result<std::vector<LiveFile>> files = live_files(warehouse, *table.metadata);
//
// Any thread. Fails as the warehouse does, or with kDataLoss for what is broken.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "history/iceberg/data_file.h"
#include "history/iceberg/table_metadata.h"
#include "history/warehouse.h"

namespace halocline::iceberg {

struct LiveFile {
  DataFile file;
  std::int32_t spec_id = 0;          // of its partition
  std::int64_t sequence_number = 0;  // of its rows
};

// Of the current snapshot, data and deletes; none before the first.
Result<std::vector<LiveFile>> live_files(Warehouse& warehouse, const TableMetadata& table);

}  // namespace halocline::iceberg
