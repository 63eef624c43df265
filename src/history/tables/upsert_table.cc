#include "history/tables/upsert_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "history/tables/table_files.h"

namespace halocline {

using namespace iceberg;

UpsertTable::UpsertTable(TableDefinition definition)
    : definition_(std::move(definition)),
      number_field_(definition_.schema.fields.front().id),
      open_(definition_.schema, {.distinct = definition_.distinct}) {}

ParquetRows& UpsertTable::row(std::uint64_t number) {
  numbers_.push_back(number);
  return open_;
}

Status UpsertTable::end_row() {
  ++open_rows_;
  if (Status status = open_.end_row(); !status.ok() && first_.ok()) first_ = status;
  if (open_.bytes() >= kFullDataFileBytes) finish();
  return first_;
}

std::int64_t UpsertTable::open_bytes() const { return done_bytes_ + (open_.rows() == 0 ? 0 : open_.bytes()); }

void UpsertTable::finish() {
  Result<ParquetFile> file = open_.finish();
  if (!file.ok()) {
    if (first_.ok()) first_ = file.status();
    return;
  }
  if (!definition_.sorted_by.empty()) file.value().file.sort_order_id = 1;
  done_bytes_ += static_cast<std::int64_t>(file.value().bytes.size());
  done_.push_back({file.take(), std::exchange(numbers_, {}), false});
}

Status UpsertTable::close() {
  if (open_.rows() > 0) finish();
  if (!first_.ok()) return first_;
  std::move(done_.begin(), done_.end(), std::back_inserter(files_));
  removed_.insert(removed_.end(), open_removed_.begin(), open_removed_.end());
  done_.clear(), open_removed_.clear();
  closed_rows_ += std::exchange(open_rows_, 0);
  done_bytes_ = 0;
  return ok_status();
}

Status UpsertTable::write(Warehouse& warehouse, const TableMetadata& table, Seq first) {
  for (File& file : files_) {
    if (file.written) continue;
    file.parquet.file.path = new_data_location(table, definition_, file.parquet.file, first);
    if (Status status = warehouse.write(file.parquet.file.path, file.parquet.bytes); !status.ok()) return status;
    file.written = true;
    file.parquet.bytes.clear();
  }
  return ok_status();
}

Result<TableChange> UpsertTable::change(Warehouse& warehouse, const TableMetadata& table, std::vector<std::string>& written) {
  if (!places_.loaded_for(table)) {
    if (Status status = places_.load(warehouse, table, number_field_); !status.ok()) return status;
  }
  TableChange change;
  std::vector<DeletedRow> replaced;
  const auto replace = [&](std::uint64_t number) {
    if (std::optional<DeletedRow> old = places_.find(number)) replaced.push_back(std::move(*old));
  };
  for (const File& file : files_) {
    change.data.push_back(file.parquet.file);
    for (const std::uint64_t number : file.numbers) replace(number);
  }
  for (const std::uint64_t number : removed_) replace(number);
  if (Status status = write_deletes(warehouse, table, std::move(replaced), written, change); !status.ok()) return status;
  return change;
}

Status UpsertTable::write_deletes(Warehouse& warehouse, const TableMetadata& table, std::vector<DeletedRow> rows,
                                  std::vector<std::string>& written, TableChange& change) const {
  if (rows.empty()) return ok_status();
  if (table.format_version < 3) {
    Result<DataFile> deletes = write_position_deletes(warehouse, table, std::move(rows), written);
    if (!deletes.ok()) return deletes.status();
    change.deletes.push_back(deletes.take());
    return ok_status();
  }
  // "Deletion Vectors": at most one a data file, so it has also what was deleted before.
  std::sort(rows.begin(), rows.end());
  std::vector<DeletionVector> vectors;
  for (const DeletedRow& row : rows) {
    if (vectors.empty() || vectors.back().data_file != row.file) vectors.push_back({row.file, {}, {}});
    vectors.back().positions.push_back(row.position);
  }
  for (DeletionVector& vector : vectors) {
    const std::vector<std::int64_t> before = places_.deleted(vector.data_file);
    const auto added = vector.positions.insert(vector.positions.end(), before.begin(), before.end());
    std::inplace_merge(vector.positions.begin(), added, vector.positions.end());
  }
  Result<std::vector<DataFile>> deletes = write_deletion_vectors(warehouse, table, vectors, written);
  if (!deletes.ok()) return deletes.status();
  change.deletes = deletes.take();
  return ok_status();
}

void UpsertTable::committed(std::optional<std::int64_t> snapshot) {
  for (const File& file : files_) places_.put(file.parquet.file.path, file.numbers);
  for (const std::uint64_t number : removed_) places_.forget(number);
  places_.moved(snapshot);
  files_.clear(), removed_.clear();
  closed_rows_ = 0;
}

// Each number has one row at most, so a row of the rewrite is what it was unless its number's is no longer in the files it was made of.
Result<TableChange> UpsertTable::replacement(Warehouse& warehouse, const TableMetadata& table, const Rewrite& rewrite,
                                             std::vector<std::string>& written) {
  if (!places_.loaded_for(table)) {
    if (Status status = places_.load(warehouse, table, number_field_); !status.ok()) return status;
  }
  TableChange change = change_of(rewrite);
  std::vector<DeletedRow> gone;
  for (const Rewrite::File& file : rewrite.data) {
    for (const std::int64_t row : places_.elsewhere(file.numbers, rewrite.removed_data)) gone.push_back({file.file.path, row});
  }
  if (Status status = write_deletes(warehouse, table, std::move(gone), written, change); !status.ok()) return status;
  return change;
}

void UpsertTable::replaced(const Rewrite& rewrite, std::optional<std::int64_t> snapshot) {
  for (const Rewrite::File& file : rewrite.data) places_.move(file.file.path, file.numbers, rewrite.removed_data);
  places_.drop(rewrite.removed_data);
  places_.moved(snapshot);
}

}  // namespace halocline
