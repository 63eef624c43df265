// The journal as the sequencer sees it: one ordered log of blocks of records, with one writer. What a log promises does
// not say where it is kept: FileJournal (segments on a disk), MemoryJournal (nowhere), later a replicated log.
//
//   if (Status status = journal.append(block); !status.ok()) …   // refused: the log is as it was
//   Result<Seq> durable = journal.commit();                      // everything appended so far is durable
//   if (durable.ok()) publish_up_to(durable.value());
//
// Threads: one thread, the owner, calls everything but stats().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/limits.h"
#include "base/status.h"
#include "journal/block_view.h"

namespace halocline {

// When a commit is done.
enum class Durability {
  kFsync,   // it is on the medium: survives a power failure
  kOs,      // the operating system has it: survives the process, not the machine
  kMemory,  // at once: survives nothing
};

// "fsync", "os", "memory"; kInvalidArgument for any other text.
Result<Durability> parse_durability(const std::string& text);
const char* durability_name(Durability durability);

struct JournalStats {
  std::uint64_t records = 0;   // appended by this process, as are the next three
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;     // as stored, framing and padding included
  std::uint64_t syncs = 0;
  std::uint64_t segments = 0;  // in the directory
  std::int64_t last_sync_nanos = 0;    // how long the last commit waited for the disk
  std::uint64_t rotation_waits = 0;    // how often a full segment had to wait for the next one
  std::string warning;         // for the operator: what will go wrong if nothing is done. Mostly empty
};

class Journal {
 public:
  virtual ~Journal() = default;

  // The longest payload that fits: constant, at most limits::kMaxBlockBytes, less when segments are small.
  virtual std::size_t max_block_bytes() const { return limits::kMaxBlockBytes; }

  // Adds a block behind all others. CHECKed: block.first_seq == next_seq(), at least one record, payload well framed and
  // at most limits::kMaxBlockBytes, time not before the last block's. kResourceExhausted: no room; nothing was added, and
  // the same call may work later. Anything else: the journal is poisoned, and every later call fails the same way.
  virtual Status append(const BlockView& block) = 0;

  // Waits until everything appended is durable and returns the seq of its last record (0: there is none). A failure
  // poisons the journal: nobody knows what of the uncommitted is on the medium, so the process must stop.
  virtual Result<Seq> commit() = 0;

  // Whether commit() takes the time of a medium, which others can use.
  virtual bool commit_waits() const = 0;

  // Commits and marks a graceful end. Nothing but stats() may be called afterwards. Without it the journal recovers as
  // after a crash.
  virtual Status close() = 0;

  // The seq of the record that is appended next.
  virtual Seq next_seq() const = 0;

  // Any thread, any time.
  virtual JournalStats stats() const = 0;
};

}  // namespace halocline
