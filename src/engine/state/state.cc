#include "engine/state/state.h"

#include <cstring>

#include "base/hash.h"

namespace halocline {

std::uint64_t State::trade_hash(std::string_view source, std::string_view trade_id) {
  return hash_bytes(trade_id, hash_bytes(source));
}

std::uint32_t State::find_trade(std::string_view source, std::string_view trade_id, std::uint64_t hash) const {
  return trade_index.find(hash, [&](std::uint32_t id) {
    const TradeRecord& trade = trades[id];
    return trade_id_of(trade) == trade_id && source_of(trade) == source;
  });
}

std::uint32_t State::find_link(std::string_view source, std::string_view id) const {
  return link_index.find(trade_hash(source, id), [&](std::uint32_t link) {
    return trade_text[links[link].id] == id && trade_text[sources[links[link].source]] == source;
  });
}

std::uint32_t State::find_chain(std::uint32_t trade) const {
  return chain_index.find(hash_ids(trade, 0), [&](std::uint32_t chain) { return chains[chain].trade == trade; });
}

std::uint32_t State::find_fix_session(std::string_view name) const {
  return fix_session_index.find(hash_bytes(name), [&](std::uint32_t id) { return trade_text[fix_sessions[id].name] == name; });
}

std::uint32_t State::find_position(std::uint32_t node, std::uint32_t instrument) const {
  std::uint32_t id = catalog.nodes[node].first_position;
  while (id != kNoId && positions[id].instrument != instrument) id = positions[id].next_of_node;
  return id;
}

void State::add_entry(PositionRecord& of_book, std::uint32_t trade) {
  std::uint32_t entry = free_entry;
  if (entry != kNoId) {
    free_entry = entries[entry].next;
    entries.write(entry) = {trade, of_book.first_entry};
  } else {
    entry = static_cast<std::uint32_t>(entries.size());
    entries.push_back({trade, of_book.first_entry});
  }
  of_book.first_entry = entry;
  ++of_book.entries;
}

std::uint32_t State::find_limit(std::string_view name) const {
  return limit_index.find(hash_bytes(name),
                          [&](std::uint32_t id) { return catalog.text[limits[id].name] == name; });
}

std::uint32_t State::find_query(std::string_view name) const {
  return query_index.find(hash_bytes(name), [&](std::uint32_t id) { return catalog.text[queries[id].name] == name; });
}

AlertEvent event_of(const State& state, std::uint64_t event_id) {
  const EventRecord& record = state.events[event_id - 1];
  const CowText& text = state.catalog.text;
  AlertEvent event;
  event.event_id = event_id;
  event.alert_id = record.alert;
  event.step = record.step;
  event.reason = record.reason;
  event.seq = record.seq;
  event.time = record.time;
  if (record.limit != kNoId) {
    event.limit = text[state.limits[record.limit].name];
    event.node_kind = state.catalog.nodes[record.node].kind;
    event.node = text[record.node_name];
    event.measure = state.limits[record.limit].measure;
  } else {
    const AlertRecord& alert = state.alerts[record.alert - 1];
    event.query = text[state.queries[alert.query].name];
    event.row = text[alert.row];
  }
  event.level = record.level;
  event.value = record.value;
  event.threshold = record.threshold;
  event.hard = record.hard;
  event.owner = text[record.owner];
  event.by = text[record.by];
  event.note = text[record.note];
  event.cause = record.cause;
  if (record.cause == Cause::kTrade) {
    const TradeRecord& trade = state.trades[record.cause_id];
    event.cause_source = state.source_of(trade);
    event.cause_trade_id = state.trade_id_of(trade);
    event.cause_version = record.cause_version;
  }
  event.cause_name = text[record.cause_name];
  return event;
}

}  // namespace halocline
