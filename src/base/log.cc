#include "base/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/quoted.h"

namespace halocline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// How many lines of a kind there were in the current second, and how many were held back since the last one written.
struct Kind {
  std::string event;
  std::int64_t second = 0;
  std::uint64_t written = 0;
  std::uint64_t suppressed = 0;
};

struct Log {
  std::mutex mutex;
  std::array<Kind, kLogKinds> kinds;
  std::size_t used = 0;
  LogWriter writer = nullptr;
};

Log& the_log() {
  static Log* log = new Log;  // outlives every thread that may still log
  return *log;
}

std::atomic<LogLevel> least_level{LogLevel::kInfo};
std::atomic<LogFormat> line_format{LogFormat::kText};

Kind& kind_of(Log& log, std::string_view event) {
  for (std::size_t i = 0; i < log.used; ++i) {
    if (log.kinds[i].event == event) return log.kinds[i];
  }
  if (log.used == kLogKinds) return log.kinds.back();
  log.kinds[log.used].event = event;
  return log.kinds[log.used++];
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
  }
  return "";
}

bool plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7f) return false;
  }
  return !text.empty();
}

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_value(std::string& out, const LogField& field, bool json) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    if (json || !plain(*text)) return append_quoted(out, *text);
    out += *text;
  } else if (const auto* flag = std::get_if<bool>(&field.value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.6g", *real);
    const bool finite = *real - *real == 0;
    out += finite ? digits : json ? "null" : digits;
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    append_number(out, *number);
  } else {
    append_number(out, std::get<std::uint64_t>(field.value));
  }
}

void write_all(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nowhere left to say it
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string utc_text(std::int64_t wall) {
  std::int64_t seconds = wall / kSecond, rest = wall % kSecond;
  if (rest < 0) rest += kSecond, --seconds;
  const std::time_t at = seconds;
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%06dZ", static_cast<int>(rest / 1'000));
  return text;
}

std::string format_log_line(LogFormat format, std::int64_t time, LogLevel level, std::string_view event,
                            std::initializer_list<LogField> fields, std::uint64_t suppressed) {
  const bool json = format == LogFormat::kJson;
  std::string line;
  line.reserve(160);
  const auto add = [&](const LogField& field) {
    line += json ? "," : " ";
    if (json) {
      append_quoted(line, field.key);
      line += ':';
    } else {
      line += field.key;
      line += '=';
    }
    append_value(line, field, json);
  };
  line += json ? "{\"time\":\"" : "";
  line += utc_text(time);
  line += json ? "\",\"level\":\"" : " ";
  line += level_name(level);
  line += json ? "\",\"event\":" : " ";
  if (json) {
    append_quoted(line, event);
  } else {
    line += event;
  }
  for (const LogField& field : fields) add(field);
  if (suppressed != 0) add({"suppressed", suppressed});
  if (json) line += '}';
  return line;
}

void log_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  const std::int64_t now = SystemClock().wall();
  Log& log = the_log();
  std::lock_guard lock(log.mutex);
  Kind& kind = kind_of(log, event);
  if (kind.second != now / kSecond) {
    kind.second = now / kSecond;
    kind.written = 0;
  }
  if (kind.written == kLogLinesPerSecond) {
    ++kind.suppressed;
    return;
  }
  ++kind.written;
  std::string line = format_log_line(line_format.load(std::memory_order_relaxed), now, level, event, fields,
                                     std::exchange(kind.suppressed, 0));
  line += '\n';
  if (log.writer != nullptr) {
    log.writer(line);
  } else {
    write_all(line);
  }
}

void set_log_level(LogLevel least) { least_level.store(least); }
void set_log_format(LogFormat format) { line_format.store(format); }
void set_log_writer(LogWriter writer) {
  std::lock_guard lock(the_log().mutex);
  the_log().writer = writer;
}

}  // namespace halocline
