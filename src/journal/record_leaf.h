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

// The records of blocks become leaves of a tree: the digests of many are worked out side by side (base/sha256_many.h).
//
//   RecordLeaves leaves;
//   for (const Record record : block.contents()) leaves.add(record, block.time, tree);
//   leaves.flush(tree);
//
// Memory is that of some hundred records, or of one that is larger. One thread.
class RecordLeaves {
 public:
  // The next leaf of the tree, which has it after flush() at the latest. The record may go.
  void add(const Record& record, Nanos time, MerkleTree& tree);
  void flush(MerkleTree& tree);
  // All records of a block, in order.
  void add(const BlockView& block, MerkleTree& tree);

 private:
  std::vector<std::byte> buffer_, bytes_;  // of one leaf; of those that wait, each behind its prefix
  std::vector<std::size_t> sizes_;
  std::vector<std::span<const std::byte>> messages_;
  std::vector<Digest> digests_;
};

}  // namespace halocline
