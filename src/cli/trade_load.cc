#include "cli/trade_load.h"

#include <unistd.h>

#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "cli/csv.h"
#include "cli/fields.h"
#include "cli/input.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "client/trade_stream.h"

namespace halocline::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxListed = 1'000;  // refused rows shown; the summary counts all

// What became of the rows. The stream's callback and the reading thread share it.
class Tally {
 public:
  explicit Tally(bool json) : json_(json) {}

  void answered(std::span<const StreamAck> acks) {
    std::lock_guard lock(mutex_);
    for (const StreamAck& ack : acks) {
      ++outcomes_[v1::Outcome_Name(ack.outcome)];
      if (is_refusal(ack.outcome)) refuse(ack.token, v1::Outcome_Name(ack.outcome), std::string(ack.detail));
    }
  }
  void bad_row(std::uint64_t line, const std::string& why) {
    std::lock_guard lock(mutex_);
    ++outcomes_["BAD_ROW"];
    refuse(line, "BAD_ROW", why);
  }

  // After all answers are in.
  void print(double seconds, std::uint64_t rows, const StreamCounts& counts) const {
    if (json_) {
      Json json;
      json["rows"] = rows;
      json["outcomes"] = outcomes_;
      json["refused_rows"] = refused_;
      json["refused"] = listed_;
      json["unanswered"] = counts.unanswered;
      json["seconds"] = seconds;
      return print_json(json);
    }
    Table table({{"outcome"}, {"rows", Table::kRight}});
    for (const auto& [outcome, count] : outcomes_) table.add({outcome, count_text(count)});
    if (counts.unanswered > 0) table.add({"(unanswered)", count_text(counts.unanswered)});
    table.print(stdout);
    std::printf("%s rows in %s", count_text(rows).c_str(), duration_text(static_cast<std::int64_t>(seconds * 1e9)).c_str());
    if (rows >= 1'000) std::printf(", %s a second", count_text(static_cast<std::uint64_t>(static_cast<double>(rows) / seconds)).c_str());
    if (counts.breaks > 0) {
      std::printf("; the connection broke %llu times, %s trades were sent again", static_cast<unsigned long long>(counts.breaks),
                  count_text(counts.resent).c_str());
    }
    std::puts("");
  }
  std::uint64_t refused() const { return refused_; }

 private:
  void refuse(std::uint64_t line, const std::string& outcome, const std::string& detail) {
    if (++refused_ > kMaxListed) return;
    if (json_) return listed_.push_back(Json{{"line", line}, {"outcome", outcome}, {"detail", detail}});
    std::fprintf(stderr, "line %llu: %s%s%s\n", static_cast<unsigned long long>(line), outcome.c_str(), detail.empty() ? "" : ": ",
                 detail.c_str());
    if (refused_ == kMaxListed) std::fputs("(further refused rows are counted, not listed)\n", stderr);
  }

  const bool json_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> outcomes_;
  std::uint64_t refused_ = 0;
  Json listed_ = Json::array();
};

// "12,000 sent, 11,000 answered" on a terminal, a few times a second.
class Progress {
 public:
  void show(const StreamCounts& counts, bool last = false) {
    if (!terminal_ || (!last && Clock::now() < next_)) return;
    next_ = Clock::now() + std::chrono::milliseconds(200);
    std::fprintf(stderr, "\r%s sent, %s answered \033[K", count_text(counts.added).c_str(), count_text(counts.answered).c_str());
    if (last) std::fputs("\r\033[K", stderr);
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  Clock::time_point next_ = Clock::now() + std::chrono::milliseconds(500);
};

// The rows of a file, one trade after the other, whatever the format.
class Rows {
 public:
  Rows(std::FILE* file, TradeFormat format) : csv_(file), lines_(file), format_(format) {}

  // Reads the header. A failure means that this is no file of trades.
  Status start() {
    if (format_ == TradeFormat::kJsonLines) return ok_status();
    const Result<bool> any = csv_.next(header_);
    if (!any.ok()) return any.status();
    if (!any.value()) return Status(Code::kInvalidArgument, "the file is empty: expected a header line like source,trade_id,…");
    for (std::size_t i = 0; i < header_.size(); ++i) {
      v1::Trade trade;
      if (Status status = set_field(trade, header_[i], ""); !status.ok()) {
        return Status(status.code(), "header, column " + std::to_string(i + 1) + ": " + status.message());
      }
      if (std::count(header_.begin(), header_.end(), header_[i]) > 1) {
        return Status(Code::kInvalidArgument, "header: column " + header_[i] + " is there twice");
      }
    }
    for (const char* needed : {"source", "trade_id"}) {
      if (std::find(header_.begin(), header_.end(), needed) == header_.end()) {
        return Status(Code::kInvalidArgument, std::string("header: there is no column ") + needed);
      }
    }
    return ok_status();
  }

