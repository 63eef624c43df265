// Table metadata as JSON, which is what a metadata file is. Iceberg spec, appendix C: "Table Metadata and Snapshots".
//
//   Result<TableMetadata> metadata = parse_table_metadata(text);
//   std::string text = table_metadata_text(metadata.value());
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "history/iceberg/json.h"
#include "history/iceberg/table_metadata.h"

namespace halocline::iceberg {

// kInvalidArgument for what does not parse or does not hold together (check_metadata), kUnsupported for a version that is not
// known.
Result<TableMetadata> parse_table_metadata(std::string_view text);
std::string table_metadata_text(const TableMetadata& metadata);

Json to_json(const TableMetadata& metadata);
Json to_json(const Snapshot& snapshot);
Json to_json(const SnapshotRef& ref);

// The same of JSON that was parsed already.
Result<TableMetadata> read_table_metadata(const Json& json);

// Parts, as updates carry them; they remember the first thing that is wrong.
Snapshot read_snapshot(const Json& json, Status& first);
SnapshotRef read_snapshot_ref(const Json& json, Status& first);
StatisticsFile read_statistics(const Json& json, Status& first);
EncryptionKey read_encryption_key(const Json& json, Status& first);

}  // namespace halocline::iceberg
