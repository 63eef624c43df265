// The instant that an AsOf means: times as people write them, with the names of time zones, become exact ones. Reads the time zones of the
// system (the tz database of IANA), by Abseil.
#pragma once

#include <optional>
#include <string_view>

#include "base/status.h"
#include "command/as_of.h"

namespace halocline {

// One of the first two, or neither: now.
struct Instant {
  std::optional<Seq> seq;
  std::optional<Nanos> time;
  std::optional<Nanos> effective = std::nullopt;

  bool is_now() const { return !seq && !time; }
};

// `now` is what the clock says. kInvalidArgument: more than one is given, or the text means no instant, or two; kOutOfRange: the time as of
// which the books are asked is in the future.
Result<Instant> instant_of(const AsOf& as_of, Nanos now);

// "2026-11-17 10:42:13.5" and a space and a time zone's name ("America/New_York"), Z, an offset ("-05:00"), or nothing for UTC; or
// "-30s", "-2 hours": so long before `now`. kInvalidArgument for anything else, for an unknown zone, and for a local time that the zone's
// clocks showed twice or left out.
Result<Nanos> parse_time(std::string_view text, Nanos now);

}  // namespace halocline
