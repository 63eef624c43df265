// Continuous queries of a running server under an open loop of trades, of one in a hundred of which one query tells. Prints one JSON line.
//   bench_queries mixed SERVER STATEMENTS BEFORE RATE SECONDS WARMUP    BEFORE trades are in the books when the queries are registered
//   bench_queries begin SERVER BEFORE RATE SECONDS WARMUP BEGINS        100 mixed ones; when BEGINS is 1, others begin all the time meanwhile
//   bench_queries exposure SERVER STATEMENTS RATE SECONDS WARMUP FAST   as peer-geode has it; then FAST seconds as many trades as are told of
//
// mixed: a quarter each of
//   equality      trader = … AND instrument = … AND counterparty = …
//   range         price >= … AND price < …, side by side
//   conjunction   instrument = … AND side = 'BUY' AND quantity BETWEEN …: of 100,000 fifty have the same equalities
//   aggregate     SUM and COUNT of a trader, instrument and counterparty, by book
// begin: one subscription after the other over all trades there are, each as soon as the one before has its first answer, which ends it: a
//   condition no index can use, groups, groups with a LIMIT, a ranking, a join, each a question of its own.
// exposure: SELECT name, gross of the traders above a level. One trader is; the others' levels nobody reaches.
//
// "register_s" is from the first request to the last row of the last first answer. Latency is from a trade's planned time to the arrival
// of its event at the subscriber; every such trade must bring exactly one.
#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "base/limits.h"
#include "bench/floor_client.h"
#include "bench/query_stream.h"
#include "client/trade_stream.h"

namespace {

using namespace halocline;
using bench::fail, bench::fill, bench::now, bench::wait_for;

constexpr std::int64_t kOne = limits::kScale, kCent = kOne / 100;
constexpr std::int64_t kHotEvery = 100;
constexpr std::int64_t kAhead = 2'000;  // events that may be under way, so that nobody is cut
constexpr std::size_t kStreams = 8;  // a stream has at most 20,000 subscriptions

// Who told of a hot trade: query `of(number)`, and its events tell of its trades in order.
struct Telling {
  std::int64_t queries = 1;  // that take turns
  std::int64_t of(std::int64_t hot) const { return hot * 7919 % queries; }  // a prime: all get their turn
};

// All subscriptions, and when their events came.
class Subscribers {
 public:
  Subscribers(const std::string& server, std::size_t statements, Telling telling, const std::function<std::string(std::size_t)>& sql)
      : statements_(statements), next_hot_(statements, -1), stride_(telling.queries), sql_(sql) {
    for (std::int64_t hot = 0; hot < telling.queries; ++hot) next_hot_[static_cast<std::size_t>(telling.of(hot))] = hot;
    for (std::size_t i = 0; i < std::min(kStreams, statements); ++i) {
      latencies_.push_back(std::make_unique<Histogram>());
      streams_.push_back(std::make_unique<bench::QueryStream>(server, [this, i](const auto& message) { take(message, *latencies_[i]); }));
    }
  }

  double register_all() {
    const std::int64_t start = now();
    for (std::size_t i = 0; i < statements_; ++i) {
      v1::SubscribeRequest request;
      request.set_id(i);
      request.set_sql(sql_(i));
      streams_[i % streams_.size()]->subscribe(std::move(request));
    }
    wait_for([this] { return answered_.load() == statements_; }, "the first answers");
    return static_cast<double>(now() - start) / 1e9;
  }

  // Trade `hot * kHotEvery` is planned for `start + hot * apart`; those from `first` on count.
  void expect(std::int64_t start, std::int64_t apart, std::int64_t first) {
    apart_ = apart, first_ = first;
    start_.store(start);
  }
  void wait_for_events(std::int64_t hot) {
    wait_for([&] { return events_.load() >= hot; }, "events");
  }
  void check_events(std::int64_t hot) const {
    if (events_.load() != hot) fail("more events than trades that bring one");
  }
  std::int64_t events() const { return events_.load(); }
  std::uint64_t first_rows() const { return first_rows_.load(); }

