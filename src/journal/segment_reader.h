// Walks the blocks of one segment file from its start, checking each: CRC, place, seq, hash chain. Everything that reads
// a journal goes through here. It may read a file that is being written: what is not complete yet is kFree or kBroken
// now and a block at a later call.
//
//   for (;;) {
//     Result<Step> step = reader.next();
//     if (!step.ok()) return step.status();       // the disk
//     if (step.value() != Step::kBlock) break;    // see Step
//     use(reader.block());
//   }
//
// One thread. Large sequential reads into one buffer; blocks are views into it, valid until the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/status.h"
#include "journal/block.h"
#include "journal/block_view.h"
#include "journal/segment.h"

namespace halocline {

enum class Step {
  kBlock,       // block() is the next one
  kSeal,        // a graceful close; there may be more behind it
  kSegmentEnd,  // the end mark: the journal goes on in the next segment. Not passed: the next call says the same
  kFree,        // nothing has been written here (yet)
  kBroken,      // bytes that are no block: not complete yet, torn by a crash, or damaged. reason() says more
  kWrong,       // a whole block that can't follow what was read, whatever crashed. reason() says more
};

class SegmentReader {
 public:
  // `header` is what read_segment_header gave for `file`.
  SegmentReader(std::unique_ptr<File> file, const SegmentHeader& header, bool verify_chain);

  Result<Step> next();

  const BlockView& block() const { return block_; }             // after kBlock
  const BlockHeader& block_header() const { return header_; }   // after kBlock, kSeal
  const std::string& reason() const { return reason_; }         // after kBroken, kWrong
  const SegmentHeader& segment() const { return segment_; }
  File& file() { return *file_; }

  // Where the next block stands or will stand, its seq, and the hash chain up to there.
  std::uint64_t offset() const { return offset_; }
  Seq next_seq() const { return next_seq_; }
  const Digest& chain() const { return chain_; }
  // Everything before it in this segment is known to have been synced: the largest durable_end of the blocks read.
  std::uint64_t durable_end() const { return durable_end_; }

  // Goes on at a whole block behind a broken place, taking its seq and chain as they are.
  void skip_to(std::uint64_t offset);

 private:
  Result<BlockCheck> look();
  Status load(std::size_t want);
  Step accept(const BlockCheck& check);
  Step wrong(std::string reason);
  std::span<const std::byte> loaded() const;

  std::unique_ptr<File> file_;
  SegmentHeader segment_;
  std::uint64_t tag_;
  bool verify_chain_;
  bool trust_next_ = false;

  std::uint64_t offset_ = kSegmentHeaderBytes;
  Seq next_seq_;
  Digest chain_;
  std::uint64_t durable_end_ = kSegmentHeaderBytes;

  std::vector<std::byte> buffer_;  // holds the file from buffer_start_, buffer_used_ bytes
  std::uint64_t buffer_start_ = kSegmentHeaderBytes;
  std::size_t buffer_used_ = 0;
  std::size_t read_ahead_;         // grows while there is more, small at the end of a live journal

  BlockView block_;
  BlockHeader header_;
  std::string reason_;
};

}  // namespace halocline