  // False at the end; a failure when reading cannot go on. `row` says what is wrong with this row alone.
  Result<bool> next(v1::Trade& trade, Status& row) {
    trade.Clear();
    trade.set_version(1);
    trade.set_action(v1::NEW);
    row = ok_status();
    return format_ == TradeFormat::kCsv ? next_csv(trade, row) : next_json(trade, row);
  }
  std::uint64_t line() const { return format_ == TradeFormat::kCsv ? csv_.line() : lines_.line(); }

 private:
  Result<bool> next_csv(v1::Trade& trade, Status& row) {
    const Result<bool> more = csv_.next(fields_);
    if (!more.ok() || !more.value()) return more;
    if (fields_.size() != header_.size()) {
      row = Status(Code::kInvalidArgument, std::to_string(fields_.size()) + " fields, the header has " + std::to_string(header_.size()));
      return true;
    }
    for (std::size_t i = 0; i < fields_.size() && row.ok(); ++i) row = set_field(trade, header_[i], fields_[i]);
    return true;
  }
  Result<bool> next_json(v1::Trade& trade, Status& row) {
    std::string text;
    do {
      const Result<bool> more = lines_.next(text);
      if (!more.ok() || !more.value()) return more;
    } while (text.find_first_not_of(" \t") == std::string::npos);
    const auto pairs = parse_json_fields(text);
    row = pairs.ok() ? ok_status() : pairs.status();
    if (!row.ok()) return true;
    for (const auto& [name, value] : pairs.value()) {
      if (row = set_field(trade, name, value); !row.ok()) break;
    }
    return true;
  }

  CsvReader csv_;
  LineReader lines_;
  const TradeFormat format_;
  std::vector<std::string> header_, fields_;
};

}  // namespace

int load_trades(const Session& session, const std::string& path, TradeFormat format) {
  Result<Input> input = open_input(path);
  if (!input.ok()) return report(input.status());
  const std::string name = path == "-" ? "standard input" : path;
  Rows rows(input.value().get(), format);
  if (const Status started = rows.start(); !started.ok()) return report(Status(started.code(), name + ": " + started.message()));
  if (const auto reachable = session.connect().status(); !reachable.ok()) return report(reachable.status());

  Tally tally(session.json);
  Progress progress;
  StreamOptions options;
  options.give_up_after = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_s * 1'000));
  options.on_break = [said = false](const Status& why) mutable {
    if (!said) std::fprintf(stderr, "halocline: %s; trying again, nothing is lost\n", why.message().c_str());
    said = true;
  };
  TradeStream stream(session.server, options, [&](std::span<const StreamAck> acks) { tally.answered(acks); });
  const Clock::time_point start = Clock::now();
  std::uint64_t count = 0;
  v1::Trade trade;
  Status row, fatal;
  while (true) {
    const Result<bool> more = rows.next(trade, row);
    if (!more.ok()) fatal = Status(more.status().code(), name + ": " + more.status().message());
    if (!more.ok() || !more.value()) break;
    ++count;
    if (row.ok()) {
      row = stream.submit(trade, rows.line());
      if (!row.ok() && row.code() != Code::kInvalidArgument) {
        fatal = row;
        break;
      }
    }
    if (!row.ok()) tally.bad_row(rows.line(), row.message());
    if (count % 1'024 == 0) progress.show(stream.counts());
  }
  Status closed;
  while (true) {
    closed = stream.flush(std::chrono::milliseconds(200));
    if (closed.ok() || !stream.failure().ok()) break;
    progress.show(stream.counts());
  }
  if (closed.ok()) closed = stream.close(std::chrono::seconds(5));
  progress.show(stream.counts(), true);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  tally.print(seconds, count, stream.counts());
  if (!fatal.ok()) return report(fatal);
  if (!closed.ok()) return report(closed);
  return tally.refused() > 0 ? kRefused : kDone;
}

}  // namespace halocline::cli
