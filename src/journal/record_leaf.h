// A record of the journal as a leaf of its Merkle tree: u64 seq, i64 time of its block, and the record as it is framed in the journal
// (docs/formats/audit.md, "Leaves"). The leaf of seq 1 is number 0. Any thread.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "base/merkle.h"
#include "journal/block_view.h"

namespace halocline {

inline constexpr std::size_t kLeafContextBytes = 16;

// `record` is of a block, with its frame before its payload in memory. `buffer` is for reuse; the leaf's bytes are a view of it.
inline std::span<const std::byte> record_leaf(const Record& record, Nanos time, std::vector<std::byte>& buffer) {
  const std::size_t framed = kRecordFrameBytes + record.payload.size();
  buffer.resize(kLeafContextBytes + framed);
  std::memcpy(buffer.data(), &record.seq, 8);
  std::memcpy(buffer.data() + 8, &time, 8);
  std::memcpy(buffer.data() + kLeafContextBytes, record.payload.data() - kRecordFrameBytes, framed);
  return buffer;
}

// All records of a block, in order.
inline void add_leaves(const BlockView& block, MerkleTree& tree, std::vector<std::byte>& buffer) {
  for (const Record record : block.contents()) tree.add(leaf_hash(record_leaf(record, block.time, buffer)));
}

}  // namespace halocline
