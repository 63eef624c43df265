// Looks after `trades` of a folder that bench_upsert has left: everything that is to be made anew, and old snapshots.
//   bench_compact FOLDER     prints one JSON line
#include <cstdio>
#include <string>

#include "bench/history_bench.h"
#include "history/maintenance/upkeep.h"
#include "history/tables/table_set.h"
#include "history/tables/trades.h"
#include "history/tables/upsert_table.h"

using namespace halocline;
using namespace halocline::bench;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_compact FOLDER\n");
    return 2;
  }
  SystemClock clock;
  LakeFolder lake(argv[1], clock);
  UpsertTable table(trades::definition());
  TableSet tables(*lake.catalog, lake.warehouse, clock, {"halocline", 2, "bench"});
  tables.add(table);
  must(tables.open());
  UpkeepOptions options;
  options.retention.keep_ms = 0;
  Upkeep upkeep(*lake.catalog, lake.warehouse, clock, options);
  const SteadyClock::time_point from = SteadyClock::now();
  int pieces = 0;
  while (const auto made = must(upkeep.compact(trades::definition()))) {
    must(tables.replace(*made));
    ++pieces;
  }
  must(upkeep.expire(trades::definition()));
  std::printf("{\"seconds\": %.3f, \"pieces\": %d}\n", seconds_since(from), pieces);
  return 0;
}
