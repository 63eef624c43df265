// What the floor shows: in place on a terminal, a line every two seconds when piped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "halocline/v1/risk.pb.h"

namespace halocline::demo {

struct View {
  double seconds = 0;
  std::uint32_t replay_date = 0;
  std::uint64_t trades_sent = 0, trades_answered = 0, prices_sent = 0;
  double trades_per_second = 0, prices_per_second = 0;
  std::uint64_t accepted = 0, duplicates = 0, stale = 0, conflicts = 0, wrong = 0;
  std::int64_t ack_p50 = 0, ack_p99 = 0;      // ns
  std::vector<v1::Node> top_traders;          // by gross
  std::string past;                           // what the books looked like some seconds ago
  std::vector<std::string> alerts;            // newest last, one line each
  v1::Status server;
  std::string notice;                         // the server is away, …
};

class Screen {
 public:
  // `in_place`: a terminal that understands cursor movements.
  explicit Screen(bool in_place);
  ~Screen();
  void show(const View& view);
  // A line that stays: above the live view, or simply printed.
  void say(const std::string& line);

 private:
  std::string draw(const View& view) const;

  bool in_place_;
  int lines_shown_ = 0;
  double next_line_ = 0;
  std::string past_shown_;
};

// 1234567 as "1,234,567"; "12,345,678.9" gets no decimals.
std::string grouped(const std::string& decimal);
// Nanoseconds as "412 µs" or "1.32 ms".
std::string duration(std::int64_t ns);

}  // namespace halocline::demo
