// Writes a journal of so many trades of the bench floor (and its reference data), as a server would have left it.
//   bench_make_journal DIRECTORY TRADES
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/disk.h"
#include "bench/floor_workload.h"
#include "command/codec.h"
#include "journal/file_journal.h"

namespace {

using namespace halocline;

[[noreturn]] void fail(const Status& status) {
  std::fprintf(stderr, "bench_make_journal: %s\n", status.message().c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_make_journal DIRECTORY TRADES\n");
    return 2;
  }
  const std::uint64_t trades = std::strtoull(argv[2], nullptr, 10);
  PosixDisk disk;
  FileJournalOptions options;
  options.directory = argv[1];
  options.durability = Durability::kOs;
  options.now = 1'700'000'000'000'000'000;
  Result<std::unique_ptr<FileJournal>> opened =
      FileJournal::open(disk, options, [](const BlockView&) { return ok_status(); });
  if (!opened.ok()) fail(opened.status());
  FileJournal& journal = *opened.value();

  bench::FloorWorkload floor(1);
  std::vector<std::byte> payload;
  std::uint32_t records = 0;
  Nanos time = options.now;
  auto flush = [&] {
    if (records == 0) return;
    if (Status status = journal.append({journal.next_seq(), time, records, payload}); !status.ok()) fail(status);
    time += 1'000'000;
    payload.clear();
    records = 0;
  };
  for (const Command& command : floor.reference()) append_record(command, payload), ++records;
  std::string id;
  for (std::uint64_t i = 0; i < trades; ++i) {
    append_record(floor.next_trade(id), payload);
    if (++records >= 500) flush();
  }
  flush();
  if (Result<Seq> durable = journal.commit(); !durable.ok()) fail(durable.status());
  if (Status status = journal.close(); !status.ok()) fail(status);
  const JournalStats stats = journal.stats();
  std::printf("{\"records\":%llu,\"bytes\":%llu}\n", static_cast<unsigned long long>(stats.records),
              static_cast<unsigned long long>(stats.bytes));
}
