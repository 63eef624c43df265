#include "cli/tally.h"

#include <unistd.h>

#include "cli/session.h"
#include "cli/table.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

constexpr std::size_t kMaxListed = 1'000;  // refused rows shown; the summary counts all

}  // namespace

void Tally::answered(std::span<const StreamAck> acks) {
  std::lock_guard lock(mutex_);
  for (const StreamAck& ack : acks) {
    ++outcomes_[v1::Outcome_Name(ack.outcome)];
    if (is_refusal(ack.outcome)) list(ack.token, v1::Outcome_Name(ack.outcome), std::string(ack.detail));
  }
}

void Tally::refused(std::uint64_t line, const std::string& outcome, const std::string& why) {
  std::lock_guard lock(mutex_);
  ++outcomes_[outcome];
  list(line, outcome, why);
}

void Tally::print(double seconds, std::uint64_t rows, const StreamCounts& counts, const Json& more) const {
  if (json_) {
    Json json;
    json["rows"] = rows;
    json.update(more);
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

void Tally::list(std::uint64_t line, const std::string& outcome, const std::string& detail) {
  if (++refused_ > kMaxListed) return;
  if (json_) return listed_.push_back(Json{{"line", line}, {"outcome", outcome}, {"detail", detail}});
  std::fprintf(stderr, "line %llu: %s%s%s\n", static_cast<unsigned long long>(line), outcome.c_str(), detail.empty() ? "" : ": ",
               detail.c_str());
  if (refused_ == kMaxListed) std::fputs("(further refused rows are counted, not listed)\n", stderr);
}

Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) != 0), next_(std::chrono::steady_clock::now() + std::chrono::milliseconds(500)) {}

void Progress::show(const StreamCounts& counts, bool last) {
  if (!terminal_ || (!last && std::chrono::steady_clock::now() < next_)) return;
  next_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  std::fprintf(stderr, "\r%s sent, %s answered \033[K", count_text(counts.added).c_str(), count_text(counts.answered).c_str());
  if (last) std::fputs("\r\033[K", stderr);
}

std::function<void(const Status&)> say_break_once() {
  return [said = false](const Status& why) mutable {
    if (!said) std::fprintf(stderr, "halocline: %s; trying again, nothing is lost\n", why.message().c_str());
    said = true;
  };
}

Status close_showing(TradeStream& stream, Progress& progress) {
  Status closed;
  while (true) {
    closed = stream.flush(std::chrono::milliseconds(200));
    if (closed.ok() || !stream.failure().ok()) break;
    progress.show(stream.counts());
  }
  if (closed.ok()) closed = stream.close(std::chrono::seconds(5));
  progress.show(stream.counts(), true);
  return closed;
}

}  // namespace halocline::cli
