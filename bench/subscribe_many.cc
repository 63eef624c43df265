// Many subscribers of one query, each on a connection of its own, some of which never read. Prints one JSON line.
//   bench_subscribe_many SERVER READERS SLOW RATE SECONDS WARMUP FAST
//
// Every trade is an event of the query. First FAST seconds as many as the readers take: at most kAhead trades are sent before all of them
// have what was sent before. By its end the slow ones are slow: one that never reads is like the others until its connection has taken
// what it takes unread, 64 KiB or more. Then RATE trades a second at their planned times: latency from there to the arrival at each of
// the readers. Of the slow ones half are to be cut, half to be brought together.
#include <sys/prctl.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "bench/floor_client.h"
#include "bench/query_stream.h"
#include "client/trade_stream.h"

namespace {

using namespace halocline;
using bench::fail, bench::fill, bench::now, bench::wait_for;

constexpr std::int64_t kAhead = 32;

class Readers {
 public:
  Readers(const std::string& server, std::size_t count) : events_of_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      latencies_.push_back(std::make_unique<Histogram>());
      streams_.push_back(std::make_unique<bench::QueryStream>(server, [this, i](const auto& message) { take(message, i); }));
    }
  }
  void subscribe(const v1::SubscribeRequest& request) {
    for (const auto& stream : streams_) stream->subscribe(request);
    wait_for([this] { return answered_.load() == streams_.size(); }, "the first answers");
  }
  // Event number `from` + i is planned for `start + i * interval`; those in [from + first, from + end) count.
  void expect(std::int64_t from, std::int64_t start, std::int64_t interval, std::int64_t first, std::int64_t end) {
    from_ = from, interval_ = interval, first_ = first, end_ = end;
    start_.store(start);
  }
  void wait_for_all(std::int64_t events) {
    wait_for([&] { return arrived_.load() >= events * static_cast<std::int64_t>(streams_.size()); }, "events");
  }
  std::int64_t arrived() const { return arrived_.load(); }
  Histogram& latencies() {
    for (std::size_t i = 1; i < latencies_.size(); ++i) latencies_[0]->merge(*latencies_[i]);
    return *latencies_[0];
  }

 private:
  void take(const v1::SubscribeMessage& message, std::size_t reader) {
    if (message.has_ended()) fail("reader " + std::to_string(reader) + " was ended: " + message.ended().message());
    if (message.has_rows() && !message.rows().more()) answered_.fetch_add(1);
    if (!message.has_changes()) return;
    const std::int64_t start = start_.load(), number = events_of_[reader]++ - from_;
    if (start != 0 && number >= first_ && number < end_) latencies_[reader]->record(now() - (start + number * interval_));
    arrived_.fetch_add(1);
  }

  std::vector<std::int64_t> events_of_;
  std::int64_t from_ = 0, interval_ = 0, first_ = 0, end_ = 0;
  std::atomic<std::int64_t> start_{0}, arrived_{0};
  std::atomic<std::size_t> answered_{0};
  std::vector<std::unique_ptr<Histogram>> latencies_;
  std::vector<std::unique_ptr<bench::QueryStream>> streams_;  // last: it ends first
};

v1::SubscribeRequest request(const std::string& trader, v1::SlowPolicy when_slow) {
  v1::SubscribeRequest out;
  out.set_id(1);
  out.set_sql("SELECT trade_id, instrument, book, counterparty, side, quantity, price, notional FROM trades WHERE trader = '" + trader +
              "'");
  out.set_when_slow(when_slow);
  return out;
}

int run(const std::string& server, std::size_t count, std::size_t slow_ones, int rate, int seconds, int warmup, int fast) {
  prctl(PR_SET_TIMERSLACK, 1);
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);
  const std::string trader = floor.traders[5];

  Readers readers(server, count);
  std::vector<std::unique_ptr<bench::QueryStream>> slow;
  for (std::size_t i = 0; i < slow_ones; ++i) {
    slow.push_back(std::make_unique<bench::QueryStream>(server, nullptr));
    slow.back()->subscribe(request(trader, i % 2 == 0 ? v1::CUT : v1::CONFLATE));
  }
  readers.subscribe(request(trader, v1::CUT));
  wait_for([&] { return client.status().value().subscribers() == count + slow_ones; }, "the slow ones' subscriptions");

  TradeStream stream(server, {}, [](std::span<const StreamAck> acks) {
    for (const StreamAck& ack : acks) {
      if (ack.outcome >= v1::CONFLICT) fail("a trade was refused");
    }
  });
  v1::Trade message;
  std::string id;
  const auto send = [&](std::int64_t) {
    Trade trade = floor.next_trade(id);
    trade.trader = trader;
    fill(trade, message);
    if (Status status = stream.submit(message, 0); !status.ok()) fail(status.message());
  };
  const std::int64_t begin = now(), end = begin + fast * 1'000'000'000LL;
  std::int64_t sent = 0;
  while (now() < end) {
    send(sent++);
    readers.wait_for_all(sent - kAhead);
  }
  const double delivered = static_cast<double>(readers.arrived()) / (static_cast<double>(now() - begin) / 1e9);
  readers.wait_for_all(sent);

  const std::int64_t start = now() + 200'000'000, interval = 1'000'000'000 / rate;
  const std::int64_t total = std::int64_t{rate} * (seconds + warmup), first = std::int64_t{rate} * warmup;
  readers.expect(sent, start, interval, first, total);
  const std::int64_t late = bench::open_loop(start, interval, total, first, send);
  sent += total;
  readers.wait_for_all(sent);
  const Status closed = stream.close(std::chrono::seconds(60));
  if (!closed.ok()) fail(closed.message());

  const std::size_t left = client.status().value().subscribers();
  const Histogram& all = readers.latencies();
  auto us = [&](double percent) { return static_cast<double>(all.percentile(percent)) / 1000; };
  std::printf("{\"readers\":%zu,\"slow\":%zu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"delivered_per_s\":%.0f,"
              "\"events\":%lld,\"slow_cut\":%zu,\"sender_late_max_us\":%.1f}\n",
              count, slow_ones, us(50), us(90), us(99), us(99.9), delivered, static_cast<long long>(sent), count + slow_ones - left,
              static_cast<double>(late) / 1000);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i) { return std::atoi(argv[i]); };
  if (argc == 8) {
    const auto count = static_cast<std::size_t>(number(2)), slow = static_cast<std::size_t>(number(3));
    return run(argv[1], count, slow, number(4), number(5), number(6), number(7));
  }
  std::fprintf(stderr, "usage: see the head of bench/subscribe_many.cc\n");
  return 2;
}
