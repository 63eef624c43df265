#include "history/tables/trades.h"

#include <utility>

namespace halocline {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kNumber, kSource, kTradeId, kVersion, kStatus, kAction, kBook, kTrader, kCounterparty, kInstrument, kSide, kQuantity, kPrice, kFees,
  kTradeTime, kTradeTimeNs, kSeq, kVersionSeq,
};
constexpr std::int32_t kNumberId = 1;

const char* status_text(TradeStanding standing) {
  switch (standing) {
    case TradeStanding::kLive: return "LIVE";
    case TradeStanding::kCancelled: return "CANCELLED";
    case TradeStanding::kTombstone: return "TOMBSTONE";
    case TradeStanding::kGone: break;
  }
  return "";
}

void fill(ParquetRows& to, const TradeChange& change) {
  const TradeRow& row = change.row;
  to.number(kNumber, static_cast<std::int64_t>(change.number));
  to.text(kSource, row.source);
  to.text(kTradeId, row.trade_id);
  to.number(kVersion, row.version);
  to.text(kStatus, status_text(change.standing));
  to.number(kSeq, static_cast<std::int64_t>(row.seq));
  to.number(kVersionSeq, static_cast<std::int64_t>(row.version_seq));
  if (change.standing == TradeStanding::kTombstone) {
    for (const Column column : {kAction, kBook, kTrader, kCounterparty, kInstrument, kSide, kQuantity, kPrice, kFees, kTradeTime,
                                kTradeTimeNs}) {
      to.null(column);
    }
    return;
  }
  if (row.live) to.text(kAction, action_name(row.action));
  else to.null(kAction);
  to.text(kBook, row.book);
  to.text(kTrader, row.trader);
  to.text(kCounterparty, row.counterparty);
  to.text(kInstrument, row.instrument);
  to.text(kSide, side_name(row.side));
  to.decimal(kQuantity, row.quantity);
  to.decimal(kPrice, row.price);
  to.decimal(kFees, row.fees);
  if (row.trade_time == 0) to.null(kTradeTime);
  else to.number(kTradeTime, micros_of(row.trade_time));
  to.number(kTradeTimeNs, row.trade_time);
}

}  // namespace

TableDefinition TradesTable::definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), amount = decimal(20, 8);
  TableDefinition table;
  table.name = "trades";
  table.sorted_by = {kNumberId};
  table.distinct = {"trade_id"};
  table.schema.fields = {
      required(kNumberId, "number", number, "of the trade, from 0, in the order in which trades were first seen"),
      required(2, "source", text), required(3, "trade_id", text), required(4, "version", number),
      required(5, "status", text, "LIVE, CANCELLED or TOMBSTONE"),
      optional(6, "action", text, "of the current version, while live: NEW or AMEND"),
      optional(7, "book", text), optional(8, "trader", text), optional(9, "counterparty", text), optional(10, "instrument", text),
      optional(11, "side", text, "BUY or SELL"),
      optional(12, "quantity", amount), optional(13, "price", amount), optional(14, "fees", amount),
      optional(15, "trade_time", primitive(TypeKind::kTimestamptz), "business time"),
      optional(16, "trade_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC; 0 when none was given"),
      required(17, "seq", number, "of the first version that counted"), required(18, "version_seq", number, "of this version"),
  };
  table.schema.identifier_field_ids = {kNumberId};
  return table;
}

Status TradesTable::finish_file(ParquetRows& rows, std::vector<std::uint64_t>& numbers) {
  Result<ParquetFile> file = rows.finish();
  if (!file.ok()) return file.status();
  file.value().file.sort_order_id = 1;
  files_.push_back({file.take(), std::exchange(numbers, {}), false});
  return ok_status();
}

Status TradesTable::take(Books& books) {
  ParquetRows rows(definition().schema, {.distinct = definition().distinct});
  std::vector<std::uint64_t> numbers;
  Status first;
  books.changed_trades([&](const TradeChange& change) {
    if (!first.ok()) return;
    if (change.standing == TradeStanding::kGone) return gone_.push_back(change.number);
    fill(rows, change);
    first = rows.end_row();
    numbers.push_back(change.number);
    ++rows_;
    if (first.ok() && rows.bytes() >= kFullDataFileBytes) first = finish_file(rows, numbers);
  });
  if (first.ok() && !numbers.empty()) first = finish_file(rows, numbers);
  return first;
}

Status TradesTable::write(Warehouse& warehouse, const TableMetadata& table) {
  for (File& file : files_) {
    if (file.written) continue;
    file.parquet.file.path = data_folder(table) + "/" + random_uuid() + ".parquet";
    if (Status status = warehouse.write(file.parquet.file.path, file.parquet.bytes); !status.ok()) return status;
    file.written = true;
    file.parquet.bytes.clear();
  }
  return ok_status();
}

Result<TableChange> TradesTable::change(Warehouse& warehouse, const TableMetadata& table, std::vector<std::string>& written) {
  if (!places_.loaded_for(table)) {
    if (Status status = places_.load(warehouse, table, kNumberId); !status.ok()) return status;
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
  for (const std::uint64_t number : gone_) replace(number);
  if (replaced.empty()) return change;
  Result<ParquetFile> deletes = position_delete_file(std::move(replaced));
  if (!deletes.ok()) return deletes.status();
  ParquetFile& file = deletes.value();
  file.file.path = data_folder(table) + "/" + random_uuid() + "-deletes.parquet";
  written.push_back(file.file.path);
  if (Status status = warehouse.write(file.file.path, file.bytes); !status.ok()) return status;
  change.deletes.push_back(std::move(file.file));
  return change;
}

void TradesTable::committed(std::optional<std::int64_t> snapshot) {
  for (const File& file : files_) places_.put(file.parquet.file.path, file.numbers);
  for (const std::uint64_t number : gone_) places_.forget(number);
  places_.moved(snapshot);
  files_.clear(), gone_.clear();
  rows_ = 0;
}

}  // namespace halocline
