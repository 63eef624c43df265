// `limits`: every version of every limit, with the time in which it held. docs/formats/tables.md has the columns. One thread.
#pragma once

#include <string>

#include "base/status.h"
#include "command/command.h"
#include "history/tables/upsert_table.h"
#include "history/tables/versions.h"

namespace halocline {

class LimitVersions {
 public:
  static TableDefinition definition();

  // An accepted command; only those that concern a limit count. `wanted`: the table does not have it yet.
  void take(const Command& command, Moment at, bool wanted);
  Status write_changes(UpsertTable& table);

 private:
  struct Fields {
    std::string name, node, owner;
    NodeKind kind{};
    Measure measure{};
    Int128 warn = 0, breach = 0;
    std::int64_t hysteresis = 0, escalate_after = 0;
    bool hard = false;
  };
  Versions<Fields> versions_;
};

}  // namespace halocline
