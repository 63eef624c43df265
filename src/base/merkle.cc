#include "base/merkle.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/sha256_many.h"

namespace halocline {
namespace {

// The largest power of two below n, which is at least 2.
std::uint64_t split(std::uint64_t n) { return std::bit_floor(n - 1); }

std::uint64_t key_of(int level, std::uint64_t index) { return static_cast<std::uint64_t>(level) << 56 | index; }

// A range that is one complete subtree.
bool complete(LeafRange range) {
  const std::uint64_t length = range.end - range.begin;
  return std::has_single_bit(length) && range.begin % length == 0;
}

std::uint64_t key_of(LeafRange range) {
  const int level = std::countr_zero(range.end - range.begin);
  return key_of(level, range.begin >> level);
}

// SUBPROOF(m, D[begin:end], whole) of RFC 6962, 2.1.2; m counts from `begin`.
void subproof(std::uint64_t m, LeafRange range, bool whole, std::vector<LeafRange>& out) {
  const std::uint64_t n = range.end - range.begin;
  if (m == n) {
    if (!whole) out.push_back(range);
    return;
  }
  const std::uint64_t middle = range.begin + split(n);
  if (m <= middle - range.begin) {
    subproof(m, {range.begin, middle}, whole, out);
    out.push_back({middle, range.end});
  } else {
    subproof(m - (middle - range.begin), {middle, range.end}, false, out);
    out.push_back({range.begin, middle});
  }
}

// What an inner node is hashed from.
struct NodeBytes {
  NodeBytes(const Digest& left, const Digest& right) {
    bytes[0] = std::byte{1};
    std::memcpy(bytes + 1, left.data(), sizeof left);
    std::memcpy(bytes + 1 + sizeof left, right.data(), sizeof right);
  }

