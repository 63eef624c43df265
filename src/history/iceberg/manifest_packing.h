// How many manifests a snapshot has, how large they are, and when what is in them is put in order. As Iceberg's own writer does it, with
// its table properties (Iceberg docs, "Table behavior properties"): commit.manifest.target-size-bytes,
// commit.manifest.min-count-to-merge, commit.manifest-merge.enabled.
//
//   for (const std::vector<std::size_t>& bin : bins_to_merge(lengths, manifest_sizes(table))) …
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "history/iceberg/manifest_list.h"
#include "history/iceberg/table_metadata.h"

namespace halocline::iceberg {

struct ManifestSizes {
  std::int64_t target_bytes = 8 << 20;  // larger ones are left alone
  std::size_t least_merged = 32;        // so many of the newest become one
  bool merge = true;
};

// What the table's properties say, within what is sensible; a property that is no number is as if it were not there.
ManifestSizes manifest_sizes(const TableMetadata& table);

// Which become one, of manifests of these lengths, the newest first: their indices in this order, each bin of at least two. They are packed
// from the oldest on into bins of the target's size; that of the newest waits until it has least_merged.
std::vector<std::vector<std::size_t>> bins_to_merge(std::span<const std::int64_t> lengths, const ManifestSizes& sizes);

// The manifests (locations) to be made anew in the order of the partitions: those that mostly list what is deleted, once that takes an
// eighth of the target's size; and those that spread over the same partitions as others, so that a reader of one partition reads them all,
// once these are more than fits into one. Only manifests of the default spec, and partitions by numbers (a day is one). Once made anew they
// are none of it.
std::set<std::string> untidy_manifests(std::span<const ManifestFile> manifests, const TableMetadata& table);

}  // namespace halocline::iceberg
