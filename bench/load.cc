// Load on a running server, over the client library. Prints one JSON line.
//   bench_load latency SERVER RATE PRICES SECONDS WARMUP    open loop: trade sent (as planned) -> alert received
//   bench_load throughput SERVER SECONDS                    as many trades as are acknowledged
//
// Latency: trader T000 gets every 100th trade, by turns a buy that lifts him over his limit and the sell that takes him back, so each
// of them brings an alert event. Everything is sent at its planned time, whatever came back, and measured from there: a
// late sender does not hide a late server (no coordinated omission).
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "bench/floor_workload.h"
#include "client/alert_follower.h"
#include "client/client.h"
#include "client/price_stream.h"
#include "client/trade_stream.h"

namespace {

using namespace halocline;

constexpr std::int64_t kOne = 100'000'000;

std::int64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

void wait_until(std::int64_t when) {
  timespec t{when / 1'000'000'000, when % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench_load: %s\n", what.c_str());
  std::exit(1);
}

void fill(const Trade& from, v1::Trade& to) {
  to.set_source(from.source.data(), from.source.size());
  to.set_trade_id(from.trade_id.data(), from.trade_id.size());
  to.set_version(from.version);
  to.set_action(static_cast<v1::Action>(from.action));
  to.set_book(from.book.data(), from.book.size());
  to.set_trader(from.trader.data(), from.trader.size());
  to.set_counterparty(from.counterparty.data(), from.counterparty.size());
  to.set_instrument(from.instrument.data(), from.instrument.size());
  to.set_side(static_cast<v1::Side>(from.side));
  to.set_quantity_e8(from.quantity);
  to.set_price_e8(from.price);
  to.set_fees_e8(from.fees);
  to.set_trade_time_ns(from.trade_time);
}

std::string text(std::string_view view) { return std::string(view); }

v1::ReferenceItem item_of(const Command& command) {
  v1::ReferenceItem item;
  if (const Firm* firm = std::get_if<Firm>(&command)) {
    item.mutable_firm()->set_name(text(firm->name));
    item.mutable_firm()->set_currency(text(firm->currency));
  } else if (const Currency* currency = std::get_if<Currency>(&command)) {
    item.mutable_currency()->set_code(text(currency->code));
    item.mutable_currency()->set_rate_e8(currency->rate);
  } else if (const Desk* desk = std::get_if<Desk>(&command)) {
    item.mutable_desk()->set_name(text(desk->name));
  } else if (const Book* book = std::get_if<Book>(&command)) {
    item.mutable_book()->set_name(text(book->name));
    item.mutable_book()->set_desk(text(book->desk));
  } else if (const Trader* trader = std::get_if<Trader>(&command)) {
    item.mutable_trader()->set_name(text(trader->name));
    item.mutable_trader()->set_desk(text(trader->desk));
  } else if (const Counterparty* counterparty = std::get_if<Counterparty>(&command)) {
    item.mutable_counterparty()->set_name(text(counterparty->name));
  } else if (const Instrument* instrument = std::get_if<Instrument>(&command)) {
    v1::InstrumentItem& to = *item.mutable_instrument();
    to.set_symbol(text(instrument->symbol));
    to.set_kind(static_cast<v1::InstrumentKind>(instrument->kind));
    to.set_currency(text(instrument->currency));
    to.set_multiplier_e8(instrument->multiplier);
    to.set_sector(text(instrument->sector));
  }
  return item;
}

void load_floor(Client& client, const bench::FloorWorkload& floor) {
  v1::UpsertRequest request;
  v1::PriceBatch prices;
  auto send = [&] {
    if (request.items_size() == 0) return;
    Result<v1::UpsertResponse> response = client.upsert(request);
    if (!response.ok()) fail("reference data: " + response.status().message());
    for (const v1::Ack& ack : response.value().acks()) {
      if (ack.outcome() >= v1::CONFLICT && ack.outcome() != v1::ALREADY_SET) fail("reference data: " + ack.detail());
    }
    request.clear_items();
  };
  for (const Command& command : floor.reference()) {
    if (const Price* price = std::get_if<Price>(&command)) {
      v1::Price& to = *prices.add_prices();
      to.set_instrument(text(price->instrument));
      to.set_price_e8(price->price);
      continue;
    }
    if (std::holds_alternative<Firm>(command)) continue;  // the server's configuration has set it
    *request.add_items() = item_of(command);
    if (request.items_size() == 500) send();
  }
  send();
  const Result<v1::PriceAcks> acks = client.publish_prices(prices);
  if (!acks.ok()) fail("prices: " + acks.status().message());
}

void set_limits(Client& client, const bench::FloorWorkload& floor) {
  for (const std::string& trader : floor.traders) {
    v1::Limit limit;
    limit.set_name("gross-" + trader);
    limit.set_kind(v1::TRADER);
    limit.set_node(trader);
    limit.set_measure(v1::GROSS);
    // T000 is flat or holds 100 shares; nobody else gets near.
    limit.set_breach(trader == "T000" ? "1" : "900000000000");
    const Result<v1::Ack> ack = client.set_limit(limit);
    if (!ack.ok() || ack.value().outcome() >= v1::CONFLICT) fail("limit: " + ack.status().message());
  }
}

std::int64_t percentile(const std::vector<std::int64_t>& sorted, double p) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(p * static_cast<double>(sorted.size())))];
}

