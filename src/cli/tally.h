// What became of the rows of a file that was sent, for people or as JSON: a count by outcome, each refused row with its reason, and how far
// it is while it runs.
//
//   Tally tally(session.json);
//   TradeStream stream(server, options, [&](std::span<const StreamAck> acks) { tally.answered(acks); });   // token: the line
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "cli/json.h"
#include "client/trade_stream.h"

namespace halocline::cli {

// The stream's callback and the reading thread share it.
class Tally {
 public:
  explicit Tally(bool json) : json_(json) {}

  void answered(std::span<const StreamAck> acks);
  // A row that was not sent.
  void refused(std::uint64_t line, const std::string& outcome, const std::string& why);

  // After all answers are in. `more` goes to the JSON object.
  void print(double seconds, std::uint64_t rows, const StreamCounts& counts, const Json& more = Json::object()) const;
  std::uint64_t refused_rows() const { return refused_; }

 private:
  void list(std::uint64_t line, const std::string& outcome, const std::string& detail);

  const bool json_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> outcomes_;
  std::uint64_t refused_ = 0;
  Json listed_ = Json::array();
};

// "12,000 sent, 11,000 answered" on a terminal, a few times a second.
class Progress {
 public:
  Progress();
  void show(const StreamCounts& counts, bool last = false);

 private:
  const bool terminal_;
  std::chrono::steady_clock::time_point next_;
};

// For StreamOptions::on_break: a line on stderr for the first one.
std::function<void(const Status&)> say_break_once();

// Waits for all answers, as long as the stream does not fail, and ends it.
Status close_showing(TradeStream& stream, Progress& progress);

}  // namespace halocline::cli
