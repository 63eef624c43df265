// Structured log lines: a time, a level, an event, and keys with values. Text for people (the default) or JSON for machines.
//
//   log_line(LogLevel::kInfo, "journal.sealed", {{"segments", 3u}, {"seq", last_seq}});
//   2026-11-24T10:42:13.123456Z info journal.sealed segments=3 seq=1200
//   {"time":"2026-11-24T10:42:13.123456Z","level":"info","event":"journal.sealed","segments":3,"seq":1200}
//
// An event kind gets at most kLogLinesPerSecond lines a second; the next line that comes through says how many did not
// ("suppressed"). So a flood of one kind neither fills a disk nor hides the others. Any thread; a line is one write to stderr.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace halocline {

enum class LogLevel : std::uint8_t { kDebug = 0, kInfo = 1, kWarn = 2, kError = 3 };
enum class LogFormat : std::uint8_t { kText, kJson };

inline constexpr std::uint64_t kLogLinesPerSecond = 20;
inline constexpr std::size_t kLogKinds = 128;  // event kinds counted by themselves; all further ones share a place

// Texts are views: they need to live until log_line returns.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, int v) : key(k), value(std::int64_t{v}) {}
  LogField(std::string_view k, long v) : key(k), value(std::int64_t{v}) {}
  LogField(std::string_view k, unsigned v) : key(k), value(std::uint64_t{v}) {}
  LogField(std::string_view k, unsigned long v) : key(k), value(std::uint64_t{v}) {}
};

// `event` names the kind, "core.started"; a literal.
void log_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

void set_log_level(LogLevel least);
void set_log_format(LogFormat format);
// Lines go there instead of stderr; nullptr brings them back. For tests. Called under the log's lock.
using LogWriter = void (*)(std::string_view line);
void set_log_writer(LogWriter writer);

// The line without its end, for tests and for log_line itself. `time` is wall nanoseconds.
std::string format_log_line(LogFormat format, std::int64_t time, LogLevel level, std::string_view event,
                            std::initializer_list<LogField> fields, std::uint64_t suppressed);

// "2026-11-24T10:42:13.123456Z"
std::string utc_text(std::int64_t wall);

}  // namespace halocline
