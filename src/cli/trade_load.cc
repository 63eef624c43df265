#include "cli/trade_load.h"

#include <algorithm>
#include <chrono>

#include "cli/csv.h"
#include "cli/fields.h"
#include "cli/input.h"
#include "cli/tally.h"
#include "client/trade_stream.h"

namespace halocline::cli {
namespace {

using Clock = std::chrono::steady_clock;

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
  options.on_break = say_break_once();
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
    if (!row.ok()) tally.refused(rows.line(), "BAD_ROW", row.message());
    if (count % 1'024 == 0) progress.show(stream.counts());
  }
  const Status closed = close_showing(stream, progress);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  tally.print(seconds, count, stream.counts());
  if (!fatal.ok()) return report(fatal);
  if (!closed.ok()) return report(closed);
  return tally.refused_rows() > 0 ? kRefused : kDone;
}

}  // namespace halocline::cli
