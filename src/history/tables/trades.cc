#include "history/tables/trades.h"

#include "history/tables/columns.h"

namespace halocline::trades {

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
  put_word(to, kAction, row.live ? action_name(row.action) : "");
  to.text(kBook, row.book);
  to.text(kTrader, row.trader);
  to.text(kCounterparty, row.counterparty);
  to.text(kInstrument, row.instrument);
  to.text(kSide, side_name(row.side));
  to.decimal(kQuantity, row.quantity);
  to.decimal(kPrice, row.price);
  to.decimal(kFees, row.fees);
  put_given_time(to, kTradeTime, row.trade_time);
}

}  // namespace

TableDefinition definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), amount = decimal(20, 8);
  TableDefinition table;
  table.name = "trades";
  table.sorted_by = {kNumberId};
  table.distinct = {"number", "trade_id", "trade_time", "trade_time_ns", "seq", "version_seq"};
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

Status write_changes(Books& books, UpsertTable& table) {
  Status first;
  books.changed_trades([&](const TradeChange& change) {
    if (!first.ok()) return;
    if (change.standing == TradeStanding::kGone) return table.remove(change.number);
    fill(table.row(change.number), change);
    first = table.end_row();
  });
  return first;
}

}  // namespace halocline::trades