  std::string json() const {
    Histogram all;
    for (const auto& one : latencies_) all.merge(*one);
    auto us = [&](double percent) { return static_cast<double>(all.percentile(percent)) / 1000; };
    char text[256];
    std::snprintf(text, sizeof text, "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"events\":%lld,"
                  "\"marks\":%llu",
                  us(50), us(90), us(99), us(99.9), static_cast<double>(all.max()) / 1000, static_cast<long long>(events_.load()),
                  static_cast<unsigned long long>(marks_.load()));
    return text;
  }

 private:
  void take(const v1::SubscribeMessage& message, Histogram& latencies) {
    if (message.has_ended()) fail("query " + std::to_string(message.id()) + " ended: " + message.ended().message());
    if (message.has_progress()) return void(marks_.fetch_add(1, std::memory_order_relaxed));
    if (message.has_rows()) {
      first_rows_.fetch_add(static_cast<std::uint64_t>(message.rows().rows_size()));
      if (!message.rows().more()) answered_.fetch_add(1);
      return;
    }
    const std::int64_t at = now();
    std::int64_t& hot = next_hot_[message.id()];
    if (hot < 0) fail("an event of query " + std::to_string(message.id()) + ", which nobody concerns");
    if (message.changes().changes_size() != 1) fail("an event of several rows");
    if (hot >= first_) latencies.record(at - (start_.load() + hot * apart_));
    hot += stride_;
    events_.fetch_add(1);
  }

  const std::size_t statements_;
  std::vector<std::int64_t> next_hot_;  // of each query; -1: nobody's
  const std::int64_t stride_;
  const std::function<std::string(std::size_t)> sql_;
  std::int64_t apart_ = 0, first_ = 0;
  std::atomic<std::int64_t> start_{0}, events_{0};
  std::atomic<std::uint64_t> answered_{0}, first_rows_{0}, marks_{0};
  std::vector<std::unique_ptr<Histogram>> latencies_;
  std::vector<std::unique_ptr<bench::QueryStream>> streams_;  // last: it ends first
};

// Trades at their planned times, until all of their events have come.
struct Sent {
  std::int64_t late = 0;  // ns
  double seconds = 0;
};
template <class Next>
Sent send_open_loop(TradeStream& stream, Subscribers& subscribers, int rate, int seconds, int warmup, Next next) {
  prctl(PR_SET_TIMERSLACK, 1);
  const std::int64_t interval = 1'000'000'000 / rate, total = std::int64_t{rate} * (seconds + warmup), first = std::int64_t{rate} * warmup;
  const std::int64_t start = now() + 200'000'000;
  subscribers.expect(start, interval * kHotEvery, first / kHotEvery);
  v1::Trade message;
  Sent sent;
  sent.late = bench::open_loop(start, interval, total, first, [&](std::int64_t i) {
    fill(next(i), message);
    if (Status status = stream.submit(message, static_cast<std::uint64_t>(i)); !status.ok()) fail(status.message());
  });
  if (Status status = stream.flush(std::chrono::seconds(60)); !status.ok()) fail(status.message());
  sent.seconds = static_cast<double>(now() - start) / 1e9;
  subscribers.wait_for_events((total + kHotEvery - 1) / kHotEvery);
  subscribers.check_events((total + kHotEvery - 1) / kHotEvery);
  return sent;
}

// What is asked of the floor, and the trades that meet it. Traders 0 and 1 trade only when a query asks for them.
class Mixed {
 public:
  Mixed(std::size_t statements, bench::FloorWorkload& floor) : statements_(statements), floor_(floor) {}

