#include "history/tables/table_writer.h"

#include <chrono>
#include <cstdio>
#include <utility>

#include "base/check.h"

namespace halocline {

using namespace iceberg;

PartitionSpec TableDefinition::spec() const {
  PartitionSpec spec;
  if (day_of == 0) return spec;
  spec.fields.push_back({day_of, kFirstPartitionFieldId, schema.find(day_of)->name + "_day", {"day"}});
  return spec;
}

SortOrder TableDefinition::order() const {
  SortOrder order;
  for (const std::int32_t id : sorted_by) order.fields.push_back({id, {"identity"}, true, true});
  if (!order.fields.empty()) order.order_id = 1;
  return order;
}

std::int64_t micros_of(Nanos time) { return time / 1'000 - (time % 1'000 < 0 ? 1 : 0); }

std::int32_t day_of(Nanos time) {
  constexpr Nanos kDay = 86'400'000'000'000;
  return static_cast<std::int32_t>(time / kDay - (time % kDay < 0 ? 1 : 0));
}

std::string day_text(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

TableWriter::TableWriter(TableDefinition definition)
    : definition_(std::move(definition)), open_(definition_.schema, {.distinct = definition_.distinct}) {}

ParquetRows& TableWriter::row(Nanos time) {
  if (definition_.day_of != 0) {
    const std::int32_t day = halocline::day_of(time);
    if (day_ != day && open_.rows() > 0) finish();
    day_ = day;
  }
  return open_;
}

Status TableWriter::end_row() {
  ++rows_;
  if (Status status = open_.end_row(); !status.ok() && first_.ok()) first_ = status;
  if (open_.bytes() >= kFullDataFileBytes) finish();
  return first_;
}

std::int64_t TableWriter::bytes() const { return done_bytes_ + (open_.rows() == 0 ? 0 : open_.bytes()); }

void TableWriter::finish() {
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

Result<std::vector<ParquetFile>> TableWriter::take() {
  if (open_.rows() > 0) finish();
  if (!first_.ok()) return first_;
  rows_ = 0, done_bytes_ = 0;
  return std::exchange(done_, {});
}

}  // namespace halocline
