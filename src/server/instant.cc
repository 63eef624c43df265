#include "server/instant.h"

#include <algorithm>
#include <cctype>
#include <string>

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "base/civil_time.h"
#include "engine/queries/typing.h"

namespace halocline {
namespace {

constexpr Nanos kSecond = 1'000'000'000;

Status no_time(std::string_view text, const std::string& why) {
  return Status(Code::kInvalidArgument, "\"" + std::string(text.substr(0, 100)) + "\" is no time: " + why);
}

std::string offset_text(const absl::TimeZone& zone, absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E*S%Ez", time, zone); }

Result<Nanos> in_zone(std::string_view text, Nanos local, const std::string& name) {
  const bool is_name = name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  });
  absl::TimeZone zone;
  if (!is_name || !absl::LoadTimeZone(name, &zone)) {
    return no_time(text, "there is no time zone \"" + name + "\"; zones have names as America/New_York, Europe/London, UTC");
  }
  const Nanos rest = ((local % kSecond) + kSecond) % kSecond;
  const absl::CivilSecond civil = absl::ToCivilSecond(absl::FromUnixSeconds((local - rest) / kSecond), absl::UTCTimeZone());
  const absl::TimeZone::TimeInfo found = zone.At(civil);
  if (found.kind == absl::TimeZone::TimeInfo::SKIPPED) {
    return no_time(text, "the clocks of " + name + " were put forward over it");
  }
  if (found.kind == absl::TimeZone::TimeInfo::REPEATED) {
    return no_time(text, "the clocks of " + name + " showed it twice: write " + offset_text(zone, found.pre) + " or " +
                             offset_text(zone, found.post));
  }
  return absl::ToUnixNanos(found.pre) + rest;
}

// "+05:30" as minutes.
std::optional<int> offset_minutes(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  if (!digit(1) || !digit(2) || !digit(4) || !digit(5)) return std::nullopt;
  const int hours = (text[1] - '0') * 10 + text[2] - '0', minutes = (text[4] - '0') * 10 + text[5] - '0';
  if (hours > 18 || minutes > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

constexpr char kForm[] = "write 2026-11-17 10:42:13.5 and a zone (America/New_York, Z, -05:00; none is UTC), or -30s";

}  // namespace

Result<Nanos> parse_time(std::string_view text, Nanos now) {
  if (text.starts_with('-')) {
    const std::optional<std::int64_t> back = queries::parse_interval(text.substr(1));
    if (!back || *back < 0) return no_time(text, kForm);
    return now - *back;
  }
  const std::size_t space = text.rfind(' ');
  if (space != std::string_view::npos && space + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[space + 1])) != 0) {
    const std::string_view local = text.substr(0, space);
    const std::optional<std::int64_t> ns = local.ends_with('Z') ? std::nullopt : parse_instant(local);
    if (!ns) return no_time(text, kForm);
    return in_zone(text, *ns, std::string(text.substr(space + 1)));
  }
  // A date alone has dashes too, and no colon.
  const std::optional<int> offset = text.size() > 16 ? offset_minutes(text.substr(text.size() - 6)) : std::nullopt;
  const std::optional<std::int64_t> ns = parse_instant(offset ? text.substr(0, text.size() - 6) : text);
  if (!ns) return no_time(text, kForm);
  return *ns - static_cast<Nanos>(offset.value_or(0)) * 60 * kSecond;
}

Result<Instant> instant_of(const AsOf& as_of, Nanos now) {
  if ((as_of.seq ? 1 : 0) + (as_of.time ? 1 : 0) + (as_of.text ? 1 : 0) > 1) {
    return Status(Code::kInvalidArgument, "a seq and a time are given: one of them is the instant");
  }
  if (as_of.effective_time && as_of.effective_text) {
    return Status(Code::kInvalidArgument, "the effective time is given twice, as a number and as a text");
  }
  Instant instant{as_of.seq, as_of.time, as_of.effective_time};
  if (as_of.seq == Seq{0}) return Status(Code::kInvalidArgument, "seqs count from 1");
  if (as_of.text) {
    const Result<Nanos> time = parse_time(*as_of.text, now);
    if (!time.ok()) return time.status();
    instant.time = time.value();
  }
  if (as_of.effective_text) {
    const Result<Nanos> time = parse_time(*as_of.effective_text, now);
    if (!time.ok()) return time.status();
    instant.effective = time.value();
  }
  if (instant.time && *instant.time > now) {
    return Status(Code::kOutOfRange, instant_text(*instant.time) + " is in the future; it is " + instant_text(now));
  }
  return instant;
}

}  // namespace halocline
