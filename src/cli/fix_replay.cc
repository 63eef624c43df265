#include "cli/fix_replay.h"

#include <chrono>
#include <map>
#include <thread>

#include "base/decimal.h"
#include "cli/csv.h"
#include "cli/input.h"
#include "cli/table.h"
#include "cli/tally.h"
#include "cli/text.h"
#include "client/price_stream.h"
#include "client/trade_stream.h"
#include "command/codec.h"

namespace halocline::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kNoMessage = "lines without a message";

void to_proto(const TradeReport& from, v1::TradeReport& to) {
  const Trade& trade = from.trade;
  v1::Trade& out = *to.mutable_trade();
  const auto set = [](std::string* text, std::string_view value) { text->assign(value); };
  set(out.mutable_source(), trade.source), set(out.mutable_trade_id(), trade.trade_id);
  set(out.mutable_book(), trade.book), set(out.mutable_trader(), trade.trader);
  set(out.mutable_counterparty(), trade.counterparty), set(out.mutable_instrument(), trade.instrument);
  out.set_action(static_cast<v1::Action>(trade.action));
  out.set_side(static_cast<v1::Side>(trade.side));
  out.set_quantity_e8(trade.quantity);
  out.set_price_e8(trade.price);
  out.set_fees_e8(trade.fees);
  out.set_trade_time_ns(trade.trade_time);
  set(to.mutable_reference(), from.reference), set(to.mutable_desk(), from.desk), set(to.mutable_currency(), from.currency);
  to.set_park(from.park);
}

// Waits as long as lay between the first message and this one.
class Pace {
 public:
  void wait_for(const fix::Message& message) {
    std::int64_t sent = 0;
    if (!fix::parse_timestamp(fix::value_of(message.fields(), fix::tag::kSendingTime), sent)) return;
    if (first_ == 0) first_ = sent, start_ = Clock::now();
    std::this_thread::sleep_until(start_ + std::chrono::nanoseconds(sent - first_));
  }

 private:
  std::int64_t first_ = 0;
  Clock::time_point start_;
};

class Replay {
 public:
  Replay(const Session& session, FixRules& rules)
      : rules_(rules), tally_(session.json), trades_(session.server, options(session), [this](auto acks) { tally_.answered(acks); }),
        prices_(session.server, options(session), [this](auto acks) { tally_.answered(acks); }) {}

  // A failure is one of the streams'.
  Status take(const fix::Message& message, std::uint64_t line) {
    if (fix::is_admin(message.type())) return passed_over("admin messages");
    const FixRules::Session* session = rules_.of(message);
    if (session == nullptr) return passed_over("of no session");
    ++messages_[std::string(message.type().substr(0, 8))];
    records_.clear();
    const fix::Mapped mapped = session->mapping.map(message, records_);
    if (mapped.fate == fix::Fate::kIgnored) return passed_over("ignored by rule");
    if (mapped.fate == fix::Fate::kRefused) return tally_.refused(line, "REFUSED", why_not(message, mapped)), ok_status();
    if (mapped.fate == fix::Fate::kMalformed) return tally_.refused(line, "MALFORMED", why_not(message, mapped)), ok_status();
    for (std::span<const std::byte> rest(records_); !rest.empty();) {
      const FramedCommand one = first_command(rest);
      rest = rest.subspan(one.bytes);
      if (Status sent = send(one.command, line); !sent.ok()) return sent;
    }
    return ok_status();
  }
  Status passed_over(const std::string& why) {
    ++passed_over_[why];
    return ok_status();
  }
  void damaged(std::uint64_t line) { tally_.refused(line, "NO_MESSAGE", "no row of TAG=VALUE that begins with 8, 9 and 35"); }
  void show_progress() { progress_.show(trades_.counts()); }

  Status close() {
    const Status closed = close_showing(trades_, progress_);
    const Status prices_closed = prices_.close(std::chrono::seconds(30));
    return closed.ok() ? prices_closed : closed;
  }

  void print(bool json, double seconds) const {
    std::uint64_t sum = 0;
    for (const auto& [type, count] : messages_) sum += count;
    StreamCounts counts = trades_.counts();
    counts.unanswered += prices_.counts().unanswered;
    if (json) return tally_.print(seconds, sum, counts, Json{{"messages", messages_}, {"passed_over", passed_over_}});
    Table table({{"messages"}, {"", Table::kRight}});
    for (const auto& [type, count] : messages_) table.add({"MsgType " + type, count_text(count)});
    for (const auto& [why, count] : passed_over_) table.add({"passed over: " + why, count_text(count)});
    table.print(stdout);
    std::puts("");
    tally_.print(seconds, sum, counts);
  }
  // Whether there was anything but lines without a message.
  bool any_message() const { return !messages_.empty() || any_refused() || passed_over_.size() > passed_over_.count(kNoMessage); }
  bool any_refused() const { return tally_.refused_rows() > 0; }

 private:
  static StreamOptions options(const Session& session) {
    StreamOptions options;
    options.give_up_after = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_s * 1'000));
    options.on_break = say_break_once();
    return options;
  }

  Status send(const Command& command, std::uint64_t line) {
    Status sent;
    if (const TradeReport* report = std::get_if<TradeReport>(&command)) {
      to_proto(*report, report_);
      sent = trades_.submit(report_, line);
    } else {
      const Price& price = std::get<Price>(command);
      price_.set_instrument(std::string(price.instrument));
      price_.set_price_e8(price.price);
      price_.set_price_time_ns(price.price_time);
      sent = prices_.publish(price_, line);
    }
    if (sent.code() != Code::kInvalidArgument) return sent;
    tally_.refused(line, "REFUSED", sent.message());
    return ok_status();
  }

  FixRules& rules_;
  Tally tally_;
  Progress progress_;
  TradeStream trades_;
  PriceStream prices_;
  std::map<std::string, std::uint64_t> messages_, passed_over_;
  std::vector<std::byte> records_;
  v1::TradeReport report_;
  v1::Price price_;
};

}  // namespace

int replay_fix(const Session& session, const std::string& path, FixRules& rules, bool real) {
  const Result<Input> input = open_input(path);
  if (!input.ok()) return report(input.status());
  if (const auto reachable = session.connect().status(); !reachable.ok()) return report(reachable.status());
  LineReader lines(input.value().get());
  Replay replay(session, rules);
  Pace pace;
  fix::Message message;
  std::string line, text;
  Status fatal;
  const Clock::time_point start = Clock::now();
  while (fatal.ok()) {
    const Result<bool> more = lines.next(line);
    if (!more.ok()) fatal = Status(more.status().code(), path + ": " + more.status().message());
    if (!more.ok() || !more.value()) break;
    if (!message_in(line, text)) {
      static_cast<void>(replay.passed_over(kNoMessage));
    } else if (!message.parse(text)) {
      replay.damaged(lines.line());
    } else {
      if (real) pace.wait_for(message);
      fatal = replay.take(message, lines.line());
    }
    if (lines.line() % 1'024 == 0) replay.show_progress();
  }
  const Status closed = replay.close();
  if (fatal.ok() && !replay.any_message()) {
    return usage_error((path == "-" ? "standard input" : path) + " holds no FIX message (8=FIX…)");
  }
  replay.print(session.json, std::chrono::duration<double>(Clock::now() - start).count());
  if (!fatal.ok()) return report(fatal);
  if (!closed.ok()) return report(closed);
  return replay.any_refused() ? kRefused : kDone;
}

}  // namespace halocline::cli
