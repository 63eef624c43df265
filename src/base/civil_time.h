// Instants (nanoseconds since 1970-01-01 UTC) as calendar text, and cut to calendar units. Pure functions, no time zone, no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace halocline {

// "2026-11-24T10:42:13.123456789Z"; trailing groups of three zeros of the fraction are left out.
std::string instant_text(std::int64_t ns);
// "2026-11-24", "2026-11-24T10:42", "2026-11-24 10:42:13.5Z" (UTC), years 1700 to 2250; nothing for anything else.
std::optional<std::int64_t> parse_instant(std::string_view text);

enum class CalendarUnit : std::uint8_t { kMicrosecond, kMillisecond, kSecond, kMinute, kHour, kDay, kWeek, kMonth, kQuarter, kYear };
// The start of the unit the instant is in; weeks begin on Monday. Before the first instant there is: the first one.
std::int64_t start_of(CalendarUnit unit, std::int64_t ns);
// "second", "day", …
std::optional<CalendarUnit> calendar_unit_from(std::string_view name);
std::string_view calendar_unit_name(CalendarUnit unit);

}  // namespace halocline
