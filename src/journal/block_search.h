// Finds a block in a segment without reading all before it: a block says where it stands, so reading can begin anywhere and go on at the
// next place where one stands whole. Costs a few reads for each halving of the segment.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/status.h"
#include "command/command.h"
#include "journal/segment.h"

namespace halocline {

struct BlockPlace {
  std::uint64_t offset = 0;  // in its segment
  Seq first_seq = 0, last_seq = 0;
  Nanos time = 0;
};

// The last block of records for which `holds`, which holds for none or some of the first blocks and for no later one. Nothing: there is
// none, or the segment's first block is not whole. The CRC of each block that is looked at is checked, the hash chain is not.
Result<std::optional<BlockPlace>> last_block(File& file, const SegmentHeader& segment,
                                             const std::function<bool(const BlockPlace&)>& holds);

// The seq of the last record of the journal with a time of `time` or before, `newest` at most (which is durable); 0 when the first is
// later. kOutOfRange: it is no longer in the directory; kNotFound: there is no journal. kIo, kDataLoss, kUnsupported: a segment cannot be
// read.
Result<Seq> last_seq_until(Disk& disk, const std::string& directory, Nanos time, Seq newest);

}  // namespace halocline
