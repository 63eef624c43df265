// Deletion vectors: which rows of a data file are deleted, one set of positions a data file, some of them in one Puffin file. Iceberg spec,
// "Deletion Vectors" (version 3); Puffin spec, "deletion-vector-v1 blob type".
//
//   DeletionVectorFile made = deletion_vector_file({{data_file, {}, {3, 17}}});
//   … write made.bytes somewhere, give made.files that path
//   Result<std::vector<DeletionVector>> read = read_deletion_vectors(bytes, entries);
//
// Values; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "history/iceberg/data_file.h"

namespace halocline::iceberg {

struct DeletionVector {
  std::string data_file;                // its location, as its manifest entry has it
  std::vector<avro::Value> partition;   // of the data file
  std::vector<std::int64_t> positions;  // of rows, from 0; ascending, each once
};

// The blob: length, magic, bitmap, CRC-32.
std::string deletion_vector_bytes(std::span<const std::int64_t> positions);
// `cardinality` is how many positions there are. kDataLoss: it is no such blob, or has another number of them.
Result<std::vector<std::int64_t>> read_deletion_vector(std::string_view blob, std::int64_t cardinality);

struct DeletionVectorFile {
  std::string bytes;
  std::vector<DataFile> files;  // for the manifest, one a vector; the path is the caller's
};
// At least one vector.
DeletionVectorFile deletion_vector_file(std::span<const DeletionVector> vectors);

// The vectors that these manifest entries, all of one Puffin file, say are in it. kDataLoss: the file is broken, or an entry and the file
// do not say the same. kUnsupported: as read_puffin_footer().
Result<std::vector<DeletionVector>> read_deletion_vectors(std::string_view file, std::span<const DataFile* const> entries);

// Whether the entry is one of a deletion vector.
bool is_deletion_vector(const DataFile& file);

}  // namespace halocline::iceberg
