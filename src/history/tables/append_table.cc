#include "history/tables/append_table.h"

#include <cstdio>
#include <iterator>
#include <utility>

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
    std::string folder = data_folder(table);
    if (definition_.day_of != 0) {
      folder += "/" + definition_.spec().fields[0].name + "=" + day_text(static_cast<std::int32_t>(*file.file.partition[0].number()));
    }
    char number[32];
    std::snprintf(number, sizeof number, "%020llu", static_cast<unsigned long long>(first));
    file.file.path = folder + "/" + number + "-" + random_uuid() + ".parquet";
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

}  // namespace halocline
