// The books worked out from a journal alone, as an auditor does it: beside a running server or long after, nothing is modified.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/disk.h"
#include "base/status.h"
#include "command/command.h"

namespace halocline {

struct Recomputed {
  Seq seq = 0;        // of the last command applied
  Nanos time = 0;     // its journal time
  std::string digest;  // state digest at that seq (docs/semantics.md), hexadecimal
};

// Applies the journal's commands up to and including `at`. kNotFound: no journal, or it does not reach `at`; kDataLoss: a place before it
// does not check (`halocline journal verify` lists them); kUnsupported: a command this program does not know; kIo: the disk.
inline constexpr Seq kToTheEnd = std::numeric_limits<Seq>::max();
Result<Recomputed> recompute(Disk& disk, const std::string& directory, Seq at = kToTheEnd);

}  // namespace halocline
