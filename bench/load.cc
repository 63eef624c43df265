// Load on a running server, over the client library. Prints one JSON line.
//   bench_load latency SERVER RATE PRICES SECONDS WARMUP [FILE]    open loop: trade sent (as planned) -> alert received
//   bench_load throughput SERVER SECONDS                    as many trades as are acknowledged
//
// Latency: every 100th trade brings an alert (bench/floor_client.h). Everything is sent at its planned time, whatever came back, and
// measured from there: a late sender does not hide a late server (no coordinated omission).
// FILE gets what was acknowledged when: lines of "ns seq", a time of the monotonic clock before any of what came up to seq since the line before.
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "bench/floor_client.h"
#include "client/price_stream.h"
#include "client/trade_stream.h"

namespace {

using namespace halocline;
using bench::fail, bench::fill, bench::now, bench::percentile;

// What was acknowledged when, a line every 50 ms.
class AckLog {
 public:
  explicit AckLog(const char* path) : file_(path == nullptr ? nullptr : std::fopen(path, "w")) {
    if (path != nullptr && file_ == nullptr) fail(std::string("cannot write ") + path);
  }
  ~AckLog() {
    write(0);
    if (file_ != nullptr) std::fclose(file_);
  }
  AckLog(const AckLog&) = delete;
  AckLog& operator=(const AckLog&) = delete;

  void take(std::int64_t at, std::span<const StreamAck> acks) {
    if (since_ == 0) since_ = at;
    if (at - since_ >= 50'000'000) write(at);
    for (const StreamAck& ack : acks) seq_ = std::max(seq_, ack.seq);
  }

 private:
  void write(std::int64_t at) {
    if (file_ != nullptr && seq_ != 0) std::fprintf(file_, "%lld %llu\n", static_cast<long long>(since_), static_cast<unsigned long long>(seq_));
    since_ = at;
  }

  std::FILE* const file_;
  std::int64_t since_ = 0;
  std::uint64_t seq_ = 0;
};

int latency(const std::string& server, int rate, int price_rate, int seconds, int warmup, const char* acks_to) {
  prctl(PR_SET_TIMERSLACK, 1);
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);

  const std::int64_t total = static_cast<std::int64_t>(rate) * (seconds + warmup);
  const std::int64_t first_counted = static_cast<std::int64_t>(rate) * warmup;
  bench::AlertClock alerts(server, 1'000'000'000 / rate, first_counted, total);
  std::vector<std::int64_t> ack_latencies;
  ack_latencies.reserve(static_cast<std::size_t>(total));
  std::atomic<std::uint64_t> refused{0};
  AckLog log(acks_to);
  TradeStream stream(server, {}, [&](std::span<const StreamAck> acks) {
    const std::int64_t at = now();
    log.take(at, acks);
    for (const StreamAck& ack : acks) {
      if (ack.outcome >= v1::CONFLICT) refused.fetch_add(1);
      const auto number = static_cast<std::int64_t>(ack.token);
      if (number >= first_counted) ack_latencies.push_back(at - alerts.planned(number));
    }
  });
  PriceStream prices(server, {}, {});

  v1::Trade message;
  v1::Price price;
  std::string id;
  bench::WatchedTrades trades;
  const std::int64_t start = now() + 200'000'000;
  alerts.start(start);
  std::int64_t next_price = 0;
  const std::int64_t late = bench::open_loop(start, 1'000'000'000 / rate, total, first_counted, [&](std::int64_t i) {
    fill(trades.next(floor, id, i), message);
    if (Status status = stream.submit(message, static_cast<std::uint64_t>(i)); !status.ok()) fail(status.message());
    while (price_rate > 0 && next_price * 1'000'000'000 / price_rate <= alerts.planned(i) - start) {
      const std::uint32_t instrument = 1 + floor.below(499);
      price.set_instrument(floor.instruments[instrument]);
      price.set_price_e8(floor.prices[instrument] + static_cast<std::int64_t>(floor.below(100)) * 1'000'000);
      if (Status status = prices.publish(price, 0); !status.ok()) fail(status.message());
      ++next_price;
    }
  });
  if (Status status = stream.close(std::chrono::seconds(60)); !status.ok()) fail(status.message());
  const double took = static_cast<double>(now() - start) / 1e9;
  (void)prices.close(std::chrono::seconds(10));
  alerts.stop();

  std::sort(ack_latencies.begin(), ack_latencies.end());
  auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1000; };
  std::printf(
      "{%s,\"ack_p50_us\":%.1f,\"ack_p99_us\":%.1f,\"ack_p999_us\":%.1f,\"sent\":%lld,\"trades_per_s\":%.0f,\"seconds\":%.2f,"
      "\"refused\":%llu,\"sender_late_max_us\":%.1f}\n",
      alerts.json().c_str(), us(percentile(ack_latencies, 0.50)), us(percentile(ack_latencies, 0.99)), us(percentile(ack_latencies, 0.999)),
      static_cast<long long>(total), static_cast<double>(total) / took, took, static_cast<unsigned long long>(refused.load()), us(late));
  return alerts.missed() == 0 && refused.load() == 0 ? 0 : 1;
}

int throughput(const std::string& server, int seconds) {
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);
  std::atomic<std::uint64_t> acked{0}, refused{0};
  TradeStream stream(server, {}, [&](std::span<const StreamAck> acks) {
    for (const StreamAck& ack : acks) {
      if (ack.outcome >= v1::CONFLICT) refused.fetch_add(1, std::memory_order_relaxed);
    }
    acked.fetch_add(acks.size(), std::memory_order_relaxed);
  });
  v1::Trade message;
  std::string id;
  const std::int64_t start = now(), end = start + seconds * 1'000'000'000LL;
  std::uint64_t sent = 0;
  while (sent % 256 != 0 || now() < end) {
    fill(floor.next_trade(id), message);
    if (Status status = stream.submit(message, sent); !status.ok()) fail(status.message());
    ++sent;
  }
  const std::uint64_t in_time = acked.load();
  const double took = static_cast<double>(now() - start) / 1e9;
  if (Status status = stream.close(std::chrono::seconds(60)); !status.ok()) fail(status.message());
  std::printf("{\"trades_per_s\":%.0f,\"seconds\":%.2f,\"acknowledged\":%llu,\"sent\":%llu,\"refused\":%llu}\n",
              static_cast<double>(in_time) / took, took, static_cast<unsigned long long>(acked.load()),
              static_cast<unsigned long long>(sent), static_cast<unsigned long long>(refused.load()));
  return acked.load() == sent && refused.load() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if ((argc == 7 || argc == 8) && std::strcmp(argv[1], "latency") == 0) {
    return latency(argv[2], std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[5]), std::atoi(argv[6]), argc == 8 ? argv[7] : nullptr);
  }
  if (argc == 4 && std::strcmp(argv[1], "throughput") == 0) return throughput(argv[2], std::atoi(argv[3]));
  std::fprintf(stderr, "usage: see the head of bench/load.cc\n");
  return 2;
}