  std::byte bytes[1 + 2 * sizeof(Digest)];
};

// Of the nodes that each two neighbours of a level become, in their place; one that is left over is not looked at.
void join_pairs(std::vector<Digest>& level) {
  std::vector<NodeBytes> nodes;
  std::vector<std::span<const std::byte>> messages;
  nodes.reserve(level.size() / 2);
  messages.reserve(level.size() / 2);
  for (std::size_t i = 1; i < level.size(); i += 2) messages.emplace_back(nodes.emplace_back(level[i - 1], level[i]).bytes);
  level.resize(messages.size());
  sha256_each(messages, level);
}

}  // namespace

Digest leaf_hash(std::span<const std::byte> leaf) {
  Sha256 hash;
  hash.update(std::span(&kLeafPrefix, 1));
  hash.update(leaf);
  return hash.finish();
}

Digest node_hash(const Digest& left, const Digest& right) { return sha256(NodeBytes(left, right).bytes); }

void MerkleTree::add(const Digest& leaf, MerkleNodes* nodes) {
  Digest digest = leaf;
  if (nodes != nullptr) nodes->take(0, size_, digest);
  // Each bit of the size that the new leaf carries over is two subtrees that became one.
  int level = 0;
  for (std::uint64_t left = size_; (left & 1) != 0; left >>= 1) {
    digest = node_hash(frontier_.back(), digest);
    frontier_.pop_back();
    ++level;
    if (nodes != nullptr) nodes->take(level, left >> 1, digest);
  }
  frontier_.push_back(digest);
  ++size_;
}

void MerkleTree::add(std::span<const Digest> leaves) {
  std::vector<Digest> level(leaves.begin(), leaves.end());  // the new complete subtrees of a level, then those of the next one
  std::vector<Digest> left_over;                            // the frontier of the levels done, smallest first
  std::uint64_t before = size_;                             // how many there were of the level
  for (; !level.empty(); before >>= 1) {
    if ((before & 1) != 0) {
      level.insert(level.begin(), frontier_.back());
      frontier_.pop_back();
    }
    if (level.size() % 2 != 0) left_over.push_back(level.back());
    join_pairs(level);
  }
  frontier_.insert(frontier_.end(), left_over.rbegin(), left_over.rend());
  size_ += leaves.size();
}

Digest MerkleTree::root() const {
  if (frontier_.empty()) return sha256(std::span<const std::byte>());
  Digest digest = frontier_.back();
  for (std::size_t i = frontier_.size() - 1; i-- > 0;) digest = node_hash(frontier_[i], digest);
  return digest;
}

Result<MerkleTree> MerkleTree::of(std::uint64_t size, std::vector<Digest> frontier) {
  if (frontier.size() != static_cast<std::size_t>(std::popcount(size))) {
    return Status(Code::kInvalidArgument, "a tree of " + std::to_string(size) + " leaves is not of " + std::to_string(frontier.size()) +
                                              " complete subtrees");
  }
  MerkleTree tree;
  tree.size_ = size;
  tree.frontier_ = std::move(frontier);
  return tree;
}

std::vector<LeafRange> audit_path(std::uint64_t index, std::uint64_t size) {
  CHECK(index < size, "leaf %llu of %llu", static_cast<unsigned long long>(index), static_cast<unsigned long long>(size));
  std::vector<LeafRange> down;
  LeafRange range{0, size};
  while (range.end - range.begin > 1) {
    const std::uint64_t middle = range.begin + split(range.end - range.begin);
    const bool left = index < middle;
    down.push_back(left ? LeafRange{middle, range.end} : LeafRange{range.begin, middle});
    range = left ? LeafRange{range.begin, middle} : LeafRange{middle, range.end};
  }
  return {down.rbegin(), down.rend()};
}

std::vector<LeafRange> consistency_proof(std::uint64_t before, std::uint64_t size) {
  CHECK(before > 0 && before <= size, "from %llu to %llu", static_cast<unsigned long long>(before), static_cast<unsigned long long>(size));
  std::vector<LeafRange> proof;
  subproof(before, {0, size}, true, proof);
  return proof;
}

void MerkleNodes::want(std::span<const LeafRange> ranges) {
  for (const LeafRange range : ranges) want(range);
}

void MerkleNodes::want(LeafRange range) {
  if (complete(range)) {
    nodes_.try_emplace(key_of(range));
    return;
  }
  const std::uint64_t middle = range.begin + split(range.end - range.begin);
  want(LeafRange{range.begin, middle});
  want(LeafRange{middle, range.end});
}

void MerkleNodes::take(int level, std::uint64_t index, const Digest& digest) {
  if (const auto found = nodes_.find(key_of(level, index)); found != nodes_.end()) found->second = {digest, true};
}

Digest MerkleNodes::digest(LeafRange range) const {
  if (complete(range)) {
    const auto found = nodes_.find(key_of(range));
    CHECK(found != nodes_.end() && found->second.known, "the leaves %llu to %llu were not wanted or have not come",
          static_cast<unsigned long long>(range.begin), static_cast<unsigned long long>(range.end));
    return found->second.digest;
  }
  const std::uint64_t middle = range.begin + split(range.end - range.begin);
  return node_hash(digest({range.begin, middle}), digest({middle, range.end}));
}

std::vector<Digest> MerkleNodes::digests(std::span<const LeafRange> ranges) const {
  std::vector<Digest> all;
  for (const LeafRange range : ranges) all.push_back(digest(range));
  return all;
}

bool proves_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> path, const Digest& root) {
  if (index >= size) return false;
  std::uint64_t at = index, last = size - 1;
  Digest digest = leaf;
  for (const Digest& beside : path) {
    if (last == 0) return false;
    if ((at & 1) != 0 || at == last) {
      digest = node_hash(beside, digest);
      while ((at & 1) == 0 && at != 0) at >>= 1, last >>= 1;
    } else {
      digest = node_hash(digest, beside);
    }
    at >>= 1, last >>= 1;
  }
  return last == 0 && digest == root;
}

bool proves_consistency(std::uint64_t before, const Digest& root_before, std::uint64_t size, const Digest& root,
                        std::span<const Digest> proof) {
  if (before == 0 || before > size) return false;
  if (before == size) return proof.empty() && root_before == root;
  std::vector<Digest> path;
  if (std::has_single_bit(before)) path.push_back(root_before);
  path.insert(path.end(), proof.begin(), proof.end());
  if (path.empty()) return false;
  std::uint64_t at = before - 1, last = size - 1;
  while ((at & 1) != 0) at >>= 1, last >>= 1;
  Digest first = path.front(), second = path.front();
  for (const Digest& beside : std::span(path).subspan(1)) {
    if (last == 0) return false;
    if ((at & 1) != 0 || at == last) {
      first = node_hash(beside, first);
      second = node_hash(beside, second);
      while ((at & 1) == 0 && at != 0) at >>= 1, last >>= 1;
    } else {
      second = node_hash(second, beside);
    }
    at >>= 1, last >>= 1;
  }
  return last == 0 && first == root_before && second == root;
}

}  // namespace halocline
