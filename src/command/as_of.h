// The instant whose books are asked: a seq, or a time, then the books after the last command whose journal time is not later.
#pragma once

#include <optional>
#include <string>

#include "command/command.h"

namespace halocline {

// At most one is set; nothing: the books as they are now.
struct AsOf {
  std::optional<Seq> seq;
  std::optional<Nanos> time;
  // As a person writes a time, read by the server: "2026-11-17 10:42 America/New_York", "2026-11-17T10:42:00Z", "-30s" (before now).
  std::optional<std::string> text;

  bool is_now() const { return !seq && !time && !text; }
};

}  // namespace halocline
