// The records of a state as columns: which bytes of a record hold which field. What lies between the fields is not kept. The fields and
// their order are a format (docs/formats/checkpoint.md): whoever changes a record here changes the number of bytes kept of it, and older
// checkpoints are not read any more; the journal is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/state/state.h"

namespace halocline::checkpoint {

struct Column {
  std::uint32_t offset = 0;
  std::uint32_t width = 0;
};

// Of a type that is no record: one column of all of it.
template <class T>
struct Fields {
  static std::vector<Column> columns() { return {{0, sizeof(T)}}; }
};

template <class T, class... Members>
std::vector<Column> fields(Members T::*... members) {
  static const T record{};
  const auto* begin = reinterpret_cast<const char*>(&record);
  return {Column{static_cast<std::uint32_t>(reinterpret_cast<const char*>(&(record.*members)) - begin), sizeof(Members)}...};
}

#define HALOCLINE_FIELDS(Record, ...)                                    \
  template <>                                                            \
  struct Fields<Record> {                                                \
    using R = Record;                                                    \
    static std::vector<Column> columns() { return fields(__VA_ARGS__); } \
  }
HALOCLINE_FIELDS(NodeRecord, &R::scaled_pnl, &R::peak_at, &R::day_base, &R::peak_pnl, &R::largest_trade, &R::rate_slots, &R::rate_sum,
                 &R::kind, &R::watched, &R::parent, &R::of, &R::first_bucket, &R::first_position, &R::name);
HALOCLINE_FIELDS(CurrencyRecord, &R::code, &R::rate, &R::rate_time, &R::node);
HALOCLINE_FIELDS(InstrumentRecord, &R::kind, &R::mark_source, &R::stale, &R::symbol, &R::issuer, &R::currency, &R::node,
                 &R::underlying_node, &R::sector_node, &R::expiry, &R::multiplier, &R::stale_after, &R::mark, &R::mark_time,
                 &R::price_time);
HALOCLINE_FIELDS(TradeRecord, &R::status, &R::side, &R::source, &R::action, &R::id_length, &R::version, &R::id, &R::book, &R::trader,
                 &R::counterparty, &R::instrument, &R::quantity, &R::price, &R::fees, &R::trade_time, &R::seq, &R::version_seq,
                 &R::content);
HALOCLINE_FIELDS(PositionRecord, &R::node, &R::instrument, &R::bucket, &R::next_of_node, &R::first_entry, &R::entries, &R::count,
                 &R::split_known, &R::quantity, &R::cash, &R::value, &R::cost);
HALOCLINE_FIELDS(TradeEntry, &R::trade, &R::next);
HALOCLINE_FIELDS(BucketRecord, &R::node, &R::currency, &R::next_of_node, &R::largest, &R::net, &R::long_exposure, &R::pnl,
                 &R::largest_value, &R::stale);
HALOCLINE_FIELDS(LimitRecord, &R::name, &R::owner, &R::kind, &R::measure, &R::hard, &R::removed, &R::node, &R::warn, &R::breach,
                 &R::hysteresis, &R::escalate_after);
HALOCLINE_FIELDS(AlertRecord, &R::limit, &R::node, &R::query, &R::row, &R::row_key, &R::level, &R::acknowledged, &R::cleared, &R::by,
                 &R::note, &R::escalation_due, &R::raised_seq, &R::raised_time, &R::last_event);
HALOCLINE_FIELDS(EventRecord, &R::alert, &R::step, &R::reason, &R::level, &R::cause, &R::hard, &R::limit, &R::node, &R::node_name,
                 &R::owner, &R::by, &R::note, &R::seq, &R::time, &R::value, &R::threshold, &R::cause_id, &R::cause_version,
                 &R::cause_name);
HALOCLINE_FIELDS(QueryRecord, &R::name, &R::sql, &R::failure, &R::severity, &R::dropped, &R::created_seq, &R::created);
HALOCLINE_FIELDS(LinkRecord, &R::id, &R::source, &R::trade, &R::version, &R::next_of_trade, &R::content, &R::seq);
HALOCLINE_FIELDS(ChainRecord, &R::trade, &R::newest_link, &R::provisional);
HALOCLINE_FIELDS(ParkedRecord, &R::seq, &R::content, &R::size, &R::payload);
HALOCLINE_FIELDS(FixSessionRecord, &R::name, &R::next_in, &R::next_out, &R::last_sent, &R::newest_sent, &R::first_unanswered,
                 &R::last_unanswered, &R::created);
HALOCLINE_FIELDS(SentRecord, &R::session, &R::number, &R::previous, &R::seq);
HALOCLINE_FIELDS(UnansweredRecord, &R::session, &R::number, &R::next, &R::previous, &R::commands, &R::told, &R::seq);
#undef HALOCLINE_FIELDS

inline std::uint32_t bytes_of(std::span<const Column> columns) {
  std::uint32_t bytes = 0;
  for (const Column& column : columns) bytes += column.width;
  return bytes;
}

}  // namespace halocline::checkpoint
