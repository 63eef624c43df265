#include "history/tables/trade_events.h"

#include "history/tables/columns.h"

namespace halocline::trade_events {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kSeq, kKnowledgeTime, kKnowledgeTimeNs, kCommand, kAction, kOutcome, kFirstSeq, kSource, kTradeId, kVersion, kReference, kBook, kTrader,
  kCounterparty, kInstrument, kSide, kQuantity, kPrice, kFees, kTradeTime, kTradeTimeNs, kDesk, kCurrency, kParks, kFixSession,
  kFixNumber,
};

}  // namespace

TableDefinition definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), time = primitive(TypeKind::kTimestamptz);
  const Type amount = decimal(20, 8);
  TableDefinition table;
  table.name = "trade_events";
  table.day_of = 2;
  table.sorted_by = {1};
  table.distinct = {"seq",       "knowledge_time", "knowledge_time_ns", "first_seq", "trade_id",
                    "reference", "trade_time",     "trade_time_ns",     "fix_number"};
  table.schema.fields = {
      required(1, "seq", number, "place in the journal"),
      required(2, "knowledge_time", time, "when the journal took it"),
      required(3, "knowledge_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC"),
      required(4, "command", text, "TRADE or TRADE_REPORT"),
      optional(5, "action", text, "NEW, AMEND or CANCEL"),
      required(6, "outcome", text, "what became of it"),
      optional(7, "first_seq", number, "of a DUPLICATE: where the same was accepted"),
      required(8, "source", text, "who the trade's id is unique with"),
      required(9, "trade_id", text, "of a report: the report's own id"),
      optional(10, "version", number, "none of a report"),
      optional(11, "reference", text, "the report that a report corrects"),
      required(12, "book", text), required(13, "trader", text), required(14, "counterparty", text), required(15, "instrument", text),
      optional(16, "side", text, "BUY or SELL"),
      required(17, "quantity", amount), required(18, "price", amount), required(19, "fees", amount),
      optional(20, "trade_time", time, "business time"),
      required(21, "trade_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC; 0 when none was given"),
      optional(22, "desk", text, "of a report that names one"),
      optional(23, "currency", text, "of a report that names one"),
      required(24, "parks", primitive(TypeKind::kBoolean), "the report waits for an unknown instrument"),
      optional(25, "fix_session", text), optional(26, "fix_number", number, "MsgSeqNum"),
  };
  return table;
}

Status append(AppendTable& table, const Row& row) {
  const Trade& trade = *row.trade;
  const TradeReport* report = row.report;
  ParquetRows& to = table.row(row.time);
  to.number(kSeq, static_cast<std::int64_t>(row.seq));
  put_time(to, kKnowledgeTime, row.time);
  to.text(kCommand, type_name(report == nullptr ? CommandType::kTrade : CommandType::kTradeReport));
  put_word(to, kAction, action_name(trade.action));
  to.text(kOutcome, outcome_name(row.outcome));
  if (row.first_seq == 0) to.null(kFirstSeq);
  else to.number(kFirstSeq, static_cast<std::int64_t>(row.first_seq));
  to.text(kSource, trade.source);
  to.text(kTradeId, trade.trade_id);
  if (report != nullptr) to.null(kVersion);
  else to.number(kVersion, trade.version);
  put_word(to, kReference, report == nullptr ? "" : report->reference);
  to.text(kBook, trade.book);
  to.text(kTrader, trade.trader);
  to.text(kCounterparty, trade.counterparty);
  to.text(kInstrument, trade.instrument);
  put_word(to, kSide, side_name(trade.side));
  to.decimal(kQuantity, trade.quantity);
  to.decimal(kPrice, trade.price);
  to.decimal(kFees, trade.fees);
  put_given_time(to, kTradeTime, trade.trade_time);
  put_word(to, kDesk, report == nullptr ? "" : report->desk);
  put_word(to, kCurrency, report == nullptr ? "" : report->currency);
  to.flag(kParks, report != nullptr && report->park);
  put_word(to, kFixSession, row.fix_session);
  if (row.fix_session.empty()) to.null(kFixNumber);
  else to.number(kFixNumber, row.fix_number);
  return table.end_row();
}

}  // namespace halocline::trade_events
