// `reference`: every version of the firm and each currency, desk, book, trader, counterparty and instrument, with the time in which it
// held. docs/formats/tables.md has the columns. One thread.
#pragma once

#include <string>

#include "base/status.h"
#include "command/command.h"
#include "history/tables/upsert_table.h"
#include "history/tables/versions.h"

namespace halocline {

class ReferenceVersions {
 public:
  static TableDefinition definition();

  // An accepted command; only those of reference data count. `wanted`: the table does not have it yet.
  void take(const Command& command, Moment at, bool wanted);
  Status write_changes(UpsertTable& table);

 private:
  struct Fields {
    NodeKind kind{};
    std::string name;
    std::string desk;      // of a book or trader
    std::string currency;  // of an instrument; of the firm
    InstrumentKind instrument_kind{};  // of an instrument, and what follows
    std::int64_t multiplier = 0;
    std::string underlying, sector, issuer;
    std::uint32_t expiry = 0;
    std::int64_t stale_after = 0;
  };
  static std::string key(NodeKind kind, std::string_view name);
  void set(Fields fields, Moment at, bool wanted);
  void take(const Instrument& instrument, Moment at, bool wanted);
  void take(const Rename& rename, Moment at, bool wanted);

  Versions<Fields> versions_;
};

}  // namespace halocline
