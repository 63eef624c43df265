// What stands behind the last good block of a segment, and what it proves. This is how a torn tail, which a crash
// leaves and recovery truncates, is told from damage, which stops the start (docs/formats/journal.md, "Torn or damaged").
#pragma once

#include <cstdint>
#include <string>

#include "base/disk.h"
#include "base/status.h"
#include "journal/segment.h"

namespace halocline {

struct Tail {
  std::uint64_t written_end = 0;  // the end of the last byte that is not zero; the place looked from if there is none
  std::uint32_t blocks = 0;       // whole blocks of records behind the broken place that nothing proves durable
  std::uint64_t records = 0;      // … and their records
  std::uint64_t first_block = 0;  // the offset of the first whole block in its right place, 0 for none
  bool damage = false;            // a crash can't have left this
  std::string evidence;           // why, for a person: "the block at offset … was written after …"
};

// Looks from `offset` (where the block with seq `next_seq` should stand, and doesn't) to the end of the segment.
Result<Tail> scan_tail(File& file, const SegmentHeader& header, std::uint64_t offset, Seq next_seq);

}  // namespace halocline
