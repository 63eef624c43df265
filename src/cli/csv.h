// CSV as in RFC 4180: quoted fields with "" for a quote, separators and line ends inside quotes, CRLF or LF. Blank lines are
// skipped. A record is at most kMaxRecord bytes, so a file that is no CSV ends in an error and not in the memory.
//
//   CsvReader csv(stdin);
//   std::vector<std::string> fields;
//   while (true) {
//     Result<bool> more = csv.next(fields);
//     if (!more.ok()) …              // kInvalidArgument, "line 7: …"
//     if (!more.value()) break;
//     use(csv.line(), fields);
//   }
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "base/status.h"

namespace halocline::cli {

inline constexpr std::size_t kMaxRecord = 64 << 10;

// Reads a file a line at a time, bounded; lines end with LF (taken off, with a CR before it).
class LineReader {
 public:
  explicit LineReader(std::FILE* file) : file_(file) {}  // not owned
  // False at the end. kInvalidArgument for a line over kMaxRecord, kIo when reading failed.
  Result<bool> next(std::string& line);
  std::uint64_t line() const { return line_; }  // of the last one, from 1

 private:
  std::FILE* file_;
  std::uint64_t line_ = 0;
};

class CsvReader {
 public:
  explicit CsvReader(std::FILE* file) : lines_(file) {}
  // The next record; false at the end.
  Result<bool> next(std::vector<std::string>& fields);
  std::uint64_t line() const { return first_line_; }  // where the last record began

 private:
  LineReader lines_;
  std::string text_;
  std::uint64_t first_line_ = 0;
};

}  // namespace halocline::cli
