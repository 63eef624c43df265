#include "history/iceberg/manifest_packing.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "history/iceberg/manifest.h"

namespace halocline::iceberg {
namespace {

constexpr std::int64_t kLeastTarget = 1 << 10, kMostTarget = 64 << 20;
constexpr std::int64_t kMostCount = 10'000;
constexpr std::int64_t kDeadPart = 8;  // of the target's size, that is worth a rewriting

// A bound of a partition field ("Binary single-value serialization"), when it is a number.
std::optional<std::int64_t> number_of(const std::optional<std::string>& bound, const Type& type) {
  if (!bound.has_value()) return std::nullopt;
  const bool is_long = type.kind == TypeKind::kLong, is_int = type.kind == TypeKind::kInt || type.kind == TypeKind::kDate;
  std::int32_t small = 0;
  std::int64_t number = 0;
  if (is_int && bound->size() == sizeof small) {
    std::memcpy(&small, bound->data(), sizeof small);
    return small;
  }
  if (!is_long || bound->size() != sizeof number) return std::nullopt;
  std::memcpy(&number, bound->data(), sizeof number);
  return number;
}

struct Spread {
  const ManifestFile* manifest;
  std::int64_t from, to;  // of the first partition field
};

// Whether they have partitions in common, besides one where the one ends and the other begins.
bool overlap(const Spread& a, const Spread& b) { return a.from < b.to && b.from < a.to; }

void add_deleted(const std::vector<const ManifestFile*>& manifests, std::int64_t target, std::set<std::string>& untidy) {
  std::vector<const ManifestFile*> dead;
  std::int64_t bytes = 0;
  for (const ManifestFile* one : manifests) {
    const std::int64_t live = one->added_files + one->existing_files;
    if (live == 0 || one->deleted_files <= live) continue;
    dead.push_back(one);
    bytes += one->length / (live + one->deleted_files) * one->deleted_files;
  }
  if (bytes < target / kDeadPart) return;
  for (const ManifestFile* one : dead) untidy.insert(one->path);
}

void add_spread(const std::vector<const ManifestFile*>& manifests, const Type& type, std::int64_t target, std::set<std::string>& untidy) {
  std::vector<Spread> spread;
  for (const ManifestFile* one : manifests) {
    if (one->partitions.empty()) continue;
    const std::optional<std::int64_t> from = number_of(one->partitions.front().lower, type);
    const std::optional<std::int64_t> to = number_of(one->partitions.front().upper, type);
    if (from.has_value() && to.has_value() && *from < *to) spread.push_back({one, *from, *to});
  }
  std::vector<const ManifestFile*> among;
  std::int64_t bytes = 0;
  for (const Spread& one : spread) {
    const auto crosses = [&](const Spread& other) { return other.manifest != one.manifest && overlap(one, other); };
    if (std::none_of(spread.begin(), spread.end(), crosses)) continue;
    among.push_back(one.manifest);
    bytes += one.manifest->length;
  }
  if (bytes <= target) return;
  for (const ManifestFile* one : among) untidy.insert(one->path);
}

}  // namespace

ManifestSizes manifest_sizes(const TableMetadata& table) {
  ManifestSizes sizes;
  const auto number = [&](const char* key, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
    const Result<std::int64_t> said = table.number_property(key, otherwise);
    return said.ok() ? std::clamp(said.value(), least, most) : otherwise;
  };
  sizes.target_bytes = number("commit.manifest.target-size-bytes", sizes.target_bytes, kLeastTarget, kMostTarget);
  const auto least = static_cast<std::int64_t>(sizes.least_merged);
  sizes.least_merged = static_cast<std::size_t>(number("commit.manifest.min-count-to-merge", least, 2, kMostCount));
  sizes.merge = table.property("commit.manifest-merge.enabled", "true") != "false";
  return sizes;
}

std::vector<std::vector<std::size_t>> bins_to_merge(std::span<const std::int64_t> lengths, const ManifestSizes& sizes) {
  std::vector<std::vector<std::size_t>> bins;
  if (!sizes.merge) return bins;
  std::int64_t bytes = 0;
  for (std::size_t i = lengths.size(); i-- > 0;) {
    if (bins.empty() || bytes + lengths[i] > sizes.target_bytes) bins.emplace_back(), bytes = 0;
    bins.back().push_back(i);
    bytes += lengths[i];
  }
  if (!bins.empty() && bins.back().size() < sizes.least_merged) bins.pop_back();
  for (std::vector<std::size_t>& bin : bins) std::reverse(bin.begin(), bin.end());
  std::erase_if(bins, [](const std::vector<std::size_t>& bin) { return bin.size() < 2; });
  return bins;
}

std::set<std::string> untidy_manifests(std::span<const ManifestFile> manifests, const TableMetadata& table) {
  std::set<std::string> untidy;
  const std::int64_t target = manifest_sizes(table).target_bytes;
  const std::vector<Type> types = partition_types(table.default_spec(), table.current_schema());
  for (const bool deletes : {false, true}) {
    std::vector<const ManifestFile*> ours;
    for (const ManifestFile& one : manifests) {
      if (one.deletes == deletes && one.spec_id == table.default_spec_id && !one.key_metadata.has_value()) ours.push_back(&one);
    }
    add_deleted(ours, target, untidy);
    if (!types.empty()) add_spread(ours, types.front(), target, untidy);
  }
  return untidy;
}

}  // namespace halocline::iceberg
