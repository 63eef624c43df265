// A history of very many small commits, five seconds apart by its clock, looked after each minute as `halocline serve` does: how many
// files are left of it, how large its metadata is, and how much room it takes beside the same rows written in one go.
//   bench_files JOURNAL FOLDER [commits]     prints one JSON line
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "bench/history_bench.h"
#include "history/iceberg/live_files.h"
#include "history/maintenance/upkeep.h"
#include "history/tables/follower.h"
#include "journal/recovery.h"
#include "server/engine_books.h"

using namespace halocline;
using namespace halocline::bench;

namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr int kCommitsARound = 12;

// One round over all tables, as server/history.cc has it.
void look_after(Follower& follower, LakeFolder& lake, Upkeep& upkeep) {
  for (const TableDefinition& table : Follower::definitions()) {
    while (auto made = must(upkeep.compact(table))) {
      const Status replaced = follower.replace(*made);
      if (!replaced.ok()) discard(lake.warehouse, *made);
      must(replaced);
    }
    must(upkeep.expire(table));
  }
}

// As far as whole blocks go.
void follow(Follower& follower, Seq until) {
  for (Seq before = until; follower.read_seq() < until && follower.read_seq() != before;) {
    before = follower.read_seq();
    must(follower.follow(until));
  }
}

struct Left {
  std::size_t files_a_partition = 0, deletes = 0, snapshots = 0;
  std::uint64_t metadata_bytes = 0;  // of the largest metadata file
};

Left left_in(LakeFolder& lake) {
  Left left;
  for (const TableDefinition& definition : Follower::definitions()) {
    const auto table = must(lake.catalog->load_table({{"halocline"}, definition.name}));
    std::map<std::int64_t, std::size_t> partitions;
    std::size_t deletes = 0;
    for (const iceberg::LiveFile& one : must(iceberg::live_files(lake.warehouse, *table.metadata))) {
      if (one.file.content != iceberg::FileContent::kData) ++deletes;
      else ++partitions[one.file.partition.empty() ? 0 : *one.file.partition[0].number()];
    }
    for (const auto& [day, files] : partitions) left.files_a_partition = std::max(left.files_a_partition, files);
    left.deletes = std::max(left.deletes, deletes);
    left.snapshots = std::max(left.snapshots, table.metadata->snapshots.size());
    left.metadata_bytes = std::max<std::uint64_t>(left.metadata_bytes, must(lake.warehouse.read(table.metadata_location, 1 << 30)).size());
  }
  return left;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_files JOURNAL FOLDER [commits]\n");
    return 2;
  }
  const Seq commits = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1'000;
  ManualClock clock(SystemClock().wall());
  LakeFolder lake(argv[2] + std::string("/small"), clock), clean(argv[2] + std::string("/clean"), clock);
  const Seq last = must(recover(lake.disk, argv[1], {}, [](const BlockView&) { return ok_status(); })).last_seq;
  FollowerOptions options;
  options.journal_directory = argv[1];

  EngineBooks books;
  const auto follower = must(Follower::open(lake.disk, books, *lake.catalog, lake.warehouse, clock, options));
  Upkeep upkeep(*lake.catalog, lake.warehouse, clock, {});
  double committing = 0, looking_after = 0, longest_round = 0;
  Left most;
  for (Seq commit = 1; commit <= commits; ++commit) {
    clock.advance(5 * kSecond);
    const SteadyClock::time_point from = SteadyClock::now();
    const Seq until = last / commits * commit + (commit == commits ? last % commits : 0);
    follow(*follower, until);
    must(follower->commit());
    committing += seconds_since(from);
    if (commit % kCommitsARound != 0 && commit != commits) continue;
    const SteadyClock::time_point round = SteadyClock::now();
    look_after(*follower, lake, upkeep);
    looking_after += seconds_since(round);
    longest_round = std::max(longest_round, seconds_since(round));
    const Left left = left_in(lake);
    most.files_a_partition = std::max(most.files_a_partition, left.files_a_partition);
    most.metadata_bytes = std::max(most.metadata_bytes, left.metadata_bytes);
    most.snapshots = std::max(most.snapshots, left.snapshots);
  }
  const Files while_kept = files_below(argv[2], "/small/warehouse/", "");
  clock.advance(2 * 3'600 * kSecond);  // snapshots grow old
  look_after(*follower, lake, upkeep);
  const Left left = left_in(lake);

  EngineBooks other_books;
  const auto other = must(Follower::open(clean.disk, other_books, *clean.catalog, clean.warehouse, clock, options));
  follow(*other, last);
  must(other->commit());
  // `positions` and `nodes` have rows for each commit: the clean write has one of them.
  std::uint64_t small_bytes = 0, clean_bytes = 0, small_metadata = 0;
  for (const char* table : {"/trade_events-", "/trades-", "/prices-", "/alerts-", "/limits-", "/reference-"}) {
    small_bytes += files_below(argv[2] + std::string("/small"), table, ".parquet").bytes;
    clean_bytes += files_below(argv[2] + std::string("/clean"), table, ".parquet").bytes;
    small_metadata += files_below(argv[2] + std::string("/small"), std::string(table), "").bytes;
  }
  small_metadata -= small_bytes;
  std::printf("{\"commits\": %llu, \"rows\": %llu, \"seconds\": %.1f, \"files\": %zu, \"most_files\": %zu, \"delete_files\": %zu, "
              "\"space_ratio\": %.3f, \"most_snapshots\": %zu, \"most_metadata_bytes\": %llu, \"metadata_bytes\": %llu, \"all_metadata_bytes\": %llu, "
              "\"bytes_with_an_hour_of_snapshots\": %llu, \"commit_ms\": %.2f, \"upkeep_ms_a_commit\": %.2f, \"longest_round_ms\": %.1f}\n",
              static_cast<unsigned long long>(follower->commits()), static_cast<unsigned long long>(follower->committed_rows()),
              committing + looking_after, left.files_a_partition, most.files_a_partition, left.deletes,
              static_cast<double>(small_bytes) / static_cast<double>(clean_bytes), most.snapshots,
              static_cast<unsigned long long>(most.metadata_bytes), static_cast<unsigned long long>(left.metadata_bytes),
              static_cast<unsigned long long>(small_metadata),
              static_cast<unsigned long long>(while_kept.bytes), committing / static_cast<double>(commits) * 1e3,
              looking_after / static_cast<double>(commits) * 1e3, longest_round * 1e3);
  return 0;
}
