// The instant whose books are asked: a seq, or a time, then the books after the last command whose journal time is not later; and of these,
// when asked, what was effective at another time (docs/semantics.md, "Effective at").
#pragma once

#include <optional>
#include <string>

#include "command/command.h"

namespace halocline {

// At most one of the first three is set, and one of the last two; nothing: the books as they are now.
struct AsOf {
  std::optional<Seq> seq;
  std::optional<Nanos> time;
  // As a person writes a time, read by the server: "2026-11-17 10:42 America/New_York", "2026-11-17T10:42:00Z", "-30s" (before now).
  std::optional<std::string> text;
  // The books known at the instant above, of what was done until then. It may be in the future.
  std::optional<Nanos> effective_time = std::nullopt;
  std::optional<std::string> effective_text = std::nullopt;

  bool known_now() const { return !seq && !time && !text; }
  bool effective_now() const { return !effective_time && !effective_text; }
  bool is_now() const { return known_now() && effective_now(); }
};

}  // namespace halocline
