#include "base/civil_time.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <utility>

namespace halocline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Reads exactly `digits` digits from the front.
bool take_number(std::string_view& text, std::size_t digits, int& number) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc() || end != text.data() + digits || text[0] == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

constexpr std::pair<std::string_view, CalendarUnit> kUnits[] = {
    {"microsecond", CalendarUnit::kMicrosecond}, {"millisecond", CalendarUnit::kMillisecond}, {"second", CalendarUnit::kSecond},
    {"minute", CalendarUnit::kMinute},           {"hour", CalendarUnit::kHour},               {"day", CalendarUnit::kDay},
    {"week", CalendarUnit::kWeek},               {"month", CalendarUnit::kMonth},             {"quarter", CalendarUnit::kQuarter},
    {"year", CalendarUnit::kYear},
};

// Toward the past; the first instant when that is beyond the range.
std::int64_t floor_to(std::int64_t ns, std::int64_t unit) {
  const std::int64_t over = ((ns % unit) + unit) % unit;
  std::int64_t start = 0;
  return __builtin_sub_overflow(ns, over, &start) ? std::numeric_limits<std::int64_t>::min() : start;
}

std::int64_t instant_of(std::chrono::sys_days day) {
  const std::int64_t days = day.time_since_epoch().count();
  std::int64_t ns = 0;
  return __builtin_mul_overflow(days, 86'400 * kSecond, &ns) ? std::numeric_limits<std::int64_t>::min() : ns;
}

}  // namespace

std::string instant_text(std::int64_t ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(ns)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const std::int64_t of_day = ((ns % (86'400 * kSecond)) + 86'400 * kSecond) % (86'400 * kSecond);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(of_day / kSecond / 3'600),
                static_cast<int>(of_day / kSecond / 60 % 60), static_cast<int>(of_day / kSecond % 60),
                static_cast<int>(of_day % kSecond));
  std::string out = text;
  for (int group = 0; group < 3 && out.ends_with("000"); ++group) out.resize(out.size() - 3);
  if (out.back() == '.') out.pop_back();
  return out + 'Z';
}

std::optional<std::int64_t> parse_instant(std::string_view text) {
  using namespace std::chrono;
  int parts[3] = {}, clock[3] = {};
  std::int64_t fraction = 0;
  if (!take_number(text, 4, parts[0]) || !take(text, '-') || !take_number(text, 2, parts[1]) || !take(text, '-') ||
      !take_number(text, 2, parts[2])) {
    return std::nullopt;
  }
  const year_month_day date{year(parts[0]), month(static_cast<unsigned>(parts[1])), day(static_cast<unsigned>(parts[2]))};
  if (!date.ok() || parts[0] < 1700 || parts[0] > 2250) return std::nullopt;
  if (take(text, 'T') || take(text, ' ')) {
    if (!take_number(text, 2, clock[0]) || !take(text, ':') || !take_number(text, 2, clock[1])) return std::nullopt;
    if (take(text, ':')) {
      if (!take_number(text, 2, clock[2])) return std::nullopt;
      if (take(text, '.')) {
        std::int64_t unit = kSecond / 10;
        bool any = false;
        for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), unit /= 10, any = true) {
          fraction += (text[0] - '0') * unit;
        }
        if (!any) return std::nullopt;
      }
    }
    take(text, 'Z');
  }
  if (!text.empty() || clock[0] > 23 || clock[1] > 59 || clock[2] > 59) return std::nullopt;
  const auto seconds_of_day = clock[0] * 3'600 + clock[1] * 60 + clock[2];
  return sys_days(date).time_since_epoch().count() * 86'400 * kSecond + seconds_of_day * kSecond + fraction;
}

std::int64_t start_of(CalendarUnit unit, std::int64_t ns) {
  using namespace std::chrono;
  switch (unit) {
    case CalendarUnit::kMicrosecond: return floor_to(ns, 1'000);
    case CalendarUnit::kMillisecond: return floor_to(ns, 1'000'000);
    case CalendarUnit::kSecond: return floor_to(ns, kSecond);
    case CalendarUnit::kMinute: return floor_to(ns, 60 * kSecond);
    case CalendarUnit::kHour: return floor_to(ns, 3'600 * kSecond);
    case CalendarUnit::kDay: return floor_to(ns, 86'400 * kSecond);
    default: break;
  }
  const sys_days today = floor<days>(sys_time<nanoseconds>{nanoseconds(ns)});
  const year_month_day date(today);
  if (unit == CalendarUnit::kWeek) return instant_of(today - (weekday(today) - Monday));
  if (unit == CalendarUnit::kMonth) return instant_of(sys_days(date.year() / date.month() / 1));
  if (unit == CalendarUnit::kYear) return instant_of(sys_days(date.year() / January / 1));
  const unsigned first = (static_cast<unsigned>(date.month()) - 1) / 3 * 3 + 1;
  return instant_of(sys_days(date.year() / month(first) / 1));
}

std::string_view calendar_unit_name(CalendarUnit unit) { return kUnits[static_cast<std::size_t>(unit)].first; }

std::optional<CalendarUnit> calendar_unit_from(std::string_view name) {
  for (const auto& [known, unit] : kUnits) {
    if (known == name) return unit;
  }
  return std::nullopt;
}

}  // namespace halocline
