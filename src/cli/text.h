// Numbers, times and durations as people read and write them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/closest.h"
#include "base/decimal.h"

namespace halocline::cli {

// "-1234567.5" → "-1,234,567.5"
std::string with_separators(std::string_view decimal);
inline std::string count_text(std::uint64_t count) { return with_separators(std::to_string(count)); }
// Rounded half to even to so many decimals, with separators: "1,234,567.00". Takes exact decimal text, gives it back if it is none.
std::string rounded(std::string_view decimal, int decimals);
std::string e8_text(std::int64_t e8);      // exact, without separators
std::string percent_text(std::string_view fraction);  // "0.25" → "25.0 %"

// "2026-11-24T10:42:13.123456789Z"; trailing groups of three zeros of the fraction are left out.
std::string time_text(std::int64_t ns);
// "2026-11-24", "2026-11-24T10:42", "2026-11-24 10:42:13.5Z" (UTC), nanoseconds since 1970, or "now".
std::optional<std::int64_t> parse_time(std::string_view text);
// "850 ns", "12.3 us", "4.56 ms", "7.8 s", "3 min 20 s", "2 h 5 min"
std::string duration_text(std::int64_t ns);
// "500ms", "30s", "5m", "2h", "1d", "100us", "0"
std::optional<std::int64_t> parse_duration(std::string_view text);
// "20261124" or "2026-11-24" as 20261124
std::optional<std::uint32_t> parse_date(std::string_view text);
std::string bytes_text(std::uint64_t bytes);  // "12.3 MiB"

// How many columns a UTF-8 text takes, one a code point.
std::size_t width_of(std::string_view text);

}  // namespace halocline::cli
