#include "bench/floor_client.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace halocline::bench {
namespace {

constexpr std::int64_t kOne = 100'000'000;

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

void load_reference(Client& client, const FloorWorkload& floor) {
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

void set_limits(Client& client, const FloorWorkload& floor) {
  for (const std::string& trader : floor.traders) {
    v1::Limit limit;
    limit.set_name("gross-" + trader);
    limit.set_kind(v1::TRADER);
    limit.set_node(trader);
    limit.set_measure(v1::GROSS);
    // The watched one is flat or holds 100 shares; nobody else gets near.
    limit.set_breach(trader == kWatched ? "1" : "900000000000");
    const Result<v1::Ack> ack = client.set_limit(limit);
    if (!ack.ok() || ack.value().outcome() >= v1::CONFLICT) fail("limit: " + ack.status().message());
  }
}

}  // namespace

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

void wait_for(const std::function<bool()>& done, const char* what) {
  const std::int64_t patience = now() + 60'000'000'000;
  while (!done()) {
    if (now() > patience) fail(std::string("still waiting for ") + what);
    wait_until(now() + 1'000'000);
  }
}

std::int64_t percentile(const std::vector<std::int64_t>& sorted, double p) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(p * static_cast<double>(sorted.size())))];
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
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

void load_floor(Client& client, const FloorWorkload& floor) {
  load_reference(client, floor);
  set_limits(client, floor);
}

Trade WatchedTrades::next(FloorWorkload& floor, std::string& id, std::int64_t i) {
  Trade trade = floor.next_trade(id);
  if (trade.trader == kWatched || trade.instrument == floor.instruments[0]) {
    trade.trader = floor.traders[1];
    trade.instrument = floor.instruments[4];
  }
  if (i % kWatchedEvery == 0) {
    trade.trader = kWatched;
    trade.instrument = floor.instruments[0];
    trade.side = long_now_ ? Side::kSell : Side::kBuy;
    trade.quantity = 100 * kOne;
    trade.price = 100 * kOne;
    long_now_ = !long_now_;
  }
  return trade;
}

namespace {

AlertFollower::Options from_now() {
  AlertFollower::Options options;
  options.from_now = true;
  return options;
}

}  // namespace

AlertClock::AlertClock(const std::string& server, std::int64_t interval, std::int64_t first_counted, std::int64_t total)
    : interval_(interval),
      first_counted_(first_counted),
      expected_(static_cast<std::uint64_t>((total + kWatchedEvery - 1) / kWatchedEvery)),
      follower_(server, from_now(), [this](const v1::AlertEvent& event) {
        const std::int64_t at = now();
        if (event.cause() != v1::CAUSE_TRADE || event.node() != kWatched) return;
        const std::int64_t number = std::atoll(event.cause_trade_id().c_str() + 1);
        if (number >= first_counted_) latencies_.push_back(at - planned(number));
        events_.fetch_add(1);
      }) {
  latencies_.reserve(expected_);
}

void AlertClock::stop() {
  const std::int64_t patience = now() + 5'000'000'000;
  while (events_.load() < expected_ && now() < patience) wait_until(now() + 1'000'000);
  (void)follower_.stop();
  std::sort(latencies_.begin(), latencies_.end());
}

std::string AlertClock::json() const {
  auto us = [this](double p) { return static_cast<double>(percentile(latencies_, p)) / 1000; };
  char text[256];
  std::snprintf(text, sizeof text,
                "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"events\":%llu,\"missed\":%llu",
                us(0.50), us(0.90), us(0.99), us(0.999), us(1), static_cast<unsigned long long>(events_.load()),
                static_cast<unsigned long long>(missed()));
  return text;
}

}  // namespace halocline::bench
