#include "history/tables/append_table.h"

#include <iterator>
#include <utility>

#include "history/iceberg/live_files.h"
#include "history/tables/table_files.h"

namespace halocline {

using namespace iceberg;

AppendTable::AppendTable(TableDefinition definition)
    : definition_(std::move(definition)), open_(definition_.schema, {.distinct = definition_.distinct}) {}

ParquetRows& AppendTable::row(Nanos time) {
  if (definition_.day_of != 0) {
    const std::int32_t day = halocline::day_of(time);
    if (day_ != day && open_.rows() > 0) finish();
    day_ = day;
  }
  return open_;
}

Status AppendTable::end_row() {
  ++open_rows_;
  if (Status status = open_.end_row(); !status.ok() && first_.ok()) first_ = status;
  if (open_.bytes() >= kFullDataFileBytes) finish();
  return first_;
}

std::int64_t AppendTable::open_bytes() const { return done_bytes_ + (open_.rows() == 0 ? 0 : open_.bytes()); }

void AppendTable::finish() {
  Result<ParquetFile> file = open_.finish();
  if (!file.ok()) {
    if (first_.ok()) first_ = file.status();
    return;
  }
  if (day_.has_value()) file.value().file.partition = {avro::Value(*day_)};
  if (!definition_.sorted_by.empty()) file.value().file.sort_order_id = 1;
  done_bytes_ += static_cast<std::int64_t>(file.value().bytes.size());
  done_.push_back(file.take());
}

Status AppendTable::close() {
  if (open_.rows() > 0) finish();
  if (!first_.ok()) return first_;
  std::move(done_.begin(), done_.end(), std::back_inserter(unwritten_));
  done_.clear();
  closed_rows_ += std::exchange(open_rows_, 0);
  done_bytes_ = 0;
  return ok_status();
}

Status AppendTable::write(Warehouse& warehouse, const TableMetadata& table, Seq first) {
  while (!unwritten_.empty()) {
    ParquetFile& file = unwritten_.back();
    file.file.path = new_data_location(table, definition_, file.file, first);
    if (Status status = warehouse.write(file.file.path, file.bytes); !status.ok()) return status;
    files_.push_back(std::move(file.file));
    unwritten_.pop_back();
  }
  return ok_status();
}

Result<TableChange> AppendTable::change(Warehouse&, const TableMetadata&, std::vector<std::string>&) {
  TableChange change;
  change.data = files_;
  return change;
}

void AppendTable::committed(std::optional<std::int64_t>) {
  files_.clear();
  closed_rows_ = 0;
}

// Only others delete rows here: deletes that the rewrite does not know may be of rows in its files, when it makes any anew.
Result<TableChange> AppendTable::replacement(Warehouse& warehouse, const TableMetadata& table, const Rewrite& rewrite,
                                             std::vector<std::string>&) {
  if (rewrite.removed_data.empty()) return change_of(rewrite);
  Result<std::vector<LiveFile>> live = live_files(warehouse, table);
  if (!live.ok()) return live.status();
  for (const LiveFile& one : live.value()) {
    if (one.file.content != FileContent::kData && !rewrite.deletes.contains(one.file.path)) {
      return Status(Code::kFailedPrecondition, one.file.path + " deletes rows since");
    }
  }
  return change_of(rewrite);
}

void AppendTable::replaced(const Rewrite&, std::optional<std::int64_t>) {}

}  // namespace halocline
