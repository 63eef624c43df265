// The history's writer: a journal of trades into committed files of trade_events, from the first block read to the last commit.
//   bench_append JOURNAL WAREHOUSE all|ledger [rows a commit]     prints one JSON line
// `all`: as the server does it, with the engine that says what became of each command, the state digests and the other seven tables.
// `ledger`: the writer of trade_events alone, for which every command is accepted and nothing else changes.
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "bench/history_bench.h"
#include "history/tables/follower.h"
#include "journal/recovery.h"
#include "server/engine_books.h"

using namespace halocline;
using namespace halocline::bench;

namespace {

class AcceptingBooks final : public Books {
 public:
  void apply(Seq, Nanos, std::span<const Command> commands, const Told& told) override {
    for (std::size_t i = 0; i < commands.size(); ++i) told(i, {Outcome::kAccepted, 0}, {});
  }
  void changed_trades(const TradeVisitor&) override {}
  void changed_positions(const PositionVisitor&) override {}
  void changed_nodes(const NodeVisitor&) override {}
  std::string digest() override { return ""; }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 3 ? argv[3] : "";
  if (what != "all" && what != "ledger") {
    std::fprintf(stderr, "usage: bench_append JOURNAL WAREHOUSE all|ledger [rows a commit]\n");
    return 2;
  }
  const std::int64_t rows_a_commit = argc > 4 ? std::atoll(argv[4]) : 1'000'000;
  SystemClock clock;
  LakeFolder lake(argv[2], clock);
  const Seq last = must(recover(lake.disk, argv[1], {}, [](const BlockView&) { return ok_status(); })).last_seq;
  EngineBooks engine;
  AcceptingBooks accepting;
  FollowerOptions options;
  options.journal_directory = argv[1];
  Books& books = what == "all" ? static_cast<Books&>(engine) : accepting;
  const auto follower = must(Follower::open(lake.disk, books, *lake.catalog, lake.warehouse, clock, options));
  const SteadyClock::time_point start = SteadyClock::now();
  double committing = 0;
  while (follower->read_seq() < last) {
    const Seq before = follower->read_seq();
    must(follower->follow(last));
    if (follower->full() || follower->rows() >= rows_a_commit || follower->read_seq() == before) {
      const SteadyClock::time_point from = SteadyClock::now();
      must(follower->commit());
      committing += seconds_since(from);
    }
  }
  must(follower->commit());
  const double seconds = seconds_since(start);
  const Files files = files_below(argv[2], "/trade_events-", ".parquet");
  const auto ledger = must(lake.catalog->load_table({{options.space}, "trade_events"}));
  const double rows = std::atof(ledger.metadata->current_snapshot()->summary.at("total-records").c_str());
  std::printf("{\"rows\": %.0f, \"seconds\": %.3f, \"rows_per_s\": %.0f, \"commit_seconds\": %.3f, \"commits\": %llu, \"files\": %llu, "
              "\"bytes_per_row\": %.1f}\n",
              rows, seconds, rows / seconds, committing, static_cast<unsigned long long>(follower->commits()),
              static_cast<unsigned long long>(files.count), static_cast<double>(files.bytes) / rows);
  return 0;
}