  std::string sql(std::size_t k) const {
    const std::string from = " FROM trades WHERE ";
    const std::string instrument = "instrument = '" + floor_.instruments[first(k)] + "'";
    const std::string pair = instrument + " AND counterparty = '" + floor_.counterparties[second(k)] + "'";
    switch (k % 4) {
      case 0: return "SELECT trade_id, quantity, price" + from + "trader = '" + floor_.traders[0] + "' AND " + pair;
      case 1:
        return "SELECT trade_id, trader, price" + from + "price >= " + money(low(k)) + " AND price < " + money(low(k) + kCent);
      case 2:
        return "SELECT trade_id, quantity, price" + from + instrument + " AND side = 'BUY' AND quantity BETWEEN " + money(least(k)) + " AND " +
               money(least(k) + 99 * kOne);
      default:
        return "SELECT book, SUM(notional) AS total, COUNT(*)" + from + "trader = '" + floor_.traders[1] + "' AND " + pair +
               " GROUP BY book";
    }
  }
  // The next trade: of query `k`, or of none.
  Trade next(std::string& id, const std::size_t* k) {
    Trade trade = floor_.next_trade(id);
    if (trade.trader == floor_.traders[0] || trade.trader == floor_.traders[1]) trade.trader = floor_.traders[2];
    if (k == nullptr) return trade;
    const std::size_t kind = *k % 4;
    if (kind != 1) trade.instrument = floor_.instruments[first(*k)];
    if (kind == 0 || kind == 3) trade.trader = floor_.traders[kind / 3], trade.counterparty = floor_.counterparties[second(*k)];
    if (kind == 1) trade.price = low(*k);
    if (kind == 2) trade.side = Side::kBuy, trade.quantity = least(*k) + static_cast<std::int64_t>(floor_.below(100)) * kOne;
    return trade;
  }
  std::size_t random_query() { return floor_.below(static_cast<std::uint32_t>(statements_)); }

