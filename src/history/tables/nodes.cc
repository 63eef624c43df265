#include "history/tables/nodes.h"

#include "history/tables/columns.h"

namespace halocline::nodes {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kSeq, kKnowledgeTime, kKnowledgeTimeNs, kNodeId, kNodeKind, kNode, kParent, kNet, kGross, kLong, kShort, kTotalPnl, kDayPnl, kDrawdown,
  kConcentration, kLargestTrade, kTradeRate, kStale,
};

}  // namespace

TableDefinition definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), amount = decimal(38, 8);
  TableDefinition table;
  table.name = "nodes";
  table.day_of = 2;
  table.sorted_by = {1, 4};
  table.schema.fields = {
      required(1, "seq", number, "of the last command that the row knows"),
      required(2, "knowledge_time", primitive(TypeKind::kTimestamptz), "of that command"),
      required(3, "knowledge_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC"),
      required(4, "node_id", number, "from 0, in the order in which nodes were made; it stays when the name changes"),
      required(5, "node_kind", text, "firm, desk, book, trader, counterparty, instrument, underlying, sector or currency"),
      required(6, "node", text), optional(7, "parent", text, "the desk of a book or trader"),
      required(8, "net", amount, "money here is in the firm's currency"), required(9, "gross", amount), required(10, "long", amount),
      required(11, "short", amount), required(12, "total_pnl", amount), required(13, "day_pnl", amount),
      required(14, "drawdown", amount), required(15, "concentration", amount, "1 is all in one position"),
      required(16, "largest_trade", amount), required(17, "trade_rate", number, "trades in the last 10 seconds"),
      required(18, "stale", amount, "exposure at prices that are too old"),
  };
  return table;
}

Status write_changes(Books& books, Seq seq, Nanos time, AppendTable& table) {
  Status first;
  books.changed_nodes([&](const NodeRow& row) {
    if (!first.ok()) return;
    ParquetRows& to = table.row(time);
    to.number(kSeq, static_cast<std::int64_t>(seq));
    put_time(to, kKnowledgeTime, time);
    to.number(kNodeId, row.id);
    to.text(kNodeKind, kind_name(row.kind));
    to.text(kNode, row.name);
    put_word(to, kParent, row.parent);
    to.decimal(kNet, row.net);
    to.decimal(kGross, row.gross);
    to.decimal(kLong, row.long_exposure);
    to.decimal(kShort, row.short_exposure);
    to.decimal(kTotalPnl, row.total_pnl);
    to.decimal(kDayPnl, row.day_pnl);
    to.decimal(kDrawdown, row.drawdown);
    to.decimal(kConcentration, row.concentration);
    to.decimal(kLargestTrade, row.largest_trade);
    to.number(kTradeRate, row.trade_rate);
    to.decimal(kStale, row.stale);
    first = table.end_row();
  });
  return first;
}

}  // namespace halocline::nodes
