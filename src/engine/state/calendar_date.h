// Dates as yyyymmdd numbers.
#pragma once

#include <cstdint>

namespace halocline {

// Whether it is a day of the Gregorian calendar between 1900-01-01 and 9999-12-31.
constexpr bool valid_date(std::uint32_t date) {
  const std::uint32_t year = date / 10'000, month = date / 100 % 100, day = date % 100;
  if (year < 1900 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const std::uint32_t days = month == 2 ? (leap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11) ? 30 : 31;
  return day <= days;
}

}  // namespace halocline
