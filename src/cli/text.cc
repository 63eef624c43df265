#include "cli/text.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "base/civil_time.h"

namespace halocline::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

template <class Number>
std::optional<Number> whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string three_digits(double value, const char* unit) {
  char text[40];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f %s" : value < 100 ? "%.1f %s" : "%.0f %s", value, unit);
  return text;
}

}  // namespace

std::string with_separators(std::string_view decimal) {
  const std::size_t start = !decimal.empty() && (decimal[0] == '-' || decimal[0] == '+') ? 1 : 0;
  const std::size_t point = std::min(decimal.find('.'), decimal.size());
  std::string out(decimal.substr(0, start));
  for (std::size_t i = start; i < point; ++i) {
    if (i != start && (point - i) % 3 == 0) out += ',';
    out += decimal[i];
  }
  return out.append(decimal.substr(point));
}

std::string rounded(std::string_view decimal, int decimals) {
  const std::optional<Int128> value = parse_decimal128(decimal);
  if (!value) return std::string(decimal);
  Int128 unit = 1;
  for (int i = decimals; i < 8; ++i) unit *= 10;
  std::string text = to_decimal(div_round(*value, unit) * unit);
  const std::size_t point = text.find('.');
  if (decimals > 0) {
    const std::size_t have = point == std::string::npos ? 0 : text.size() - point - 1;
    if (point == std::string::npos) text += '.';
    text.append(static_cast<std::size_t>(decimals) - have, '0');
  }
  return with_separators(text);
}

std::string e8_text(std::int64_t e8) { return to_decimal(e8); }

std::string percent_text(std::string_view fraction) {
  const std::optional<Int128> value = parse_decimal128(fraction);
  if (!value) return std::string(fraction);
  return rounded(to_decimal(*value * 100), 1) + " %";
}

std::string time_text(std::int64_t ns) { return instant_text(ns); }

std::optional<std::int64_t> parse_time(std::string_view text) {
  using namespace std::chrono;
  if (text == "now") return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
  if (const std::optional<std::int64_t> ns = whole<std::int64_t>(text)) return ns;
  return parse_instant(text);
}

std::string duration_text(std::int64_t ns) {
  const auto value = static_cast<double>(ns);
  if (ns < 1'000) return std::to_string(ns) + " ns";
  if (ns < 1'000'000) return three_digits(value / 1e3, "us");
  if (ns < kSecond) return three_digits(value / 1e6, "ms");
  if (ns < 60 * kSecond) return three_digits(value / 1e9, "s");
  const std::int64_t seconds = ns / kSecond;
  if (seconds < 3'600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  if (seconds < 86'400) return std::to_string(seconds / 3'600) + " h " + std::to_string(seconds / 60 % 60) + " min";
  return std::to_string(seconds / 86'400) + " d " + std::to_string(seconds / 3'600 % 24) + " h";
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  struct Unit {
    std::string_view name;
    std::int64_t ns;
  };
  constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", kSecond}, {"m", 60 * kSecond},
                             {"h", 3'600 * kSecond}, {"d", 86'400 * kSecond}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::int64_t> number = whole<std::int64_t>(text.substr(0, digits));
  for (const Unit& unit : kUnits) {
    if (!number || text.substr(digits) != unit.name) continue;
    if (*number > INT64_MAX / unit.ns) return std::nullopt;
    return *number * unit.ns;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> parse_date(std::string_view text) {
  std::string digits;
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    digits.append(text.substr(0, 4)).append(text.substr(5, 2)).append(text.substr(8, 2));
  } else {
    digits = text;
  }
  if (digits.size() != 8) return std::nullopt;
  return whole<std::uint32_t>(digits);
}

std::string bytes_text(std::uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1'024 && unit < 4) value /= 1'024, ++unit;
  if (unit == 0) return std::to_string(bytes) + " B";
  return three_digits(value, units[unit]);
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace halocline::cli
