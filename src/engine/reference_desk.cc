#include "engine/reference_desk.h"

#include "engine/state/calendar_date.h"

namespace halocline {
namespace {

bool valid_or_empty(std::string_view name) { return name.empty() || valid_name(name); }

}  // namespace

std::uint32_t ReferenceDesk::add_node(NodeKind kind, std::string_view name, std::uint32_t parent, std::uint32_t of) {
  const std::uint32_t node = state_.catalog.add_node(kind, name, parent, of);
  exposure_.node_added(node);
  limits_.node_added(node);
  return node;
}

std::uint32_t ReferenceDesk::add_currency(std::string_view code, std::int64_t rate) {
  const auto id = static_cast<std::uint32_t>(state_.catalog.currencies.size());
  const std::uint32_t node = add_node(NodeKind::kCurrency, code, kNoId, id);
  state_.catalog.currencies.push_back({state_.catalog.nodes[node].name, rate, 0, node});
  exposure_.currency_added(id);
  return id;
}

Outcome ReferenceDesk::apply(const Firm& firm) {
  if (!valid_name(firm.name) || !valid_name(firm.currency)) return Outcome::kInvalidName;
  Catalog& catalog = state_.catalog;
  if (catalog.has_firm()) {
    const bool same = catalog.name_of(0) == firm.name &&
                      catalog.text[catalog.currencies[catalog.firm_currency].code] == firm.currency;
    return same ? Outcome::kUnchanged : Outcome::kAlreadySet;
  }
  add_node(NodeKind::kFirm, firm.name, kNoId, kNoId);
  catalog.firm_currency = add_currency(firm.currency, limits::kScale);
  return Outcome::kAccepted;
}

Outcome ReferenceDesk::apply(const Currency& currency) {
  if (!valid_name(currency.code)) return Outcome::kInvalidName;
  const std::uint32_t id = state_.catalog.find_currency(currency.code);
  if (!prices_.valid_rate(id, currency.rate)) return Outcome::kInvalidRate;
  if (id != kNoId) return prices_.set_rate(id, currency.rate) ? Outcome::kAccepted : Outcome::kUnchanged;
  if (state_.catalog.currencies.size() >= limits::kMaxCurrencies || !state_.catalog.can_add_nodes(1)) return Outcome::kTooMany;
  add_currency(currency.code, currency.rate);
  return Outcome::kAccepted;
}

Outcome ReferenceDesk::apply(const Desk& desk) {
  if (!valid_name(desk.name)) return Outcome::kInvalidName;
  if (state_.catalog.find_node(NodeKind::kDesk, desk.name) != kNoId) return Outcome::kUnchanged;
  if (!state_.catalog.can_add_nodes(1)) return Outcome::kTooMany;
  add_node(NodeKind::kDesk, desk.name, kNoId, kNoId);
  return Outcome::kAccepted;
}

Outcome ReferenceDesk::apply(const Book& book) {
  if (!valid_name(book.name)) return Outcome::kInvalidName;
  const std::uint32_t desk = state_.catalog.find_node(NodeKind::kDesk, book.desk);
  if (desk == kNoId) return Outcome::kUnknownDesk;
  const std::uint32_t id = state_.catalog.find_node(NodeKind::kBook, book.name);
  if (id == kNoId) {
    if (!state_.catalog.can_add_nodes(1)) return Outcome::kTooMany;
    add_node(NodeKind::kBook, book.name, desk, kNoId);
    return Outcome::kAccepted;
  }
  const std::uint32_t from = state_.catalog.nodes[id].parent;
  if (from == desk) return Outcome::kUnchanged;
  if (!trades_.move_book(id, from, desk)) return Outcome::kOutOfRange;
  state_.catalog.nodes.write(id).parent = desk;
  return Outcome::kAccepted;
}

Outcome ReferenceDesk::apply(const Trader& trader) {
  if (!valid_name(trader.name)) return Outcome::kInvalidName;
  const std::uint32_t desk = trader.desk.empty() ? kNoId : state_.catalog.find_node(NodeKind::kDesk, trader.desk);
  if (desk == kNoId && !trader.desk.empty()) return Outcome::kUnknownDesk;
  const std::uint32_t id = state_.catalog.find_node(NodeKind::kTrader, trader.name);
  if (id == kNoId) {
    if (!state_.catalog.can_add_nodes(1)) return Outcome::kTooMany;
    add_node(NodeKind::kTrader, trader.name, desk, kNoId);
    return Outcome::kAccepted;
  }
  if (state_.catalog.nodes[id].parent == desk) return Outcome::kUnchanged;
  state_.catalog.nodes.write(id).parent = desk;
  return Outcome::kAccepted;
}

Outcome ReferenceDesk::apply(const Counterparty& counterparty) {
  if (!valid_name(counterparty.name)) return Outcome::kInvalidName;
  if (state_.catalog.find_node(NodeKind::kCounterparty, counterparty.name) != kNoId) return Outcome::kUnchanged;
  if (!state_.catalog.can_add_nodes(1)) return Outcome::kTooMany;
  add_node(NodeKind::kCounterparty, counterparty.name, kNoId, kNoId);
  return Outcome::kAccepted;
}

Outcome ReferenceDesk::apply(const Instrument& instrument) {
  if (!valid_name(instrument.symbol) || !valid_or_empty(instrument.underlying) || !valid_or_empty(instrument.sector) ||
      !valid_or_empty(instrument.issuer)) {
    return Outcome::kInvalidName;
  }
  const std::uint32_t currency = state_.catalog.find_currency(instrument.currency);
  if (currency == kNoId) return Outcome::kUnknownCurrency;
  if (instrument.kind < InstrumentKind::kEquity || instrument.kind > InstrumentKind::kFxPair || instrument.multiplier <= 0 ||
      instrument.multiplier > limits::kMaxMultiplier || instrument.stale_after < 0 ||
      (instrument.expiry != 0 && !valid_date(instrument.expiry))) {
    return Outcome::kOutOfRange;
  }
  const std::uint32_t id = state_.catalog.find_instrument(instrument.symbol);
  return id == kNoId ? add_instrument(instrument, currency) : change_instrument(id, instrument, currency);
}

Outcome ReferenceDesk::add_instrument(const Instrument& instrument, std::uint32_t currency) {
  Catalog& catalog = state_.catalog;
  if (catalog.instruments.size() >= limits::kMaxInstruments || !catalog.can_add_nodes(3)) return Outcome::kTooMany;
  const auto id = static_cast<std::uint32_t>(catalog.instruments.size());
  InstrumentRecord record{};
  record.kind = instrument.kind;
  record.currency = currency;
  record.multiplier = instrument.multiplier;
  record.expiry = instrument.expiry;
  record.stale_after = instrument.stale_after;
  record.issuer = catalog.text.add(instrument.issuer);
  record.node = add_node(NodeKind::kInstrument, instrument.symbol, kNoId, id);
  record.symbol = catalog.nodes[record.node].name;
  record.underlying_node =
      named_node(NodeKind::kUnderlying, instrument.underlying.empty() ? instrument.symbol : instrument.underlying);
  record.sector_node = instrument.sector.empty() ? kNoId : named_node(NodeKind::kSector, instrument.sector);
  catalog.instruments.push_back(record);
  exposure_.instrument_added(id);
  prices_.instrument_added(id);
  return Outcome::kAccepted;
}

Outcome ReferenceDesk::change_instrument(std::uint32_t id, const Instrument& instrument, std::uint32_t currency) {
  Catalog& catalog = state_.catalog;
  const InstrumentRecord before = catalog.instruments[id];
  const bool core_changes =
      before.kind != instrument.kind || before.currency != currency || before.multiplier != instrument.multiplier;
  if (core_changes && before.mark_source != MarkSource::kNone) return Outcome::kImmutableField;
  const bool keeps_underlying =
      instrument.underlying.empty() || catalog.name_of(before.underlying_node) == instrument.underlying;
  const bool keeps_sector = catalog.name_of(before.sector_node) == instrument.sector;
  if (!core_changes && keeps_underlying && keeps_sector && catalog.text[before.issuer] == instrument.issuer &&
      before.expiry == instrument.expiry && before.stale_after == instrument.stale_after) {
    return Outcome::kUnchanged;
  }
  if (!catalog.can_add_nodes(2)) return Outcome::kTooMany;

  const std::uint32_t underlying =
      keeps_underlying ? before.underlying_node : named_node(NodeKind::kUnderlying, instrument.underlying);
  const std::uint32_t sector = keeps_sector          ? before.sector_node
                               : instrument.sector.empty() ? kNoId
                                                           : named_node(NodeKind::kSector, instrument.sector);
  if (!keeps_underlying) move_instrument(id, before.underlying_node, underlying);
  if (!keeps_sector) move_instrument(id, before.sector_node, sector);
  const Text issuer = catalog.text[before.issuer] == instrument.issuer ? before.issuer : catalog.text.add(instrument.issuer);
  InstrumentRecord& record = catalog.instruments.write(id);
  record.kind = instrument.kind;
  record.currency = currency;
  record.multiplier = instrument.multiplier;
  record.expiry = instrument.expiry;
  record.issuer = issuer;
  record.underlying_node = underlying;
  record.sector_node = sector;
  if (record.stale_after != instrument.stale_after) prices_.set_stale_after(id, instrument.stale_after);
  return Outcome::kAccepted;
}

std::uint32_t ReferenceDesk::named_node(NodeKind kind, std::string_view name) {
  const std::uint32_t node = state_.catalog.find_node(kind, name);
  return node != kNoId ? node : add_node(kind, name, kNoId, kNoId);
}

void ReferenceDesk::move_instrument(std::uint32_t id, std::uint32_t from_node, std::uint32_t to_node) {
  exposure_.move_instrument(id, from_node, to_node);
  exposure_.move_day_base(state_.catalog.instruments[id].node, from_node, to_node);
}

Outcome ReferenceDesk::apply(const Rename& rename) {
  if (!valid_name(rename.to)) return Outcome::kInvalidName;
  if (rename.kind < NodeKind::kDesk || rename.kind > NodeKind::kSector) return Outcome::kUnknownName;
  Catalog& catalog = state_.catalog;
  const std::uint32_t node = catalog.find_node(rename.kind, rename.from);
  if (node == kNoId) return Outcome::kUnknownName;
  if (rename.from == rename.to) return Outcome::kUnchanged;
  if (catalog.find_node(rename.kind, rename.to) != kNoId) return Outcome::kNameTaken;
  catalog.rename_node(node, rename.to);
  if (rename.kind == NodeKind::kInstrument) {
    catalog.instruments.write(catalog.nodes[node].of).symbol = catalog.nodes[node].name;
  }
  return Outcome::kAccepted;
}

}  // namespace halocline
