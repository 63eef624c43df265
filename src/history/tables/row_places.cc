#include "history/tables/row_places.h"

#include <algorithm>

#include "base/check.h"
#include "history/parquet/parquet_columns.h"
#include "history/tables/live_deletes.h"

namespace halocline {

using namespace iceberg;

namespace {

constexpr std::uint64_t kMostNumbers = 0xFFFF'FFFFu;

}  // namespace

Status RowPlaces::load(Warehouse& warehouse, const TableMetadata& table, std::int32_t key_field) {
  *this = RowPlaces();
  keep_deleted_ = table.format_version >= 3;
  Result<std::vector<LiveFile>> live = live_files(warehouse, table);
  if (!live.ok()) return live.status();
  Result<LiveDeletes> deleted = read_live_deletes(warehouse, live.value());
  if (!deleted.ok()) return deleted.status();
  for (const LiveFile& entry : live.value()) {
    if (entry.file.content != FileContent::kData) continue;
    Result<std::string> bytes = warehouse.read(entry.file.path, kMostFileBytes);
    if (!bytes.ok()) return bytes.status();
    Result<std::vector<std::int64_t>> numbers = read_numbers(bytes.value(), key_field);
    if (!numbers.ok()) return Status(numbers.status().code(), entry.file.path + ": " + numbers.status().message());
    const std::vector<std::int64_t>& gone = deleted.value().positions[entry.file.path];
    auto next_gone = gone.begin();
    files_.push_back({entry.file.path, {}});
    if (keep_deleted_) files_.back().deleted.assign(gone.begin(), gone.end());
    for (std::size_t row = 0; row < numbers.value().size(); ++row) {
      if (next_gone != gone.end() && *next_gone == static_cast<std::int64_t>(row)) {
        ++next_gone;
        continue;
      }
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
  return DeletedRow{files_[places_[number].file].location, places_[number].row};
}

std::vector<std::int64_t> RowPlaces::deleted(const std::string& file) const {
  CHECK(keep_deleted_);
  const auto known = std::find_if(files_.begin(), files_.end(), [&](const File& one) { return one.location == file; });
  if (known == files_.end()) return {};
  std::vector<std::int64_t> rows(known->deleted.begin(), known->deleted.end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

void RowPlaces::leave(const Place& place) {
  if (keep_deleted_ && place.file != kNowhere) files_[place.file].deleted.push_back(place.row);
}

std::vector<bool> RowPlaces::marked(const std::set<std::string>& files) const {
  std::vector<bool> marked(files_.size());
  for (std::size_t i = 0; i < files_.size(); ++i) marked[i] = files.contains(files_[i].location);
  return marked;
}

std::vector<std::int64_t> RowPlaces::elsewhere(const std::vector<std::uint64_t>& numbers, const std::set<std::string>& files) const {
  const std::vector<bool> among = marked(files);
  std::vector<std::int64_t> rows;
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    const Place place = numbers[row] < places_.size() ? places_[numbers[row]] : Place();
    if (place.file == kNowhere || !among[place.file]) rows.push_back(static_cast<std::int64_t>(row));
  }
  return rows;
}

void RowPlaces::move(const std::string& file, const std::vector<std::uint64_t>& numbers, const std::set<std::string>& from) {
  const std::vector<bool> goes = marked(from);
  files_.push_back({file, {}});
  const auto here = static_cast<std::uint32_t>(files_.size() - 1);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto row = static_cast<std::uint32_t>(i);
    Place* place = numbers[i] < places_.size() ? &places_[numbers[i]] : nullptr;
    if (place == nullptr || place->file == kNowhere || place->file >= goes.size() || !goes[place->file]) leave({here, row});
    else *place = {here, row};
  }
}

void RowPlaces::drop(const std::set<std::string>& files) {
  for (File& file : files_) {
    if (files.contains(file.location)) file = File();
  }
}

void RowPlaces::put(const std::string& file, const std::vector<std::uint64_t>& numbers) {
  files_.push_back({file, {}});
  std::uint32_t row = 0;
  for (const std::uint64_t number : numbers) {
    if (number >= places_.size()) places_.resize(number + 1);
    leave(places_[number]);
    places_[number] = {static_cast<std::uint32_t>(files_.size() - 1), row++};
  }
}

void RowPlaces::forget(std::uint64_t number) {
  if (number >= places_.size()) return;
  leave(places_[number]);
  places_[number] = Place();
}

}  // namespace halocline