int latency(const std::string& server, int rate, int price_rate, int seconds, int warmup) {
  prctl(PR_SET_TIMERSLACK, 1);
  bench::FloorWorkload floor(1);
  Client client(server);
  load_floor(client, floor);
  set_limits(client, floor);

  const std::int64_t total = static_cast<std::int64_t>(rate) * (seconds + warmup);
  const std::int64_t first_counted = static_cast<std::int64_t>(rate) * warmup;
  const std::int64_t interval = 1'000'000'000 / rate;
  std::atomic<std::int64_t> start{0};
  std::vector<std::int64_t> latencies, ack_latencies;
  latencies.reserve(static_cast<std::size_t>(total / 100 + 1));
  ack_latencies.reserve(static_cast<std::size_t>(total));
  std::atomic<std::uint64_t> events{0};

  AlertFollower::Options follow;
  follow.from_now = true;
  AlertFollower follower(server, follow, [&](const v1::AlertEvent& event) {
    const std::int64_t at = now();
    if (event.cause() != v1::CAUSE_TRADE || event.node() != "T000") return;
    const std::int64_t number = std::atoll(event.cause_trade_id().c_str() + 1);
    if (number >= first_counted) latencies.push_back(at - (start.load() + number * interval));
    events.fetch_add(1);
  });
  std::atomic<std::uint64_t> refused{0};
  TradeStream stream(server, {}, [&](std::span<const StreamAck> acks) {
    const std::int64_t at = now();
    for (const StreamAck& ack : acks) {
      if (ack.outcome >= v1::CONFLICT) refused.fetch_add(1);
      const auto number = static_cast<std::int64_t>(ack.token);
      if (number >= first_counted) ack_latencies.push_back(at - (start.load() + number * interval));
    }
  });
  PriceStream prices(server, {}, {});

  v1::Trade message;
  v1::Price price;
  std::string id;
  bool long_now = false;
  std::int64_t late = 0;
  start.store(now() + 200'000'000);
  std::int64_t next_price = 0;
  for (std::int64_t i = 0; i < total; ++i) {
    const std::int64_t planned = start.load() + i * interval;
    if (now() < planned) wait_until(planned);
    if (i >= first_counted) late = std::max(late, now() - planned);
    Trade trade = floor.next_trade(id);
    if (trade.trader == "T000" || trade.instrument == floor.instruments[0]) {
      trade.trader = floor.traders[1];
      trade.instrument = floor.instruments[4];
    }
    if (i % 100 == 0) {
      trade.trader = "T000";
      trade.instrument = floor.instruments[0];
      trade.side = long_now ? Side::kSell : Side::kBuy;
      trade.quantity = 100 * kOne;
      trade.price = 100 * kOne;
      long_now = !long_now;
    }
    fill(trade, message);
    if (Status status = stream.submit(message, static_cast<std::uint64_t>(i)); !status.ok()) fail(status.message());
    while (price_rate > 0 && next_price * 1'000'000'000 / price_rate <= i * interval) {
      const std::uint32_t instrument = 1 + floor.below(499);
      price.set_instrument(floor.instruments[instrument]);
      price.set_price_e8(floor.prices[instrument] + static_cast<std::int64_t>(floor.below(100)) * 1'000'000);
      if (Status status = prices.publish(price, 0); !status.ok()) fail(status.message());
      ++next_price;
    }
  }
  if (Status status = stream.close(std::chrono::seconds(60)); !status.ok()) fail(status.message());
  const double took = static_cast<double>(now() - start.load()) / 1e9;
  (void)prices.close(std::chrono::seconds(10));
  // All alerts of acknowledged trades have been sent; the last ones may still be on their way.
  const auto expected = static_cast<std::uint64_t>((total + 99) / 100);
  const std::int64_t patience = now() + 5'000'000'000;
  while (events.load() < expected && now() < patience) wait_until(now() + 1'000'000);
  (void)follower.stop();

  std::sort(latencies.begin(), latencies.end());
  std::sort(ack_latencies.begin(), ack_latencies.end());
  auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1000; };
  std::printf(
      "{\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"ack_p50_us\":%.1f,\"ack_p99_us\":%.1f,"
      "\"ack_p999_us\":%.1f,\"sent\":%lld,\"trades_per_s\":%.0f,\"seconds\":%.2f,\"events\":%llu,\"missed\":%llu,\"refused\":%llu,"
      "\"sender_late_max_us\":%.1f}\n",
      us(percentile(latencies, 0.50)), us(percentile(latencies, 0.90)), us(percentile(latencies, 0.99)), us(percentile(latencies, 0.999)),
      us(latencies.empty() ? 0 : latencies.back()), us(percentile(ack_latencies, 0.50)), us(percentile(ack_latencies, 0.99)),
      us(percentile(ack_latencies, 0.999)), static_cast<long long>(total), static_cast<double>(total) / took, took,
      static_cast<unsigned long long>(events.load()), static_cast<unsigned long long>(expected - std::min(expected, events.load())),
      static_cast<unsigned long long>(refused.load()), us(late));
  return events.load() == expected && refused.load() == 0 ? 0 : 1;
}

int throughput(const std::string& server, int seconds) {
  bench::FloorWorkload floor(1);
  Client client(server);
  load_floor(client, floor);
  set_limits(client, floor);
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
  if (argc == 7 && std::strcmp(argv[1], "latency") == 0) {
    return latency(argv[2], std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[5]), std::atoi(argv[6]));
  }
  if (argc == 4 && std::strcmp(argv[1], "throughput") == 0) return throughput(argv[2], std::atoi(argv[3]));
  std::fprintf(stderr, "usage: see the head of bench/load.cc\n");
  return 2;
}
