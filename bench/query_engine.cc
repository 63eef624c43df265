// Continuous queries alone, no I/O: trades a second on one core while so many statements of one kind watch them.
//   bench_query_engine [seconds]      prints one JSON line a kind and number of statements; each is measured for so long (default 1.5)
//
// The trades are FloorWorkload's, the books empty when the statements are registered. Statement k watches the trader T(k mod 200) and the
// instrument INST(k mod 500), so 1 % of the trades are somebody's at any number of statements:
//   equality  … AND quantity = one of 50 AND side = …     trade_id, notional
//   range     notional BETWEEN a AND b                    overlapping, about ten match a trade
//   grouped   SUM(notional) by counterparty               HAVING it exceeds a bound
//   top10     ORDER BY notional DESC LIMIT 10
//   silent    counterparty = one that never trades        what a statement costs that is not concerned
// "naive" is the conditions of all statements evaluated on each trade, and nothing else: less than what looking at all of them would cost.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/floor_workload.h"
#include "engine/engine.h"
#include "engine/queries/live_queries.h"

namespace {

using namespace halocline;
using Clock = std::chrono::steady_clock;
using PlanPointer = std::shared_ptr<const queries::Plan>;

constexpr Nanos kStart = 1'700'000'000'000'000'000;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string statement(const std::string& kind, std::uint64_t k, std::uint64_t all, const bench::FloorWorkload& floor) {
  const std::string pair = " FROM trades WHERE trader = '" + floor.traders[k % floor.traders.size()] + "' AND instrument = '" +
                           floor.instruments[k % floor.instruments.size()] + "'";
  const std::string quantity = std::to_string(100 * (1 + k / 1'000 % 50));
  if (kind == "equality") {
    return "SELECT trade_id, notional" + pair + " AND quantity = " + quantity + " AND side = '" + (k < 50'000 ? "BUY" : "SELL") + "'";
  }
  if (kind == "range") {
    const std::uint64_t low = k * 7'919 % 2'000'000;
    return "SELECT trade_id, notional FROM trades WHERE notional BETWEEN " + std::to_string(low) + " AND " +
           std::to_string(low + 25'000'000 / all);
  }
  if (kind == "grouped") {
    return "SELECT counterparty, SUM(notional) AS total" + pair + " GROUP BY counterparty HAVING SUM(notional) > " +
           std::to_string(100'000 * (1 + k / 1'000));
  }
  if (kind == "top10") return "SELECT trade_id, notional" + pair + " AND quantity >= " + quantity + " ORDER BY notional DESC LIMIT 10";
  return "SELECT trade_id FROM trades WHERE counterparty = 'nobody" + std::to_string(k) + "'";
}

// An engine with the floor's reference data and nothing traded.
struct Books {
  Books() {
    for (const Command& command : floor.reference()) engine.apply(engine.last_seq() + 1, kStart, command, events);
  }
  void trade() { engine.apply(engine.last_seq() + 1, kStart, floor.next_trade(id), events); }

  bench::FloorWorkload floor{1};
  Engine engine;
  std::vector<AlertEvent> events;
  std::string id;
};

// For trades enough to fill the time; gives trades a second.
template <class Each>
double rate_of(double seconds, Each each) {
  constexpr int kBetweenLooks = 64;
  std::uint64_t done = 0;
  const Clock::time_point start = Clock::now();
  double passed = 0;
  while (passed < seconds) {
    for (int i = 0; i < kBetweenLooks; ++i) each();
    done += kBetweenLooks;
    passed = seconds_since(start);
  }
  return static_cast<double>(done) / passed;
}

void measure(const std::string& kind, std::uint64_t statements, double seconds) {
  Books books;
  std::vector<PlanPointer> plans;
  const Clock::time_point start = Clock::now();
  for (std::uint64_t k = 0; k < statements; ++k) {
    Result<queries::Plan> plan = queries::prepare(statement(kind, k, statements, books.floor), {});
    CHECK(plan.ok(), "%s", plan.status().message().c_str());
    plans.push_back(std::make_shared<const queries::Plan>(plan.take()));
    CHECK(books.engine.queries().add(plans.back()).ok(), "statement %llu is refused", static_cast<unsigned long long>(k));
  }
  const double registered = seconds_since(start);

  std::uint64_t trades = 0, changed = 0;
  const double rate = rate_of(seconds, [&] {
    books.trade();
    ++trades;
    for (const queries::LiveEvents& one : books.engine.queries().take()) changed += one.events->rows.size();
  });

  // The conditions alone, over trades that are there already.
  const Snapshot state = books.engine.snapshot();
  Splits splits(*state);
  const queries::Reader reader{*state, splits, state->time};
  std::uint32_t row = 0;
  std::uint64_t holds = 0, looked_at = 0;
  const Clock::time_point naive_start = Clock::now();
  double naive_seconds = 0;
  for (; naive_seconds < seconds; naive_seconds = seconds_since(naive_start), ++looked_at) {
    queries::Inputs inputs;
    inputs.rows[0] = row++ % static_cast<std::uint32_t>(state->trades.size());
    for (const PlanPointer& plan : plans) holds += plan->filters[0]->holds(reader, inputs);
  }
  std::printf("{\"kind\":\"%s\",\"statements\":%llu,\"register_s\":%.3f,\"events_per_s\":%.0f,\"out_per_event\":%.4f,"
              "\"naive_events_per_s\":%.0f,\"naive_matches_per_event\":%.4f}\n",
              kind.c_str(), static_cast<unsigned long long>(statements), registered, rate,
              static_cast<double>(changed) / static_cast<double>(trades), static_cast<double>(looked_at) / naive_seconds,
              static_cast<double>(holds) / static_cast<double>(looked_at));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 1.5;
  Books unwatched;
  std::printf("{\"kind\":\"none\",\"statements\":0,\"events_per_s\":%.0f}\n", rate_of(seconds, [&] { unwatched.trade(); }));
  for (const char* kind : {"equality", "range", "grouped", "top10", "silent"}) {
    for (const std::uint64_t statements : {1u, 1'000u, 100'000u}) measure(kind, statements, seconds);
  }
}