 private:
  std::size_t first(std::size_t k) const { return k / 4 % floor_.instruments.size(); }
  std::size_t second(std::size_t k) const { return k / 4 / floor_.instruments.size(); }
  static std::int64_t low(std::size_t k) { return 1'000 * kOne + static_cast<std::int64_t>(k / 4) * kCent; }  // no price gets near
  std::int64_t least(std::size_t k) const { return (10'000 + 100 * static_cast<std::int64_t>(second(k))) * kOne; }  // nor a quantity
  static std::string money(std::int64_t e8) { return std::to_string(e8 / kOne) + "." + std::to_string(100 + e8 / kCent % 100).substr(1); }

  const std::size_t statements_;
  bench::FloorWorkload& floor_;
};

void refuse_nothing(std::span<const StreamAck> acks) {
  for (const StreamAck& ack : acks) {
    if (ack.outcome >= v1::CONFLICT) fail("a trade was refused");
  }
}

int mixed(const std::string& server, std::size_t statements, int before, int rate, int seconds, int warmup) {
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);
  Mixed asked(statements, floor);
  TradeStream stream(server, {}, refuse_nothing);
  v1::Trade message;
  std::string id;
  std::uint64_t plain_rows = 0;
  for (int i = 0; i < before; ++i) {
    const std::size_t k = asked.random_query();
    const bool hot = i % kHotEvery == 0;
    if (hot && k % 4 != 3) ++plain_rows;
    fill(asked.next(id, hot ? &k : nullptr), message);
    if (Status status = stream.submit(message, 0); !status.ok()) fail(status.message());
  }
  if (Status status = stream.flush(std::chrono::seconds(60)); !status.ok()) fail(status.message());

  const Telling telling{static_cast<std::int64_t>(statements)};
  Subscribers subscribers(server, statements, telling, [&](std::size_t k) { return asked.sql(k); });
  const double registered = subscribers.register_all();
  if (subscribers.first_rows() < plain_rows) fail("the first answers lack rows");
  const Sent sent = send_open_loop(stream, subscribers, rate, seconds, warmup, [&](std::int64_t i) {
    const std::size_t k = static_cast<std::size_t>(telling.of(i / kHotEvery));
    return asked.next(id, i % kHotEvery == 0 ? &k : nullptr);
  });
  std::printf("{\"statements\":%zu,\"trades_before\":%d,\"register_s\":%.3f,%s,\"trades_per_s\":%.0f,\"sender_late_max_us\":%.1f}\n",
              statements, before, registered, subscribers.json().c_str(), static_cast<double>(rate * (seconds + warmup)) / sent.seconds,
              static_cast<double>(sent.late) / 1000);
  return stream.close(std::chrono::seconds(60)).ok() ? 0 : 1;
}

// Subscriptions that begin and end, one after the other, until it is destroyed.
class Beginner {
 public:
  explicit Beginner(const std::string& server)
      : stream_(server, [this](const v1::SubscribeMessage& message) {
          if (message.has_ended()) fail("a query ended: " + message.ended().message());
          if (!message.has_rows() || message.rows().more()) return;
          v1::SubscribeRequest end;
          end.set_id(message.id());
          end.set_end(true);
          stream_.subscribe(std::move(end));
          slowest_.store(std::max(slowest_.load(), now() - began_at_));
          began_.fetch_add(1);
          begin();
        }) {
    begin();
  }
  std::int64_t began() const { return began_.load(); }
  double slowest_ms() const { return static_cast<double>(slowest_.load()) / 1e6; }

 private:
  void begin() {
    const std::string own = std::to_string(++id_);  // so that none is the same as another
    static constexpr std::size_t kKinds = 5;
    const std::array<std::string, kKinds> kinds{
        "SELECT trade_id, price FROM trades WHERE quantity * price < 0.0" + own,
        "SELECT book, SUM(notional), COUNT(*) FROM trades WHERE quantity <> 0.0" + own + " GROUP BY book",
        "SELECT trader, instrument, SUM(notional) AS n FROM trades WHERE quantity <> 0.0" + own +
            " GROUP BY trader, instrument ORDER BY n DESC LIMIT 10",
        "SELECT trade_id, notional FROM trades WHERE quantity <> 0.0" + own + " ORDER BY notional DESC LIMIT 10",
        "SELECT b.desk, SUM(t.notional) FROM trades t JOIN books b ON t.book = b.book WHERE t.price > 0.0" + own +
            " AND t.trader = 'T7' GROUP BY b.desk"};
    v1::SubscribeRequest request;
    request.set_id(id_);
    request.set_sql(kinds[id_ % kKinds]);
    began_at_ = now();
    stream_.subscribe(std::move(request));
  }

  std::uint64_t id_ = 0;
  std::int64_t began_at_ = 0;
  std::atomic<std::int64_t> slowest_{0};
  std::atomic<std::int64_t> began_{0};
  bench::QueryStream stream_;
};

int begin(const std::string& server, int before, int rate, int seconds, int warmup, bool begins) {
  constexpr std::size_t kStatements = 100;
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);
  Mixed asked(kStatements, floor);
  TradeStream stream(server, {}, refuse_nothing);
  v1::Trade message;
  std::string id;
  for (int i = 0; i < before; ++i) {
    fill(asked.next(id, nullptr), message);
    if (Status status = stream.submit(message, 0); !status.ok()) fail(status.message());
  }
  if (Status status = stream.flush(std::chrono::seconds(60)); !status.ok()) fail(status.message());
  const Telling telling{kStatements};
  Subscribers subscribers(server, kStatements, telling, [&](std::size_t k) { return asked.sql(k); });
  const double registered = subscribers.register_all();
  std::optional<Beginner> beginner;
  if (begins) beginner.emplace(server);
  const Sent sent = send_open_loop(stream, subscribers, rate, seconds, warmup, [&](std::int64_t i) {
    const std::size_t k = static_cast<std::size_t>(telling.of(i / kHotEvery));
    return asked.next(id, i % kHotEvery == 0 ? &k : nullptr);
  });
  const std::int64_t began = beginner ? beginner->began() : 0;
  const double slowest = beginner ? beginner->slowest_ms() : 0;
  std::printf("{\"begins\":%d,\"trades_before\":%d,\"register_s\":%.3f,%s,\"trades_per_s\":%.0f,\"sender_late_max_us\":%.1f,"
              "\"began\":%lld,\"first_answer_max_ms\":%.0f}\n",
              begins ? 1 : 0, before, registered, subscribers.json().c_str(),
              static_cast<double>(rate * (seconds + warmup)) / sent.seconds, static_cast<double>(sent.late) / 1000,
              static_cast<long long>(began), slowest);
  return stream.close(std::chrono::seconds(60)).ok() ? 0 : 1;
}

int exposure(const std::string& server, std::size_t statements, int rate, int seconds, int warmup, int fast) {
  bench::FloorWorkload floor(1);
  Client client(server);
  bench::load_floor(client, floor);
  const std::int64_t level = 50'000'000'000;  // the others stay far below it
  std::atomic<std::int64_t> acknowledged{0};
  TradeStream stream(server, {}, [&](std::span<const StreamAck> acks) {
    refuse_nothing(acks);
    acknowledged.fetch_add(static_cast<std::int64_t>(acks.size()));
  });
  v1::Trade message;
  std::string id;
  // Every hot trade buys, so it always changes the trader's exposure, which the first one lifts above the level.
  const auto next = [&](std::int64_t i) {
    Trade trade = floor.next_trade(id);
    if (trade.trader == floor.traders[0]) trade.trader = floor.traders[1];
    if (i % kHotEvery == 0) trade.trader = floor.traders[0], trade.side = Side::kBuy;
    return trade;
  };
  const auto submit = [&](const Trade& trade) {
    fill(trade, message);
    if (Status status = stream.submit(message, 0); !status.ok()) fail(status.message());
  };
  Trade seed = next(0);
  seed.instrument = floor.instruments[0];
  seed.price = floor.prices[0];
  seed.quantity = 8 * level / 5 * kOne / (floor.prices[0] / kOne);
  submit(seed);
  if (Status status = stream.flush(std::chrono::seconds(60)); !status.ok()) fail(status.message());

  Subscribers subscribers(server, statements, {}, [&](std::size_t k) {
    const std::int64_t above = k == 0 ? level : level * 1'000'000 + static_cast<std::int64_t>(k);
    return "SELECT name, gross FROM nodes WHERE kind = 'trader' AND gross > " + std::to_string(above);
  });
  const double registered = subscribers.register_all();
  if (subscribers.first_rows() != 1) fail("the trader is not above the level");
  const Sent sent = send_open_loop(stream, subscribers, rate, seconds, warmup, next);
  const std::string latencies = subscribers.json();

  const std::int64_t start = now(), end = start + fast * 1'000'000'000LL;
  const std::int64_t before = acknowledged.load(), events = subscribers.events();
  std::int64_t many = 0;
  for (; many % 256 != 0 || now() < end; ++many) {
    submit(next(many));
    if (many % kHotEvery == 0) subscribers.wait_for_events(events + many / kHotEvery - kAhead);
  }
  const double rate_fast = static_cast<double>(acknowledged.load() - before) / (static_cast<double>(now() - start) / 1e9);
  if (Status status = stream.close(std::chrono::seconds(60)); !status.ok()) fail(status.message());
  subscribers.wait_for_events(events + (many + kHotEvery - 1) / kHotEvery);
  subscribers.check_events(events + (many + kHotEvery - 1) / kHotEvery);
  std::printf("{\"statements\":%zu,\"register_s\":%.3f,%s,\"sender_late_max_us\":%.1f,\"trades_per_s\":%.0f}\n", statements, registered,
              latencies.c_str(), static_cast<double>(sent.late) / 1000, rate_fast);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i) { return std::atoi(argv[i]); };
  if (argc == 8 && std::strcmp(argv[1], "mixed") == 0) {
    return mixed(argv[2], static_cast<std::size_t>(number(3)), number(4), number(5), number(6), number(7));
  }
  if (argc == 8 && std::strcmp(argv[1], "begin") == 0) {
    return begin(argv[2], number(3), number(4), number(5), number(6), number(7) != 0);
  }
  if (argc == 8 && std::strcmp(argv[1], "exposure") == 0) {
    return exposure(argv[2], static_cast<std::size_t>(number(3)), number(4), number(5), number(6), number(7));
  }
  std::fprintf(stderr, "usage: see the head of bench/queries.cc\n");
  return 2;
}
