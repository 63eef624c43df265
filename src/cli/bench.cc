// A quick look at the latency of a running server, without touching its books: the trades name a book that does not exist,
// so each is journaled, synced, applied and answered, with a refusal. The benches proper are bench/run NAME.
#include <time.h>

#include "base/histogram.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "client/trade_stream.h"

namespace halocline::cli {
namespace {

struct Flags {
  double rate = 1'000, seconds = 5;
};

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_nsec;
}

void sleep_until(std::int64_t ns) {
  const timespec t{ns / 1'000'000'000, ns % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

int run(const Session& session, const Flags& flags) {
  if (const auto reachable = session.connect().status(); !reachable.ok()) return report(reachable.status());
  // Open loop: each trade has a planned time, and its latency counts from there, however late it was sent.
  const auto planned_at = [&, interval = 1e9 / flags.rate](std::int64_t start, std::uint64_t i) {
    return start + static_cast<std::int64_t>(static_cast<double>(i) * interval);
  };
  const auto count = static_cast<std::uint64_t>(flags.rate * flags.seconds);
  std::int64_t start = 0;
  Histogram latency;
  TradeStream::Options options;
  options.give_up_after = std::chrono::seconds(5);
  TradeStream stream(session.server, options, [&](std::span<const StreamAck> acks) {
    const std::int64_t now = now_ns();
    for (const StreamAck& ack : acks) {
      if (ack.token != UINT64_MAX) latency.record(now - planned_at(start, ack.token));
    }
  });
  v1::Trade trade;
  trade.set_source("halocline bench");
  trade.set_version(1);
  trade.set_action(v1::NEW);
  trade.set_book("no such book");
  trade.set_side(v1::BUY);
  trade.set_trade_id("warm-up");
  for (int i = 0; i < 10; ++i) {
    if (const Status sent = stream.submit(trade, UINT64_MAX); !sent.ok()) return report(sent);
    if (const Status answered = stream.flush(std::chrono::seconds(5)); !answered.ok()) return report(answered);
  }

  start = now_ns() + 10'000'000;
  for (std::uint64_t i = 0; i < count; ++i) {
    sleep_until(planned_at(start, i));
    trade.set_trade_id("bench-" + std::to_string(i));
    if (const Status sent = stream.submit(trade, i); !sent.ok()) return report(sent);
  }
  if (const Status closed = stream.close(std::chrono::seconds(10)); !closed.ok()) return report(closed);
  if (session.json) {
    const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1e3; };
    print_json(Json{{"trades", count}, {"rate", flags.rate}, {"p50_us", us(latency.percentile(50))}, {"p99_us", us(latency.percentile(99))},
                    {"p999_us", us(latency.percentile(99.9))}, {"max_us", us(latency.max())}});
    return kDone;
  }
  std::printf("%s trades at %s a second, planned send time to durable answer:\n", count_text(count).c_str(),
              count_text(static_cast<std::uint64_t>(flags.rate)).c_str());
  Table table({{"p50", Table::kRight}, {"p90", Table::kRight}, {"p99", Table::kRight}, {"p99.9", Table::kRight}, {"max", Table::kRight}});
  table.add({duration_text(latency.percentile(50)), duration_text(latency.percentile(90)), duration_text(latency.percentile(99)),
             duration_text(latency.percentile(99.9)), duration_text(latency.max())});
  table.print(stdout);
  return kDone;
}

}  // namespace

void add_bench(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("bench", "measure trade-to-answer latency of a running server; its books are not touched");
  command->footer(
      "Example: halocline bench --rate 10000 --seconds 10\n"
      "The trades are refused (their book does not exist), so they cost journal space but change nothing.\n"
      "The benches of the project are `bench/run NAME` in its source tree.");
  auto flags = std::make_shared<Flags>();
  command->add_option("--rate", flags->rate, "trades a second")->between(1.0, 1e6)->capture_default_str();
  command->add_option("--seconds", flags->seconds, "for so long")->between(0.1, 3'600.0)->capture_default_str();
  add_server_options(*command, session);
  command->callback([flags, &session] { session.action = [flags, &session] { return run(session, *flags); }; });
}

}  // namespace halocline::cli
