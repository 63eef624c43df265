// The journal in segment files of one directory (docs/formats/journal.md). Opening it recovers what is there; from then on
// this process is its only writer, until it is destroyed.
//
//   PosixDisk disk;
//   FileJournalOptions options;
//   options.directory = "/var/lib/halocline/journal";
//   options.now = clock.now();
//   auto journal = FileJournal::open(disk, options, [&](const BlockView& block) { return replay(block); });
//   if (!journal.ok()) return journal.status();      // says which file, where, and what to do
//   report(journal.value()->recovered());            // last seq and time, a torn tail that was wiped
//
// Threads: as Journal. One or two threads of its own prepare segments and, in the `os` mode, write behind.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "journal/block.h"
#include "journal/crash_point.h"
#include "journal/journal.h"
#include "journal/recovery.h"
#include "journal/segment_preparer.h"
#include "journal/write_behind.h"

namespace halocline {

struct FileJournalOptions {
  std::string directory;
  Durability durability = Durability::kFsync;  // or kOs; kMemory is MemoryJournal
  std::uint64_t segment_bytes = 256u << 20;    // of new segments; a multiple of 4096
  RecoveryOptions recovery;
  Nanos now = 0;                               // the time of opening, for the header of a new journal
  bool background = true;                      // false: no thread of its own, for repeatable tests
  const char* crash_at = nullptr;              // null: the environment's HALOCLINE_CRASH_AT
};

class FileJournal final : public Journal {
 public:
  // Makes the directory and a new journal if there is none, else recovers: `handler` gets every block from
  // options.recovery.replay_from on, in order, on this thread. kFailedPrecondition: another process has the directory.
  // kDataLoss, kUnsupported: see recover(); nothing was changed. kInvalidArgument: the options. kIo, kResourceExhausted:
  // the disk. `disk` must outlive the journal.
  static Result<std::unique_ptr<FileJournal>> open(Disk& disk, const FileJournalOptions& options,
                                                   const BlockHandler& handler);

  Status append(const BlockView& block) override;
  Result<Seq> commit() override;
  bool commit_waits() const override { return options_.durability == Durability::kFsync; }
  Status close() override;
  Seq next_seq() const override { return next_seq_; }
  std::size_t max_block_bytes() const override { return max_block_bytes_; }
  JournalStats stats() const override;

  // What the opening found.
  const Recovered& recovered() const { return recovered_; }
  // The hash chain after the last block appended, and the journal's id.
  const Digest& chain() const { return chain_; }
  const JournalId& id() const { return segment_.id; }

 private:
  FileJournal(Disk& disk, const FileJournalOptions& options) : disk_(disk), options_(options) {}

  Status recover_or_create(const BlockHandler& handler);
  Status create_first();
  Status continue_at(const Recovered& recovered);
  Status name_segment(File& file, const SegmentHeader& header);
  Status rotate(Nanos time);
  Status write_block(BlockHeader header, std::span<const std::byte> payload);
  BlockHeader next_header(BlockKind kind, Nanos time) const;
  Status sync();
  Status poison(const Status& status);
  std::uint64_t room() const { return segment_.segment_bytes - offset_; }

  Disk& disk_;
  const FileJournalOptions options_;
  CrashPoints crash_points_;
  Recovered recovered_;
  std::unique_ptr<Lock> lock_;
  Status poison_;
  bool closed_ = false;

  std::shared_ptr<File> file_;  // the current segment
  SegmentHeader segment_;
  std::uint64_t offset_ = 0;       // where the next block goes
  std::uint64_t durable_end_ = 0;  // everything before it in this segment is durable
  Seq next_seq_ = 1;
  Nanos last_time_ = 0;
  Digest chain_{};
  std::vector<std::byte> buffer_;  // one block as it is stored
  std::size_t max_block_bytes_ = 0;

  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> blocks_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> segments_{0};
  std::atomic<std::int64_t> last_sync_nanos_{0};
  std::atomic<std::uint64_t> rotation_waits_{0};

  std::unique_ptr<SegmentPreparer> preparer_;   // last: their threads end before the rest goes
  std::unique_ptr<WriteBehind> write_behind_;
};

}  // namespace halocline
