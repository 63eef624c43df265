// What a table of ours is: docs/formats/tables.md has them for people. Values; any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "command/command.h"
#include "history/iceberg/partitioning.h"
#include "history/iceberg/schema.h"

namespace halocline {

struct TableDefinition {
  std::string name;
  iceberg::Schema schema;               // ids 1, 2, … in order
  std::int32_t day_of = 0;              // the field whose day is the partition; 0: one partition
  std::vector<std::int32_t> sorted_by;  // ascending
  std::set<std::string> distinct;       // columns whose values hardly repeat

  iceberg::PartitionSpec spec() const;
  iceberg::SortOrder order() const;
};

inline constexpr std::int64_t kFullDataFileBytes = 128 << 20;

// Microseconds since 1970, rounded down, as timestamptz has them, and the day of a time.
std::int64_t micros_of(Nanos time);
std::int32_t day_of(Nanos time);
// "2026-11-24".
std::string day_text(std::int32_t day);

}  // namespace halocline
