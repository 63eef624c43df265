// Merkle trees over an ordered log, as RFC 6962 section 2.1 (and RFC 9162 section 2.1, where the verification algorithms stand) defines
// them over SHA-256: a leaf is SHA-256(0x00 || its bytes), an inner node SHA-256(0x01 || left || right), and a tree of n leaves is split
// after the largest power of two below n.
//
//   MerkleTree tree;                                   // grows; memory is one digest a level
//   tree.add(leaf_hash(bytes));                        // or many at a time, which is several times as fast
//   Digest root = tree.root();
//
// A proof is a list of digests of leaf ranges. Which ranges is said by audit_path and consistency_proof; MerkleNodes keeps what is needed
// of them while the leaves go by once, so that a proof out of a log of any length needs memory for the proof alone.
//
// Values and pure functions. One thread a tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"

namespace halocline {

// What the bytes of a leaf are hashed behind.
inline constexpr std::byte kLeafPrefix{0};

Digest leaf_hash(std::span<const std::byte> leaf);
Digest node_hash(const Digest& left, const Digest& right);

// The leaves begin..end-1, from 0.
struct LeafRange {
  std::uint64_t begin = 0, end = 0;

  friend bool operator==(const LeafRange&, const LeafRange&) = default;
};

class MerkleNodes;

// The tree that grows: the digests of the complete subtrees that n leaves fall into, one for each bit of n that is set.
class MerkleTree {
 public:
  // `nodes` is told of every complete subtree; nullptr: nobody.
  void add(const Digest& leaf, MerkleNodes* nodes = nullptr);
  // The same, one after the other; level by level, with the digests of a level side by side (base/sha256_many.h).
  void add(std::span<const Digest> leaves);
  std::uint64_t size() const { return size_; }
  // Of no leaves: SHA-256 of nothing.
  Digest root() const;

  // What there is of it, largest subtree first, and the tree of that again. kInvalidArgument: not one digest for each bit of the size.
  const std::vector<Digest>& frontier() const { return frontier_; }
  static Result<MerkleTree> of(std::uint64_t size, std::vector<Digest> frontier);

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> frontier_;
};

// PATH(m, D[n]): what leaf `index` of `size` leaves needs beside itself to come to the root, from the bottom up.
std::vector<LeafRange> audit_path(std::uint64_t index, std::uint64_t size);
// PROOF(m, D[n]): what shows that the tree of `size` leaves begins with that of `before` leaves; 0 < before <= size (CHECKed).
std::vector<LeafRange> consistency_proof(std::uint64_t before, std::uint64_t size);

// The digests of some ranges, collected while a tree grows over them.
class MerkleNodes {
 public:
  // Before the leaves come. A range is one of a proof above.
  void want(std::span<const LeafRange> ranges);
  // After they have come: in the order of the ranges, which were all wanted (CHECKed).
  std::vector<Digest> digests(std::span<const LeafRange> ranges) const;

 private:
  friend class MerkleTree;
  void take(int level, std::uint64_t index, const Digest& digest);
  void want(LeafRange range);
  Digest digest(LeafRange range) const;

  struct Node {
    Digest digest{};
    bool known = false;
  };
  std::unordered_map<std::uint64_t, Node> nodes_;  // of complete subtrees, by level and index
};

// Whether the leaf is number `index` of the `size` that `root` stands for (RFC 9162, 2.1.3.2).
bool proves_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> path, const Digest& root);
// Whether the tree of `root` begins with that of `root_before` (RFC 9162, 2.1.4.2); 0 < before <= size.
bool proves_consistency(std::uint64_t before, const Digest& root_before, std::uint64_t size, const Digest& root,
                        std::span<const Digest> proof);

}  // namespace halocline
