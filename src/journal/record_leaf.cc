#include "journal/record_leaf.h"

#include "base/sha256_many.h"

namespace halocline {
namespace {

constexpr std::size_t kMostRecords = 256, kMostBytes = 64 << 10;  // that wait

}  // namespace

void RecordLeaves::add(const Record& record, Nanos time, MerkleTree& tree) {
  const std::span<const std::byte> leaf = record_leaf(record, time, buffer_);
  bytes_.push_back(kLeafPrefix);
  bytes_.insert(bytes_.end(), leaf.begin(), leaf.end());
  sizes_.push_back(1 + leaf.size());
  if (sizes_.size() == kMostRecords || bytes_.size() > kMostBytes) flush(tree);
}

void RecordLeaves::add(const BlockView& block, MerkleTree& tree) {
  for (const Record record : block.contents()) add(record, block.time, tree);
  flush(tree);
}

void RecordLeaves::flush(MerkleTree& tree) {
  messages_.clear();
  std::span<const std::byte> rest(bytes_);
  for (const std::size_t size : sizes_) {
    messages_.push_back(rest.first(size));
    rest = rest.subspan(size);
  }
  digests_.resize(messages_.size());
  sha256_each(messages_, digests_);
  tree.add(digests_);
  bytes_.clear();
  sizes_.clear();
}

}  // namespace halocline
