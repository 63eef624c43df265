// Reads the blocks of a journal's directory forward from a seq, offline or while the writer is writing: the history
// tails it. Every block returned is complete and checked (CRC, place, seq, hash chain); the payload is a view.
//
//   auto reader = JournalReader::open(disk, directory, 1);
//   if (!reader.ok()) return reader.status();
//   reader.value()->stop_after(durable_seq);                     // what a commit() returned
//   for (;;) {
//     Result<std::optional<BlockView>> block = reader.value()->next();
//     if (!block.ok()) return block.status();
//     if (!block.value().has_value()) break;                     // up to date: come again later
//     use(*block.value());
//   }
//
// One thread per reader; any number of readers, in any process, beside the writer. Complete is not durable: without
// stop_after, blocks are returned that a crash of the machine may still take back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/status.h"
#include "journal/block_view.h"
#include "journal/segment_reader.h"

namespace halocline {

class JournalReader {
 public:
  // Starts with the block that holds seq `from` (returned whole). kNotFound: there is no journal. kOutOfRange: `from` is
  // before the oldest segment. kDataLoss, kUnsupported: a header that does not check. `disk` must outlive the reader.
  // Without `verify_chain` the block is found by a search, with it all of the segment before it is read and checked.
  static Result<std::unique_ptr<JournalReader>> open(Disk& disk, const std::string& directory, Seq from,
                                                     bool verify_chain = true);

  // Returns no block that ends after `seq`, which is durable. It may only grow. A block at or before it that does not check is
  // damage at once; without it, an incomplete block may be one that is being written, and the reader waits for it.
  void stop_after(Seq seq) { stop_after_ = seq; }

  // The next block, valid until the next call; nothing when there is none (yet). kDataLoss names the file and place.
  Result<std::optional<BlockView>> next();

  // For a journal that nobody writes, after next() gave nothing: whether that is its true end (a torn tail is), or
  // kDataLoss because damage hides what follows.
  Status check_end();

  // The seq that comes next, if not held back by stop_after.
  Seq next_seq() const { return held_ ? segment_->block().first_seq : segment_->next_seq(); }
  const JournalId& id() const { return segment_->segment().id; }
  // The hash chain after the last block read from the files.
  const Digest& chain() const { return segment_->chain(); }

 private:
  JournalReader(Disk& disk, const std::string& directory, Seq from, bool verify_chain)
      : disk_(disk), directory_(directory), from_(from), verify_chain_(verify_chain) {}

  std::string path(std::uint32_t number) const;
  Status skip_to(Seq seq);
  Result<bool> open_segment(std::uint32_t number);  // false: there is none (yet)
  Result<bool> follow(Step step);                   // to the next segment; false: this is the end for now
  Status damage(const std::string& what) const;

  Disk& disk_;
  const std::string directory_;
  const Seq from_;
  const bool verify_chain_;
  Seq stop_after_ = 0;  // 0: no bound
  std::unique_ptr<SegmentReader> segment_;
  bool held_ = false;   // segment_->block() has been read and is beyond stop_after_
};

}  // namespace halocline
