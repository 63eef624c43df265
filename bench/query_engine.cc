// Continuous queries alone, no I/O: trades a second on one core while so many statements of one kind watch them.
//   bench_query_engine [seconds [kind [statements]]]    prints one JSON line a kind and number of statements; each is measured for so long
//                                                       (default 1.5), or for half of kTrades, after a warm-up as long as the peer's
//
// Trades and statements are those of bench/peers/esper (Workload.java, Kind.java), so that both can be laid beside each other:
//   equality     trader = … AND instrument = …                                      one of 100,000 takes a trade
//   range        price >= … AND price < …                                           overlapping, about ten take a trade
//   grouped_sum  instrument = … AND book = …, SUM(notional) by trader, HAVING       five of 100,000 take a trade
//   top_10       instrument = … AND book = … AND quantity > …, the largest ten      five of 100,000 take a trade
//   silent       counterparty = one that never trades                               what a statement costs that is not concerned
// "events_per_s" is the queries' work alone: the trades are in the books when the clock starts, as Esper's are in memory, and each is shown to
// the queries as a new one. "engine_events_per_s" is the whole engine: books, positions, nodes and the queries. "naive" is the conditions
// of all statements evaluated on each trade, and nothing else: less than what looking at all of them would cost.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/engine.h"
#include "engine/queries/live_queries.h"

