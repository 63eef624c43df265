#include "history/tables/reference.h"

#include <chrono>
#include <optional>
#include <utility>

#include "history/tables/columns.h"

namespace halocline {

using namespace iceberg;

namespace {

enum Column : std::size_t {
  kNumber, kThing, kKind, kName, kFromSeq, kFrom, kFromNs, kToSeq, kTo, kToNs, kCurrent, kDesk, kCurrency, kInstrumentKind, kMultiplier,
  kUnderlying, kSector, kIssuer, kExpiry, kStaleAfterNs,
};

// Days since 1970 of a yyyymmdd that is a date; nothing for 20261131 and the like, which the engine does not look into.
std::optional<std::int32_t> days_of(std::uint32_t date) {
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(date / 10'000)), std::chrono::month(date / 100 % 100),
                                        std::chrono::day(date % 100)};
  if (!day.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days{day}.time_since_epoch().count());
}

}  // namespace

TableDefinition ReferenceVersions::definition() {
  const Type text = primitive(TypeKind::kString), number = primitive(TypeKind::kLong), time = primitive(TypeKind::kTimestamptz);
  TableDefinition table;
  table.name = "reference";
  table.sorted_by = {1};
  table.schema.fields = {
      required(1, "number", number, "of the version, from 0, in the order in which they began"),
      required(2, "thing", number, "number of the first version of the same thing; it stays when the name changes"),
      required(3, "kind", text, "firm, currency, desk, book, trader, counterparty or instrument"), required(4, "name", text),
      required(5, "valid_from_seq", number, "the command that made it so"), required(6, "valid_from", time),
      required(7, "valid_from_ns", number, "the same, nanoseconds since 1970-01-01 UTC"),
      optional(8, "valid_to_seq", number, "the command that ended it; null while it holds"), optional(9, "valid_to", time),
      optional(10, "valid_to_ns", number), required(11, "current", primitive(TypeKind::kBoolean), "whether it holds now"),
      optional(12, "desk", text, "of a book; of a trader that has one"),
      optional(13, "currency", text, "of an instrument; of the firm"),
      optional(14, "instrument_kind", text, "equity, future or fx_pair"), optional(15, "multiplier", decimal(20, 8)),
      optional(16, "underlying", text), optional(17, "sector", text), optional(18, "issuer", text),
      optional(19, "expiry", primitive(TypeKind::kDate)),
      optional(20, "stale_after_ns", number, "a price is stale after so many nanoseconds; 0: never"),
  };
  table.schema.identifier_field_ids = {1};
  return table;
}

std::string ReferenceVersions::key(NodeKind kind, std::string_view name) { return std::string(kind_name(kind)) + ":" + std::string(name); }

void ReferenceVersions::set(Fields fields, Moment at, bool wanted) {
  const std::string name = key(fields.kind, fields.name);
  versions_.set(name, std::move(fields), at, wanted);
}

void ReferenceVersions::take(const Command& command, Moment at, bool wanted) {
  const auto simple = [](NodeKind kind, std::string_view name, std::string_view desk = {}) {
    Fields fields;
    fields.kind = kind, fields.name = name, fields.desk = desk;
    return fields;
  };
  if (const auto* firm = std::get_if<Firm>(&command)) {
    Fields fields = simple(NodeKind::kFirm, firm->name);
    fields.currency = firm->currency;
    set(std::move(fields), at, wanted);
    set(simple(NodeKind::kCurrency, firm->currency), at, wanted);
  } else if (const auto* currency = std::get_if<Currency>(&command)) {
    // Only its rate can change, which is in `prices`.
    if (!versions_.has(key(NodeKind::kCurrency, currency->code))) set(simple(NodeKind::kCurrency, currency->code), at, wanted);
  } else if (const auto* desk = std::get_if<Desk>(&command)) {
    set(simple(NodeKind::kDesk, desk->name), at, wanted);
  } else if (const auto* book = std::get_if<Book>(&command)) {
    set(simple(NodeKind::kBook, book->name, book->desk), at, wanted);
  } else if (const auto* trader = std::get_if<Trader>(&command)) {
    set(simple(NodeKind::kTrader, trader->name, trader->desk), at, wanted);
  } else if (const auto* counterparty = std::get_if<Counterparty>(&command)) {
    set(simple(NodeKind::kCounterparty, counterparty->name), at, wanted);
  } else if (const auto* instrument = std::get_if<Instrument>(&command)) {
    take(*instrument, at, wanted);
  } else if (const auto* rename = std::get_if<Rename>(&command)) {
    take(*rename, at, wanted);
  }
}

void ReferenceVersions::take(const Instrument& instrument, Moment at, bool wanted) {
  Fields fields;
  fields.kind = NodeKind::kInstrument;
  fields.name = instrument.symbol;
  fields.currency = instrument.currency;
  fields.instrument_kind = instrument.kind;
  fields.multiplier = instrument.multiplier;
  fields.underlying = instrument.underlying;
  fields.sector = instrument.sector;
  fields.issuer = instrument.issuer;
  fields.expiry = instrument.expiry;
  fields.stale_after = instrument.stale_after;
  if (fields.underlying.empty()) {  // its own symbol at first, then as it is: docs/semantics.md, "Reference data"
    const Fields* before = versions_.find(key(NodeKind::kInstrument, instrument.symbol));
    fields.underlying = before == nullptr ? fields.name : before->underlying;
  }
  set(std::move(fields), at, wanted);
}

void ReferenceVersions::take(const Rename& rename, Moment at, bool wanted) {
  if (const Fields* before = versions_.find(key(rename.kind, rename.from))) {
    Fields fields = *before;
    fields.name = rename.to;
    versions_.rename(key(rename.kind, rename.from), key(rename.kind, rename.to), std::move(fields), at, wanted);
  }
  const auto edit = [&](Fields& fields) {
    std::string* name = rename.kind == NodeKind::kDesk         ? &fields.desk
                        : rename.kind == NodeKind::kUnderlying ? &fields.underlying
                        : rename.kind == NodeKind::kSector     ? &fields.sector
                                                               : nullptr;
    if (name == nullptr || *name != rename.from) return false;
    *name = rename.to;
    return true;
  };
  versions_.edit_all(edit, at, wanted);
}

Status ReferenceVersions::write_changes(UpsertTable& table) {
  Status first;
  versions_.take([&](const Versions<Fields>::Version& version) {
    if (!first.ok()) return;
    const Fields& fields = version.fields;
    const bool instrument = fields.kind == NodeKind::kInstrument;
    ParquetRows& to = table.row(version.number);
    to.number(kNumber, static_cast<std::int64_t>(version.number));
    to.number(kThing, static_cast<std::int64_t>(version.thing));
    to.text(kKind, kind_name(fields.kind));
    to.text(kName, fields.name);
    put_validity(to, kFromSeq, version.from, version.to);
    put_word(to, kDesk, fields.desk);
    put_word(to, kCurrency, fields.currency);
    put_word(to, kInstrumentKind, instrument ? instrument_kind_name(fields.instrument_kind) : "");
    if (instrument) to.decimal(kMultiplier, fields.multiplier);
    else to.null(kMultiplier);
    put_word(to, kUnderlying, fields.underlying);
    put_word(to, kSector, fields.sector);
    put_word(to, kIssuer, fields.issuer);
    if (const std::optional<std::int32_t> expiry = days_of(fields.expiry)) to.number(kExpiry, *expiry);
    else to.null(kExpiry);
    if (instrument) to.number(kStaleAfterNs, fields.stale_after);
    else to.null(kStaleAfterNs);
    first = table.end_row();
  });
  return first;
}

}  // namespace halocline
