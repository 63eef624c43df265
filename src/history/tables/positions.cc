#include "history/tables/positions.h"

#include "history/tables/columns.h"

namespace halocline::positions {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kSeq, kKnowledgeTime, kKnowledgeTimeNs, kNodeKind, kNode, kInstrument, kCurrency, kQuantity, kAveragePrice, kCost, kMarketValue,
  kRealised, kUnrealised, kTotalPnl, kMark, kTrades,
};

}  // namespace

TableDefinition definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), amount = decimal(38, 8);
  TableDefinition table;
  table.name = "positions";
  table.day_of = 2;
  table.sorted_by = {1};
  table.distinct = {"average_price", "cost", "market_value", "realised", "unrealised", "total_pnl"};
  table.schema.fields = {
      required(1, "seq", number, "of the last command that the row knows"),
      required(2, "knowledge_time", primitive(TypeKind::kTimestamptz), "of that command"),
      required(3, "knowledge_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC"),
      required(4, "node_kind", text, "firm, desk, book, trader or counterparty"), required(5, "node", text),
      required(6, "instrument", text), required(7, "currency", text, "the instrument's, of all money here"),
      required(8, "quantity", amount), required(9, "average_price", amount), required(10, "cost", amount),
      required(11, "market_value", amount), required(12, "realised", amount), required(13, "unrealised", amount),
      required(14, "total_pnl", amount), required(15, "mark", decimal(20, 8)),
      required(16, "trades", number, "live ones; 0: the position is closed"),
  };
  return table;
}

Status write_changes(Books& books, Seq seq, Nanos time, AppendTable& table) {
  Status first;
  books.changed_positions([&](const PositionRow& row) {
    if (!first.ok()) return;
    ParquetRows& to = table.row(time);
    to.number(kSeq, static_cast<std::int64_t>(seq));
    put_time(to, kKnowledgeTime, time);
    to.text(kNodeKind, kind_name(row.node_kind));
    to.text(kNode, row.node);
    to.text(kInstrument, row.instrument);
    to.text(kCurrency, row.currency);
    to.decimal(kQuantity, row.quantity);
    to.decimal(kAveragePrice, row.average_price);
    to.decimal(kCost, row.cost);
    to.decimal(kMarketValue, row.market_value);
    to.decimal(kRealised, row.realised);
    to.decimal(kUnrealised, row.unrealised);
    to.decimal(kTotalPnl, row.total_pnl);
    to.decimal(kMark, row.mark);
    to.number(kTrades, row.trades);
    first = table.end_row();
  });
  return first;
}

}  // namespace halocline::positions
