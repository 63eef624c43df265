#include "history/tables/row_places.h"

#include <map>
#include <set>
#include <utility>

#include "history/iceberg/table_change.h"
#include "history/parquet/parquet_columns.h"

namespace halocline {

using namespace iceberg;

namespace {

constexpr std::size_t kMostFileBytes = std::size_t{4} << 30;
constexpr std::uint64_t kMostNumbers = 0xFFFF'FFFFu;

// The live entries of the current snapshot.
Result<std::vector<ManifestEntry>> live_entries(Warehouse& warehouse, const TableMetadata& table) {
  Result<std::vector<ManifestFile>> manifests = current_manifests(warehouse, table);
  if (!manifests.ok()) return manifests.status();
  std::vector<ManifestEntry> live;
  for (const ManifestFile& manifest : manifests.value()) {
    Result<std::vector<ManifestEntry>> entries = entries_of(warehouse, manifest);
    if (!entries.ok()) return entries.status();
    for (ManifestEntry& entry : entries.value()) {
      if (entry.status != EntryStatus::kDeleted) live.push_back(std::move(entry));
    }
  }
  return live;
}

}  // namespace

Status RowPlaces::load(Warehouse& warehouse, const TableMetadata& table, std::int32_t key_field) {
  *this = RowPlaces();
  Result<std::vector<ManifestEntry>> live = live_entries(warehouse, table);
  if (!live.ok()) return live.status();
  std::set<DeletedRow> deleted;
  for (const ManifestEntry& entry : live.value()) {
    if (entry.file.content == FileContent::kData) continue;
    if (entry.file.content != FileContent::kPositionDeletes || entry.file.format != "PARQUET") {
      return Status(Code::kUnsupported, entry.file.path + " deletes rows in a way that is not known here");
    }
    Result<std::string> bytes = warehouse.read(entry.file.path, kMostFileBytes);
    if (!bytes.ok()) return bytes.status();
    Result<std::vector<DeletedRow>> rows = read_position_deletes(bytes.value());
    if (!rows.ok()) return Status(rows.status().code(), entry.file.path + ": " + rows.status().message());
    deleted.insert(rows.value().begin(), rows.value().end());
  }
  for (const ManifestEntry& entry : live.value()) {
    if (entry.file.content != FileContent::kData) continue;
    Result<std::string> bytes = warehouse.read(entry.file.path, kMostFileBytes);
    if (!bytes.ok()) return bytes.status();
    Result<std::vector<std::int64_t>> numbers = read_numbers(bytes.value(), key_field);
    if (!numbers.ok()) return Status(numbers.status().code(), entry.file.path + ": " + numbers.status().message());
    files_.push_back(entry.file.path);
    for (std::size_t row = 0; row < numbers.value().size(); ++row) {
      if (deleted.contains({entry.file.path, static_cast<std::int64_t>(row)})) continue;
      const auto number = static_cast<std::uint64_t>(numbers.value()[row]);
      const bool twice = number < places_.size() && places_[number].file != kNowhere;
      if (number > kMostNumbers || twice) {
        return Status(Code::kDataLoss, entry.file.path + ": row " + std::to_string(row) + " is of number " + std::to_string(number) +
                                           (twice ? ", and so is another row" : ", which no trade has"));
      }
      if (number >= places_.size()) places_.resize(number + 1);
      places_[number] = {static_cast<std::uint32_t>(files_.size() - 1), static_cast<std::uint32_t>(row)};
    }
  }
  snapshot_ = table.current_snapshot_id;
  loaded_ = true;
  return ok_status();
}

std::optional<DeletedRow> RowPlaces::find(std::uint64_t number) const {
  if (number >= places_.size() || places_[number].file == kNowhere) return std::nullopt;
  return DeletedRow{files_[places_[number].file], places_[number].row};
}

void RowPlaces::put(const std::string& file, const std::vector<std::uint64_t>& numbers) {
  files_.push_back(file);
  std::uint32_t row = 0;
  for (const std::uint64_t number : numbers) {
    if (number >= places_.size()) places_.resize(number + 1);
    places_[number] = {static_cast<std::uint32_t>(files_.size() - 1), row++};
  }
}

void RowPlaces::forget(std::uint64_t number) {
  if (number < places_.size()) places_[number] = Place();
}

}  // namespace halocline
