#include "demo/screen.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace halocline::demo {
namespace {

constexpr const char* kBold = "\033[1m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kRed = "\033[31;1m";
constexpr const char* kPlain = "\033[0m";

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, args...);
  return text;
}

std::string count(std::uint64_t value) { return grouped(std::to_string(value)); }

// What is in the Iceberg tables; empty of a server that writes none.
std::string history_of(const v1::Status& server) {
  std::map<std::string, std::uint64_t> counters;
  for (const v1::Counter& counter : server.counters()) counters[counter.name()] = counter.value();
  if (!counters.contains("history_seq")) return "";
  const std::uint64_t seq = counters["history_seq"];
  const std::uint64_t behind = server.durable_seq() > seq ? server.durable_seq() - seq : 0;
  return format("history %s rows in %s commits, %s commands behind", count(counters["history_rows"]).c_str(),
                count(counters["history_commits"]).c_str(), count(behind).c_str());
}

}  // namespace

std::string grouped(const std::string& decimal) {
  const std::string whole = decimal.substr(0, decimal.find('.'));
  const std::size_t sign = whole.starts_with('-') ? 1 : 0;
  std::string text = whole;
  for (std::size_t at = text.size(); at > sign + 3;) text.insert(at -= 3, ",");
  return text;
}

std::string duration(std::int64_t ns) {
  return ns < 1'000'000 ? format("%lld µs", static_cast<long long>(ns / 1'000)) : format("%.2f ms", static_cast<double>(ns) / 1e6);
}

Screen::Screen(bool in_place) : in_place_(in_place) {
  if (in_place_) std::fputs("\033[?25l", stdout);
}

Screen::~Screen() {
  if (in_place_) std::fputs("\033[?25h", stdout);
  std::fflush(stdout);
}

std::string Screen::draw(const View& v) const {
  const std::string rule(92, '-');
  std::string out;
  auto line = [&out](const std::string& text) { out += text + "\033[K\n"; };
  line(std::string(kBold) + "Halocline demo floor" + kPlain + kDim +
       format("   200 traders, 6 desks, 40 books, 500 instruments   replaying %04u-%02u-%02u   %.0f s", v.replay_date / 10'000,
              v.replay_date / 100 % 100, v.replay_date % 100, v.seconds) + kPlain);
  line(rule);
  line(format("trades  %8.0f/s   sent %-12s answered %-12s prices %6.0f/s", v.trades_per_second, count(v.trades_sent).c_str(),
              count(v.trades_answered).c_str(), v.prices_per_second));
  line(format("answers accepted %s   duplicate %s   stale %s   conflict %s   unexpected %s", count(v.accepted).c_str(),
              count(v.duplicates).c_str(), count(v.stale).c_str(), count(v.conflicts).c_str(), count(v.wrong).c_str()));
  line(format("latency capture to durable answer   p50 %s   p99 %s", duration(v.ack_p50).c_str(), duration(v.ack_p99).c_str()));
  line(format("journal seq %s   durable %s   %.1f MiB in %llu segments   %s syncs   %s", count(v.server.last_seq()).c_str(),
              count(v.server.durable_seq()).c_str(), static_cast<double>(v.server.journal_bytes()) / (1 << 20),
              static_cast<unsigned long long>(v.server.journal_segments()), count(v.server.journal_syncs()).c_str(),
              v.server.durability().c_str()));
  if (const std::string history = history_of(v.server); !history.empty()) line(history);
  if (!v.past.empty()) line(v.past);
  line(rule);
  line(std::string(kBold) + "top exposures" + kPlain + "        gross USD             net      day P&L");
  const double most = v.top_traders.empty() ? 1 : std::max(1.0, std::atof(v.top_traders.front().gross().c_str()));
  for (const v1::Node& node : v.top_traders) {
    const int bar = static_cast<int>(std::atof(node.gross().c_str()) / most * 36);
    line(format("  %-6s %20s %15s %12s  ", node.name().c_str(), grouped(node.gross()).c_str(), grouped(node.net()).c_str(),
                grouped(node.day_pnl()).c_str()) + std::string(static_cast<std::size_t>(std::max(bar, 0)), '='));
  }
  line(rule);
  line(std::string(kBold) + "alerts" + kPlain + (v.alerts.empty() ? "   none yet" : ""));
  for (const std::string& alert : v.alerts) line("  " + alert);
  if (!v.notice.empty()) line(std::string(kRed) + v.notice + kPlain);
  return out + "\033[J";
}

void Screen::show(const View& view) {
  if (!in_place_) {
    if (view.seconds < next_line_) return;
    next_line_ = view.seconds + 2;
    const std::string history = history_of(view.server);
    std::printf("%5.0f s  %6.0f trades/s  %5.0f prices/s  answered %s  p50 %s  p99 %s  durable seq %s%s%s%s%s\n", view.seconds,
                view.trades_per_second, view.prices_per_second, count(view.trades_answered).c_str(), duration(view.ack_p50).c_str(),
                duration(view.ack_p99).c_str(), count(view.server.durable_seq()).c_str(), history.empty() ? "" : "  ",
                history.c_str(), view.notice.empty() ? "" : "  ", view.notice.c_str());
    if (view.past != past_shown_) std::printf("%s\n", view.past.c_str());
    past_shown_ = view.past;
    std::fflush(stdout);
    return;
  }
  const std::string text = draw(view);
  if (lines_shown_ > 0) std::printf("\033[%dA\r", lines_shown_);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  lines_shown_ = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

void Screen::say(const std::string& line) {
  if (in_place_ && lines_shown_ > 0) std::printf("\033[%dA\r\033[J", lines_shown_);
  lines_shown_ = 0;
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace halocline::demo
