#include "history/tables/alerts.h"

#include "history/tables/columns.h"

namespace halocline::alerts {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kSeq, kKnowledgeTime, kKnowledgeTimeNs, kEventId, kAlertId, kStep, kReason, kLimit, kNodeKind, kNode, kMeasure, kLevel, kValue,
  kThreshold, kHard, kOwner, kBy, kNote, kCause, kCauseSource, kCauseTradeId, kCauseVersion, kCauseName, kQuery, kRow,
};

}  // namespace

TableDefinition definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), amount = decimal(38, 8);
  TableDefinition table;
  table.name = "alerts";
  table.day_of = 2;
  table.sorted_by = {4};
  table.schema.fields = {
      required(1, "seq", number, "of the command that caused it"),
      required(2, "knowledge_time", primitive(TypeKind::kTimestamptz), "of that command"),
      required(3, "knowledge_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC"),
      required(4, "event_id", number, "1, 2, 3 … over all alerts"),
      required(5, "alert_id", number),
      required(6, "step", text, "RAISED, ESCALATED, EASED, ACKNOWLEDGED or CLEARED"),
      required(7, "reason", text, "LEVEL, BY_USER, ROW and so on"),
      optional(8, "limit", text, "its name; null for an alert of a query, as node, measure, value and threshold are"),
      optional(9, "node_kind", text), optional(10, "node", text), optional(11, "measure", text),
      required(12, "level", text, "after this step: NONE, WARN or BREACH"),
      optional(13, "value", amount, "of the measure then"),
      optional(14, "threshold", amount, "of the level; when cleared, the one it fell from"),
      required(15, "hard", primitive(TypeKind::kBoolean)), optional(16, "owner", text),
      optional(17, "acknowledged_by", text), optional(18, "note", text),
      required(19, "cause", text, "TRADE, PRICE, FX, TIMER, REFERENCE, LIMIT, ACK, END_OF_DAY or QUERY"),
      optional(20, "cause_source", text, "of a TRADE: its key and version"), optional(21, "cause_trade_id", text),
      optional(22, "cause_version", number),
      optional(23, "cause_name", text, "of a PRICE: the instrument; of an FX: the currency"),
      optional(24, "query", text, "the query whose row it is"), optional(25, "row", text, "what the row read: a JSON object of texts"),
  };
  return table;
}

Status append(AppendTable& table, const AlertEvent& event) {
  ParquetRows& to = table.row(event.time);
  to.number(kSeq, static_cast<std::int64_t>(event.seq));
  put_time(to, kKnowledgeTime, event.time);
  to.number(kEventId, static_cast<std::int64_t>(event.event_id));
  to.number(kAlertId, static_cast<std::int64_t>(event.alert_id));
  to.text(kStep, step_name(event.step));
  to.text(kReason, reason_name(event.reason));
  put_word(to, kLimit, event.limit);
  put_word(to, kNodeKind, kind_name(event.node_kind));
  put_word(to, kNode, event.node);
  put_word(to, kMeasure, measure_name(event.measure));
  to.text(kLevel, level_name(event.level));
  const bool of_limit = event.query.empty();
  if (of_limit) to.decimal(kValue, event.value);
  else to.null(kValue);
  if (of_limit) to.decimal(kThreshold, event.threshold);
  else to.null(kThreshold);
  to.flag(kHard, event.hard);
  put_word(to, kOwner, event.owner);
  put_word(to, kBy, event.by);
  put_word(to, kNote, event.note);
  to.text(kCause, cause_name(event.cause));
  put_word(to, kCauseSource, event.cause_source);
  put_word(to, kCauseTradeId, event.cause_trade_id);
  if (event.cause_version == 0) to.null(kCauseVersion);
  else to.number(kCauseVersion, event.cause_version);
  put_word(to, kCauseName, event.cause_name);
  put_word(to, kQuery, event.query);
  put_word(to, kRow, event.row);
  return table.end_row();
}

}  // namespace halocline::alerts
