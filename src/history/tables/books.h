// The books as the history sees them: each command of the journal applied in order, and what it came to. The journal holds
// commands, not outcomes; this is where they come from. server/ gives it an engine.
//
// One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "command/alert.h"
#include "command/changes.h"
#include "command/command.h"
#include "command/outcome.h"

namespace halocline {

class Books {
 public:
  struct Effect {
    Outcome outcome = Outcome::kNone;
    Seq first_seq = 0;  // for DUPLICATE
  };

  // What the command at a place came to, and the alert events it brought about.
  using Told = std::function<void(std::size_t place, const Effect& effect, std::span<const AlertEvent> events)>;

  virtual ~Books() = default;

  // The next commands, of seqs `first` and on, all of one time; each is told before the next one is applied.
  virtual void apply(Seq first, Nanos time, std::span<const Command> commands, const Told& told) = 0;
  // Of the books behind the last command that was told, each visits the rows that changed since its last call, or since the beginning.
  // Heavy when much has.
  virtual void changed_trades(const TradeVisitor& visit) = 0;
  virtual void changed_positions(const PositionVisitor& visit) = 0;
  virtual void changed_nodes(const NodeVisitor& visit) = 0;
  // State digest after the last command (docs/semantics.md), hexadecimal.
  virtual std::string digest() = 0;
};

}  // namespace halocline
