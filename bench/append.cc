// The history's writer: a journal of trades into committed files of trade_events, from the first block read to the last commit, with
// all that belongs to it: the engine that says what became of each command, the state digests, and `trades` kept beside it.
//   bench_append JOURNAL WAREHOUSE [rows a commit]     prints one JSON line
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/disk.h"
#include "history/catalog/sqlite_catalog.h"
#include "history/tables/follower.h"
#include "journal/recovery.h"
#include "server/engine_books.h"

namespace {

using namespace halocline;
using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) { return std::chrono::duration<double>(SteadyClock::now() - start).count(); }

void must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench_append: %s\n", status.message().c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  must(result.status());
  return result.take();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_append JOURNAL WAREHOUSE [rows a commit]\n");
    return 2;
  }
  const std::int64_t rows_a_commit = argc > 3 ? std::atoll(argv[3]) : 1'000'000;
  PosixDisk disk;
  SystemClock clock;
  FolderWarehouse warehouse(disk, std::filesystem::absolute(argv[2]).string());
  std::filesystem::create_directories(argv[2]);
  const auto catalog = must(iceberg::open_sqlite_catalog(std::string(argv[2]) + "/catalog.db", warehouse, clock));
  const Seq last = must(recover(disk, argv[1], {}, [](const BlockView&) { return ok_status(); })).last_seq;
  EngineBooks books;
  FollowerOptions options;
  options.journal_directory = argv[1];
  const auto follower = must(Follower::open(disk, books, *catalog, warehouse, clock, options));
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
  std::uint64_t bytes = 0, files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[2])) {
    if (entry.path().extension() != ".parquet" || entry.path().string().find("/trade_events-") == std::string::npos) continue;
    bytes += entry.file_size(), ++files;
  }
  const auto ledger = must(catalog->load_table({{options.space}, "trade_events"}));
  const double rows = std::atof(ledger.metadata->current_snapshot()->summary.at("total-records").c_str());
  std::printf("{\"rows\": %.0f, \"seconds\": %.3f, \"rows_per_s\": %.0f, \"commit_seconds\": %.3f, \"commits\": %llu, \"files\": %llu, "
              "\"bytes_per_row\": %.1f}\n",
              rows, seconds, rows / seconds, committing, static_cast<unsigned long long>(follower->commits()),
              static_cast<unsigned long long>(files), static_cast<double>(bytes) / rows);
  return 0;
}
