// The engine alone, no I/O: trades a second on one core with 200 node limits, bytes a live trade, and then prices a second, each of which
// moves all positions in its instrument.
//   bench_engine [trades] [runs] [reserve]      prints one JSON line a run; `reserve`: MiB touched before each, as memory.reserve_bytes
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <gperftools/malloc_extension.h>

#include "base/check.h"
#include "base/slab.h"
#include "bench/floor_workload.h"
#include "command/codec.h"
#include "engine/state/state.h"
#include "server/apply_records.h"

namespace {

using namespace halocline;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The allocator is the server's.
std::size_t bytes_held() {
  std::size_t allocated = 0;
  CHECK(MallocExtension::instance()->GetNumericProperty("generic.current_allocated_bytes", &allocated));
  return allocated + Slab::bytes_of_all();
}

// 200 limits: a gross limit with a warning level on each trader, none of them reached often.
void add_limits(const bench::FloorWorkload& floor, std::vector<Command>& commands, std::vector<std::string>& names) {
  const Int128 unit = 100'000'000;
  names.reserve(floor.traders.size());
  for (const std::string& trader : floor.traders) {
    names.push_back("gross-" + trader);
    commands.push_back(Limit{names.back(), NodeKind::kTrader, trader, Measure::kGross, 40'000'000'000 * unit,
                             50'000'000'000 * unit, 5'000'000, true, "", 0});
  }
}

void run(std::uint64_t trades) {
  bench::FloorWorkload floor(1);
  std::vector<Command> commands = floor.reference();
  std::vector<std::string> names;
  add_limits(floor, commands, names);

  Engine engine;
  std::vector<AlertEvent> events;
  Seq seq = 0;
  Nanos time = 1'700'000'000'000'000'000;
  for (const Command& command : commands) engine.apply(++seq, time, command, events);
  const std::size_t before = bytes_held();

  // Encoded ahead, in blocks, as the journal hands them over.
  constexpr std::uint64_t kBlock = 1000;
  double in_engine = 0;
  std::uint64_t accepted = 0;
  std::vector<std::byte> block;
  std::string id;
  for (std::uint64_t done = 0; done < trades; done += kBlock) {
    block.clear();
    for (std::uint64_t i = 0; i < kBlock; ++i) append_record(floor.next_trade(id), block);
    time += 1'000'000;
    const Clock::time_point start = Clock::now();
    apply_records(engine, seq + 1, time, kBlock, block, events,
                  [&](Seq, const Applied& applied) { accepted += applied.outcome == Outcome::kAccepted; });
    seq += kBlock;
    in_engine += seconds_since(start);
  }
  const std::size_t after = bytes_held();

  constexpr std::uint64_t kPrices = 20'000;
  const Clock::time_point start = Clock::now();
  for (std::uint64_t i = 0; i < kPrices; ++i) {
    const std::uint32_t instrument = floor.below(static_cast<std::uint32_t>(floor.instruments.size()));
    const Price price{floor.instruments[instrument], floor.prices[instrument] + static_cast<std::int64_t>(floor.below(100)) * 1'000'000, 0};
    time += 1'000'000;
    engine.apply(++seq, time, price, events);
  }
  const double prices_per_s = kPrices / seconds_since(start);
  const std::size_t positions = engine.snapshot()->positions.size();
  std::printf("{\"trades\":%llu,\"accepted\":%llu,\"seconds\":%.3f,\"trades_per_s\":%.0f,\"bytes_per_trade\":%.1f,"
              "\"prices_per_s\":%.0f,\"positions_a_price\":%.0f,\"events\":%zu}\n",
              static_cast<unsigned long long>(trades), static_cast<unsigned long long>(accepted), in_engine,
              static_cast<double>(trades) / in_engine, static_cast<double>(after - before) / static_cast<double>(trades), prices_per_s,
              static_cast<double>(positions) / static_cast<double>(floor.instruments.size()), events.size());
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t trades = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 4'000'000;
  const int runs = argc > 2 ? std::atoi(argv[2]) : 3;
  const std::uint64_t reserve = argc > 3 ? std::strtoull(argv[3], nullptr, 10) << 20 : 0;
  for (int i = 0; i < runs; ++i) {
    if (const Status reserved = Slab::reserve(reserve); !reserved.ok()) return std::fprintf(stderr, "%s\n", reserved.message().c_str()), 1;
    run(trades);
  }
}
