#include "history/tables/prices.h"

#include "history/tables/columns.h"

namespace halocline::prices {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kSeq, kKnowledgeTime, kKnowledgeTimeNs, kCommand, kOutcome, kInstrument, kCurrency, kPrice, kSourceTime, kSourceTimeNs,
};

struct Quote {
  std::string_view instrument, currency;
  std::int64_t price = 0;
  Nanos source_time = 0;
};

}  // namespace

TableDefinition definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), time = primitive(TypeKind::kTimestamptz);
  TableDefinition table;
  table.name = "prices";
  table.day_of = 2;
  table.sorted_by = {1};
  table.schema.fields = {
      required(1, "seq", number, "place in the journal"),
      required(2, "knowledge_time", time, "when the journal took it"),
      required(3, "knowledge_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC"),
      required(4, "command", text, "PRICE, FX_RATE, or CURRENCY, which has a rate too"),
      required(5, "outcome", text, "what became of it"),
      optional(6, "instrument", text, "of a price"), optional(7, "currency", text, "of a rate"),
      required(8, "price", decimal(20, 8), "the instrument's currency for one unit; of a rate, the firm's currency for one unit"),
      optional(9, "source_time", time, "the source's own time"),
      required(10, "source_time_ns", number, "the same, nanoseconds since 1970-01-01 UTC; 0 when none was given"),
  };
  return table;
}

Status append(AppendTable& table, Seq seq, Nanos time, const Command& command, Outcome outcome) {
  Quote quote;
  if (const auto* price = std::get_if<Price>(&command)) quote = {price->instrument, "", price->price, price->price_time};
  else if (const auto* rate = std::get_if<FxRate>(&command)) quote = {"", rate->currency, rate->rate, rate->rate_time};
  else if (const auto* currency = std::get_if<Currency>(&command)) quote = {"", currency->code, currency->rate, 0};
  else return ok_status();
  ParquetRows& to = table.row(time);
  to.number(kSeq, static_cast<std::int64_t>(seq));
  put_time(to, kKnowledgeTime, time);
  to.text(kCommand, type_name(type_of(command)));
  to.text(kOutcome, outcome_name(outcome));
  put_word(to, kInstrument, quote.instrument);
  put_word(to, kCurrency, quote.currency);
  to.decimal(kPrice, quote.price);
  put_given_time(to, kSourceTime, quote.source_time);
  return table.end_row();
}

}  // namespace halocline::prices
