#include "engine/reports/report_desk.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/hash.h"
#include "command/codec.h"

namespace halocline {
namespace {

bool taken(Outcome outcome) { return outcome == Outcome::kAccepted || outcome == Outcome::kTombstone; }

}  // namespace

TradeReport report_of(const ParkedRecord& parked) {
  Command command;
  CHECK(decode(CommandType::kTradeReport, std::span(parked.payload, parked.size), command), "a parked report does not decode");
  return std::get<TradeReport>(command);
}

Applied ReportDesk::apply(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record) {
  record = kNoId;
  const Trade& trade = report.trade;
  if (!valid_name(trade.source, limits::kMaxSource) || !valid_name(trade.trade_id, limits::kMaxTradeId)) return {Outcome::kInvalidName};
  if (!report.reference.empty() && !valid_name(report.reference, limits::kMaxTradeId)) return {Outcome::kInvalidName};
  if (trade.action < Action::kNew || trade.action > Action::kCancel) return {Outcome::kInvalidAction};
  if (trade.action == Action::kNew && !report.reference.empty()) return {Outcome::kInvalidAction};
  if (const std::uint32_t waiting = find_parked(trade.source, trade.trade_id); waiting != kNoId) {
    const ParkedRecord& parked = state_.parked[waiting];
    return parked.content == content_of(report) ? Applied{Outcome::kDuplicate, parked.seq} : Applied{Outcome::kConflict};
  }
  const Applied applied = trade.action == Action::kNew                                           ? apply_new(seq, time, report, record)
                          : report.reference.empty() || report.reference == trade.trade_id ? apply_to_itself(seq, time, report, record)
                                                                                           : apply_correction(seq, time, report, record);
  const bool nameable = valid_name(trade.instrument) && (report.currency.empty() || valid_name(report.currency));
  if (applied.outcome == Outcome::kUnknownInstrument && report.park && nameable) return {park(seq, report)};
  return applied;
}

Applied ReportDesk::apply_new(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record) {
  if (state_.find_link(report.trade.source, report.trade.trade_id) != kNoId) return {Outcome::kConflict};
  Trade trade = report.trade;
  trade.version = 1;
  record = state_.find_trade(trade.source, trade.trade_id);
  if (record == kNoId) return enter(seq, time, report, trade, record);
  // The trade of a correction that overtook this report: now its id is known for the first of the chain.
  const std::uint32_t chain = state_.find_chain(record);
  if (chain != kNoId && state_.chains[chain].provisional) state_.chains.write(chain).provisional = false;
  return trades_.apply(seq, time, trade, trades_.look_up(trade), record);
}

// A report that names no other: a further version of the trade it names.
Applied ReportDesk::apply_to_itself(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record) {
  Trade trade = report.trade;
  trade.version = 2;
  record = find(trade.source, trade.trade_id);
  std::string key;
  if (record != kNoId) {
    const TradeRecord& known = state_.trades[record];
    if (known.content == TradeBook::content_of(trade)) return {Outcome::kDuplicate, known.version_seq};
    trade.version = known.version + 1;
    key = state_.trade_id_of(known);
    trade.trade_id = key;
  }
  return enter(seq, time, report, trade, record);
}

Applied ReportDesk::apply_correction(Seq seq, Nanos time, const TradeReport& report, std::uint32_t& record) {
  Trade trade = report.trade;
  if (const std::uint32_t known = state_.find_link(trade.source, trade.trade_id); known != kNoId) {
    const LinkRecord& link = state_.links[known];
    record = link.trade;
    return link.content == TradeBook::content_of(trade) ? Applied{Outcome::kDuplicate, link.seq} : Applied{Outcome::kConflict};
  }
  if (const std::uint32_t known = state_.find_trade(trade.source, trade.trade_id); known != kNoId) {
    record = known;
    return take_root(seq, report, known);
  }
  if (!state_.trade_text.has_room(trade.trade_id.size())) return {Outcome::kTooMany};
  record = find(trade.source, report.reference);
  const bool overtakes = record == kNoId;
  std::string key(report.reference);
  trade.version = 2;
  if (!overtakes) {
    key = state_.trade_id_of(state_.trades[record]);
    trade.version = state_.trades[record].version + 1;
  }
  trade.trade_id = key;
  const std::uint32_t version = trade.version;
  const Applied applied = enter(seq, time, report, trade, record);
  if (!taken(applied.outcome)) return applied;
  chain_of(record, overtakes);
  add_link(report, record, version, seq);
  return applied;
}

// The report's id is the key of a trade: a later link of the chain came first and took this report for the first of all.
Applied ReportDesk::take_root(Seq seq, const TradeReport& report, std::uint32_t provisional) {
  const std::uint32_t chain = state_.find_chain(provisional);
  if (chain == kNoId || !state_.chains[chain].provisional) return {Outcome::kConflict};
  std::uint32_t into = state_.find_trade(report.trade.source, report.reference);
  const std::uint32_t link = into == kNoId ? state_.find_link(report.trade.source, report.reference) : kNoId;
  if (link != kNoId) into = state_.links[link].trade;
  if (into == provisional) return {Outcome::kConflict};  // a circle
  const std::uint32_t base = link != kNoId ? state_.links[link].version : 1;
  const std::uint32_t version = state_.trades[provisional].version;
  if (version > std::numeric_limits<std::uint32_t>::max() - base) return {Outcome::kInvalidVersion};
  if (!state_.trade_text.has_room(report.trade.trade_id.size())) return {Outcome::kTooMany};
  if (into == kNoId) {
    if (const Outcome renamed = trades_.rename(provisional, report.reference, base); renamed != Outcome::kAccepted) return {renamed};
    move_links(chain, provisional, base);
    add_link(report, provisional, base + 1, seq);
    return {Outcome::kStale};
  }
  if (const Outcome merged = trades_.merge(into, provisional, version + base); merged != Outcome::kAccepted) return {merged};
  chain_of(into, false);
  move_links(chain, into, base);
  state_.chains.write(chain).provisional = false;
  add_link(report, into, base + 1, seq);
  return {Outcome::kStale};
}

Applied ReportDesk::enter(Seq seq, Nanos time, const TradeReport& report, Trade trade, std::uint32_t& record) {
  if (trade.action != Action::kCancel) {
    if (const Outcome wrong = contradiction(report); wrong != Outcome::kNone) return {wrong};
  }
  return trades_.apply(seq, time, trade, trades_.look_up(trade), record);
}

// What the report says of the book and the instrument beside their names; names that are not known are refused by the trade's own rules.
Outcome ReportDesk::contradiction(const TradeReport& report) const {
  const Catalog& catalog = state_.catalog;
  if (!report.desk.empty()) {
    const std::uint32_t book = catalog.find_node(NodeKind::kBook, report.trade.book);
    if (book != kNoId && catalog.name_of(catalog.nodes[book].parent) != report.desk) return Outcome::kWrongDesk;
  }
  if (!report.currency.empty()) {
    const std::uint32_t id = catalog.find_instrument(report.trade.instrument);
    if (id != kNoId && catalog.instruments[id].kind != InstrumentKind::kFxPair &&
        catalog.text[catalog.currencies[catalog.instruments[id].currency].code] != report.currency) {
      return Outcome::kWrongCurrency;
    }
  }
  return Outcome::kNone;
}

std::uint32_t ReportDesk::find(std::string_view source, std::string_view id) const {
  const std::uint32_t trade = state_.find_trade(source, id);
  if (trade != kNoId) return trade;
  const std::uint32_t link = state_.find_link(source, id);
  return link == kNoId ? kNoId : state_.links[link].trade;
}

std::uint32_t ReportDesk::chain_of(std::uint32_t trade, bool provisional) {
  std::uint32_t chain = state_.find_chain(trade);
  if (chain != kNoId) return chain;
  chain = static_cast<std::uint32_t>(state_.chains.size());
  state_.chains.push_back({trade, kNoId, provisional});
  state_.chain_index.insert(hash_ids(trade, 0), chain);
  return chain;
}

void ReportDesk::add_link(const TradeReport& report, std::uint32_t trade, std::uint32_t version, Seq seq) {
  ChainRecord& chain = state_.chains.write(state_.find_chain(trade));
  const auto id = static_cast<std::uint32_t>(state_.links.size());
  state_.links.push_back({state_.trade_text.add(report.trade.trade_id), state_.trades[trade].source, trade, version, chain.newest_link,
                          TradeBook::content_of(report.trade), seq});
  state_.link_index.insert(State::trade_hash(report.trade.source, report.trade.trade_id), id);
  chain.newest_link = id;
}

// The links of a chain are further from the first report than was thought, and may be those of another trade.
void ReportDesk::move_links(std::uint32_t from_chain, std::uint32_t to_trade, std::uint32_t versions) {
  const bool elsewhere = state_.chains[from_chain].trade != to_trade;
  ChainRecord& to = state_.chains.write(state_.find_chain(to_trade));
  std::uint32_t id = state_.chains[from_chain].newest_link;
  while (id != kNoId) {
    LinkRecord& link = state_.links.write(id);
    link.trade = to_trade;
    link.version += versions;
    const std::uint32_t next = link.next_of_trade;
    if (elsewhere) {
      link.next_of_trade = to.newest_link;
      to.newest_link = id;
    }
    id = next;
  }
  if (elsewhere) state_.chains.write(from_chain).newest_link = kNoId;
}

std::uint64_t ReportDesk::content_of(const TradeReport& report) {
  return hash_bytes(report.reference, TradeBook::content_of(report.trade));
}

std::uint32_t ReportDesk::find_parked(std::string_view source, std::string_view id) const {
  if (state_.parked.empty()) return kNoId;
  return state_.parked_index.find(State::trade_hash(source, id), [&](std::uint32_t at) {
    const TradeReport report = report_of(state_.parked[at]);
    return report.trade.source == source && report.trade.trade_id == id;
  });
}

Outcome ReportDesk::park(Seq seq, const TradeReport& report) {
  if (state_.parked.size() >= limits::kMaxParked) return Outcome::kTooMany;
  std::vector<std::byte> record;
  append_record(report, record);
  ParkedRecord parked{};
  parked.seq = seq;
  parked.content = content_of(report);
  parked.size = static_cast<std::uint32_t>(record.size() - kRecordHeaderBytes);
  CHECK(parked.size <= sizeof parked.payload, "a report of %u bytes", parked.size);
  std::copy(record.begin() + kRecordHeaderBytes, record.end(), parked.payload);
  state_.parked_index.insert(State::trade_hash(report.trade.source, report.trade.trade_id),
      static_cast<std::uint32_t>(state_.parked.size()));
  state_.parked.push_back(parked);
  return Outcome::kParked;
}

void ReportDesk::release(Seq seq, Nanos time, std::string_view symbol) {
  if (state_.parked.empty()) return;
  const CowArray<ParkedRecord> waiting = std::move(state_.parked);
  state_.parked = {};
  state_.parked_index = {};
  std::vector<std::size_t> released;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const TradeReport report = report_of(waiting[i]);
    if (report.trade.instrument == symbol) {
      released.push_back(i);
      continue;
    }
    state_.parked_index.insert(State::trade_hash(report.trade.source, report.trade.trade_id),
        static_cast<std::uint32_t>(state_.parked.size()));
    state_.parked.push_back(waiting[i]);
  }
  for (const std::size_t i : released) {
    std::uint32_t record = kNoId;
    const TradeReport report = report_of(waiting[i]);
    const Outcome outcome = apply(seq, time, report, record).outcome;
    if (!is_refused(outcome)) {
      ++state_.parked_released;
      continue;
    }
    ++state_.parked_refused;
    refused_.push_back({std::string(report.trade.source), std::string(report.trade.trade_id), std::string(symbol), outcome});
  }
}

}  // namespace halocline
