// Reading a journal at the start of the process: every block checked and handed on, and a judgement of its end. What a
// crash can leave is repaired, anything else that does not check stops the start. The rules and their reasons are
// docs/formats/journal.md, "Torn or damaged" and "Recovery".
//
// One thread, which holds the journal's lock (nobody writes).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/status.h"
#include "journal/block_view.h"
#include "journal/segment.h"

namespace halocline {

struct RecoveryOptions {
  // Blocks that end before this seq are not handed on, and segments that end before it are not read at all: for a start
  // from a checkpoint. The block that holds it is handed on whole.
  Seq replay_from = 1;
  bool verify_chain = true;
  // Whoever starts has everything up to and including `seq`, after which the hash chain was `chain`. The journal must agree: kDataLoss when
  // it does not. When it ends before `seq`, that is kDataLoss if it was synced up to there, else kOutOfRange.
  struct Checkpoint {
    Seq seq = 0;
    Digest chain{};
    bool synced = false;
  };
  std::optional<Checkpoint> checkpoint;
};

// Takes one block; a failure stops the recovery and becomes its result. The block is gone after the call.
using BlockHandler = std::function<Status(const BlockView&)>;

// An incomplete commit at the end, which a crash left and recovery wiped. It was never acknowledged.
struct TornTail {
  std::string path;            // of the segment
  std::uint64_t offset = 0;    // where it starts
  std::uint64_t bytes = 0;     // to its last byte that isn't zero
  std::uint32_t blocks = 0;    // whole blocks among it, which nothing proves durable and whose predecessor is missing
  std::uint64_t records = 0;   // … and their records
};

struct Recovered {
  bool empty = true;  // there is no journal yet: nothing below is set
  JournalId id{};
  Seq first_seq = 1;     // of the oldest record in the directory
  Seq last_seq = 0;      // 0: no record yet
  Nanos last_time = 0;   // of the last block read; the next must not be earlier
  std::uint32_t first_segment = 0;
  std::uint32_t last_segment = 0;
  std::uint64_t blocks = 0;   // read
  std::uint64_t records = 0;  // read
  std::uint64_t bytes = 0;    // of their payloads
  Digest chain{};
  bool sealed = false;        // it ends with the seal of a graceful close
  std::optional<TornTail> torn;
  std::vector<std::string> notes;  // what else a crash had left, in words

  // For repair() and the writer that goes on.
  SegmentHeader segment;             // of the last segment
  std::uint64_t end = 0;             // where in it the next block goes
  std::uint64_t proven_end = 0;      // what stands before it there was synced for certain
  // Where the end mark of the segment before the last belongs, when the last has no block yet: nothing proves that mark.
  std::optional<std::uint64_t> mark_offset;
  Digest mark_chain{};
  Seq mark_seq = 0;
  std::vector<std::string> litter;   // names of half-made segments to remove
};

// Reads the journal in `directory` and changes nothing. kDataLoss: it is damaged, and the message names the segment file,
// the offset, what was found and what to do. kUnsupported: a foreign file or a newer format. kIo: the disk.
Result<Recovered> recover(Disk& disk, const std::string& directory, const RecoveryOptions& options,
                          const BlockHandler& handler);

// Makes the files agree with what recover() found, and everything it handed on durable: removes litter, wipes a torn
// tail, and writes again and syncs what nothing proves to be on the medium: the last blocks, and the end mark before a
// segment without any (a process that died of a sync error leaves pages that can be read and were never written).
Status repair(Disk& disk, const std::string& directory, const Recovered& recovered);

// The id in the first of its segments whose header checks; kNotFound: there is no journal.
Result<JournalId> journal_id(Disk& disk, const std::string& directory);

// The numbers of the segments in a directory, ascending.
Result<std::vector<std::uint32_t>> list_segments(Disk& disk, const std::string& directory);

// Overwrites [begin, end) with zeros.
Status write_zeros(File& file, std::uint64_t begin, std::uint64_t end);

// Writes the mark that says that the next segment exists, at the end of `segment`, and syncs it.
Status write_end_mark(File& file, const SegmentHeader& segment, std::uint64_t offset, Seq next_seq, Nanos time,
                      const Digest& chain);

}  // namespace halocline