namespace {

using namespace halocline;
using Clock = std::chrono::steady_clock;
using PlanPointer = std::shared_ptr<const queries::Plan>;

constexpr Nanos kStart = 1'700'000'000'000'000'000;
constexpr std::uint64_t kTraders = 200, kInstruments = 500, kBooks = 40, kPairs = kInstruments * kBooks;
constexpr std::uint32_t kTrades = 8'000'000;
constexpr double kWarmup = 2;  // seconds, as the peer has them; or half of the trades
constexpr std::uint64_t kBlock = 256;  // trades between two looks at the clock, as with the peer; events are taken then, as the server does

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string name(char letter, std::uint64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return letter + std::string(width - digits.size(), '0') + digits;
}

// Sebastiano Vigna's generator (public domain), with the state `i`.
std::uint64_t splitmix64(std::uint64_t i) {
  std::uint64_t z = i + 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

struct Floor {
  Floor() {
    for (std::uint64_t i = 0; i < kTraders; ++i) traders.push_back(name('T', i, 3));
    for (std::uint64_t i = 0; i < kInstruments; ++i) instruments.push_back(name('I', i, 3));
    for (std::uint64_t i = 0; i < kBooks; ++i) books.push_back(name('B', i, 2));
  }
  std::vector<Command> reference() const {
    std::vector<Command> commands{Firm{"bench", "USD"}, Desk{"desk"}, Counterparty{"street"}};
    for (const std::string& book : books) commands.push_back(Book{book, "desk"});
    for (const std::string& trader : traders) commands.push_back(Trader{trader, "desk"});
    for (const std::string& symbol : instruments) {
      commands.push_back(Instrument{symbol, InstrumentKind::kEquity, "USD", limits::kScale, "", "", "", 0, 0});
    }
    return commands;
  }
  // Trade number i. `id` holds its id and must stay where it is while the trade is used.
  Trade trade(std::uint64_t i, std::string& id) const {
    const std::uint64_t r = splitmix64(i);
    id = std::to_string(i);
    Trade trade;
    trade.source = "bench";
    trade.trade_id = id;
    trade.version = 1;
    trade.action = Action::kNew;
    trade.trader = traders[r % kTraders];
    trade.book = books[(r >> 20) % kBooks];
    trade.counterparty = "street";
    trade.instrument = instruments[(r >> 8) % kInstruments];
    trade.side = Side::kBuy;
    trade.quantity = static_cast<std::int64_t>(1 + (r >> 28) % 100) * limits::kScale;
    trade.price = static_cast<std::int64_t>(5'000 + (r >> 36) % 10'000) * (limits::kScale / 100);
    trade.trade_time = kStart;
    return trade;
  }

  std::vector<std::string> traders, instruments, books;
};

std::string money(std::uint64_t thousandths) {
  const std::string rest = std::to_string(1'000 + thousandths % 1'000).substr(1);
  return std::to_string(thousandths / 1'000) + "." + rest;
}

std::string statement(const std::string& kind, std::uint64_t k, std::uint64_t n, const Floor& floor) {
  const std::string from = " FROM trades WHERE ";
  const std::string of_book = from + "instrument = '" + floor.instruments[k % kInstruments] + "' AND book = '" +
                              floor.books[k / kInstruments % kBooks] + "'";
  if (kind == "equality") {
    return "SELECT trade_id, quantity, price" + from + "trader = '" + floor.traders[k % kTraders] + "' AND instrument = '" +
           floor.instruments[k / kTraders % kInstruments] + "'";
  }
  if (kind == "range") {
    const std::uint64_t step = 100'000 / n, low = 50'000 + k * step;  // in thousandths
    return "SELECT trade_id, quantity, price" + from + "price >= " + money(low) + " AND price < " + money(low + 10 * step);
  }
  if (kind == "grouped_sum") {
    return "SELECT trader, SUM(notional) AS total" + of_book + " GROUP BY trader HAVING SUM(notional) > " + std::to_string(k / kPairs * 10'000);
  }
  if (kind == "top_10") {
    return "SELECT trade_id, notional" + of_book + " AND quantity > " + std::to_string(k / kPairs) + " ORDER BY notional DESC LIMIT 10";
  }
  return "SELECT trade_id" + from + "counterparty = 'nobody" + std::to_string(k) + "'";
}

// The books with the reference data alone, and with all trades.
struct Books {
  Books() {
    Engine engine;
    std::vector<AlertEvent> events;
    for (const Command& command : floor.reference()) engine.apply(engine.last_seq() + 1, kStart, command, events);
    empty = *engine.snapshot();
    full = empty;
    full.sources.push_back(full.trade_text.add("bench"));
    std::string id;
    for (std::uint32_t i = 0; i < kTrades; ++i) {
      const Trade trade = floor.trade(i, id);
      TradeRecord record{};
      record.status = TradeStatus::kLive;
      record.side = trade.side;
      record.action = trade.action;
      record.id_length = static_cast<std::uint8_t>(id.size());
      std::memcpy(record.id, id.data(), id.size());
      record.version = trade.version;
      record.book = full.catalog.find_node(NodeKind::kBook, trade.book);
      record.trader = full.catalog.find_node(NodeKind::kTrader, trade.trader);
      record.counterparty = full.catalog.find_node(NodeKind::kCounterparty, trade.counterparty);
      record.instrument = full.catalog.find_instrument(trade.instrument);
      record.quantity = trade.quantity;
      record.price = trade.price;
      record.trade_time = trade.trade_time;
      full.trades.push_back(record);
    }
  }

  Floor floor;
  State empty, full;
};

std::vector<PlanPointer> register_all(const std::string& kind, std::uint64_t statements, const Floor& floor, queries::LiveQueries& queries) {
  std::vector<PlanPointer> plans;
  for (std::uint64_t k = 0; k < statements; ++k) {
    Result<queries::Plan> plan = queries::prepare(statement(kind, k, statements, floor), {});
    CHECK(plan.ok(), "%s", plan.status().message().c_str());
    plans.push_back(std::make_shared<const queries::Plan>(plan.take()));
  }
  for (const auto& added : queries.add(plans)) CHECK(added.ok(), "a statement is refused: %s", added.status().message().c_str());
  return plans;
}

struct Rate {
  double per_second = 0, rows = 0;  // trades, and rows told of each
};

// Trades until the time is over; `each` takes one by its number, the events are looked at after a block of them.
template <class Each>
Rate rate_of(double seconds, queries::LiveQueries& queries, Each each) {
  std::uint32_t done = 0;
  std::uint64_t rows = 0;
  // For so long, or up to a trade; the seconds it took.
  const auto pump = [&](double most, std::uint32_t until) {
    const Clock::time_point start = Clock::now();
    double passed = 0;
    while (passed < most && done + kBlock <= until) {
      for (std::uint64_t i = 0; i < kBlock; ++i) each(done++);
      for (const queries::LiveEvents& one : queries.take()) {
        CHECK(one.failure == nullptr, "%s", one.failure->message().c_str());
        rows += one.events->rows.size();
      }
      passed = seconds_since(start);
    }
    return passed;
  };
  pump(kWarmup, kTrades / 2);
  const std::uint32_t first = done;
  rows = 0;
  const double passed = pump(seconds, kTrades);
  return {(done - first) / passed, static_cast<double>(rows) / (done - first)};
}

void measure(const std::string& kind, std::uint64_t statements, double seconds, const Books& books) {
  State state = books.empty;
  Changes changes;
  queries::LiveQueries queries(state, changes);
  queries.gather_new_trades();  // as the engine does
  const Clock::time_point start = Clock::now();
  const std::vector<PlanPointer> plans = register_all(kind, statements, books.floor, queries);
  const double registered = seconds_since(start);
  state = books.full;
  const Rate alone = rate_of(seconds, queries, [&](std::uint32_t trade) {
    ++state.seq;
    changes.note_new_trade(trade);
    queries.settle();
    changes.clear();
  });

  Engine engine;
  std::vector<AlertEvent> events;
  std::string id;
  for (const Command& command : books.floor.reference()) engine.apply(engine.last_seq() + 1, kStart, command, events);
  for (const auto& added : engine.queries().add(plans)) CHECK(added.ok());
  const Rate whole = rate_of(seconds, engine.queries(), [&](std::uint32_t trade) {
    engine.apply(engine.last_seq() + 1, kStart, books.floor.trade(trade, id), events);
  });

  // The conditions alone.
  Splits splits(state);
  const queries::Reader reader{state, splits, state.time};
  std::uint64_t holds = 0, looked_at = 0;
  const Clock::time_point naive_start = Clock::now();
  double naive_seconds = 0;
  for (; naive_seconds < seconds; naive_seconds = seconds_since(naive_start), ++looked_at) {
    queries::Inputs inputs;
    inputs.rows[0] = static_cast<std::uint32_t>(looked_at % kTrades);
    for (const PlanPointer& plan : plans) holds += plan->filters[0]->holds(reader, inputs);
  }
  std::printf("{\"kind\":\"%s\",\"statements\":%llu,\"register_s\":%.3f,\"events_per_s\":%.0f,\"out_per_event\":%.4f,"
              "\"engine_events_per_s\":%.0f,\"naive_events_per_s\":%.0f,\"naive_matches_per_event\":%.4f}\n",
              kind.c_str(), static_cast<unsigned long long>(statements), registered, alone.per_second, alone.rows, whole.per_second,
              static_cast<double>(looked_at) / naive_seconds, static_cast<double>(holds) / static_cast<double>(looked_at));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 1.5;
  const std::string only = argc > 2 ? argv[2] : "";
  const std::uint64_t only_number = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  const Books books;
  for (const char* kind : {"equality", "range", "grouped_sum", "top_10", "silent"}) {
    if (!only.empty() && only != kind) continue;
    for (const std::uint64_t statements : {1u, 1'000u, 100'000u}) {
      if (only_number == 0 || only_number == statements) measure(kind, statements, seconds, books);
    }
  }
}
