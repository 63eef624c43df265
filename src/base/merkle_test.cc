// The eight inputs, roots and proofs that Certificate Transparency's implementations test with (google/certificate-transparency,
// cpp/merkletree/merkle_tree_test.cc), and the definition of RFC 6962 written down as it stands there, as the oracle of other sizes.
#include "base/merkle.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/from_hex.h"

namespace halocline {
namespace {

const char* const kInputs[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const char* const kRoots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
struct Path {
  std::uint64_t from, size;
  std::vector<std::string> digests;
};
const Path kPaths[] = {  // from: the leaf, from 0
    {0, 1, {}},
    {0, 8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {5, 8,
     {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
    {1, 5,
     {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
const Path kConsistency[] = {  // from: the earlier size
    {1, 1, {}},
    {1, 8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {6, 8,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2, 5,
     {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};

std::vector<Digest> input_leaves(std::uint64_t size) {
  std::vector<Digest> leaves;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string text = kInputs[i];
    std::vector<std::byte> bytes(text.size() / 2);
    EXPECT_TRUE(from_hex(text, bytes));
    leaves.push_back(leaf_hash(bytes));
  }
  return leaves;
}

Digest tree_hash(std::span<const Digest> leaves, MerkleNodes* nodes = nullptr) {
  MerkleTree tree;
  for (const Digest& leaf : leaves) tree.add(leaf, nodes);
  EXPECT_EQ(tree.size(), leaves.size());
  return tree.root();
}

std::vector<Digest> digests_of(std::span<const Digest> leaves, const std::vector<LeafRange>& ranges) {
  MerkleNodes nodes;
  nodes.want(ranges);
  tree_hash(leaves, &nodes);
  return nodes.digests(ranges);
}

std::vector<std::string> texts(const std::vector<Digest>& digests) {
  std::vector<std::string> all;
  for (const Digest& digest : digests) all.push_back(hex(digest));
  return all;
}

// MTH of RFC 6962, 2.1.
Digest defined_hash(std::span<const Digest> leaves) {
  if (leaves.empty()) return sha256("");
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(defined_hash(leaves.first(k)), defined_hash(leaves.subspan(k)));
}

TEST(Merkle, GivesThePublishedRoots) {
  for (std::uint64_t size = 0; size <= 8; ++size) EXPECT_EQ(hex(tree_hash(input_leaves(size))), kRoots[size]) << size;
}

TEST(Merkle, GivesThePublishedAuditPaths) {
  for (const Path& path : kPaths) {
    const std::vector<Digest> leaves = input_leaves(path.size);
    EXPECT_EQ(texts(digests_of(leaves, audit_path(path.from, path.size))), path.digests) << path.from << " of " << path.size;
  }
}

TEST(Merkle, GivesThePublishedConsistencyProofs) {
  for (const Path& path : kConsistency) {
    const std::vector<Digest> leaves = input_leaves(path.size);
    EXPECT_EQ(texts(digests_of(leaves, consistency_proof(path.from, path.size))), path.digests) << path.from << " to " << path.size;
  }
}

std::vector<Digest> random_leaves(std::uint64_t size) {
  std::mt19937 random(7);
  std::vector<Digest> leaves(size);
  for (Digest& leaf : leaves) {
    for (std::byte& byte : leaf) byte = static_cast<std::byte>(random());
  }
  return leaves;
}

// However they come: one after the other, and so many at a time.
TEST(Merkle, ManyLeavesAtATimeGiveTheSameTree) {
  const std::vector<Digest> leaves = random_leaves(1'500);
  for (std::uint64_t before = 0; before <= 70; ++before) {
    for (std::uint64_t more = 0; before + more <= leaves.size(); more += 1 + more / 3) {
      MerkleTree single, many;
      for (std::uint64_t i = 0; i < before + more; ++i) single.add(leaves[i]);
      for (std::uint64_t i = 0; i < before; ++i) many.add(leaves[i]);
      many.add(std::span(leaves).subspan(before, more));
      ASSERT_EQ(many.size(), single.size());
      ASSERT_EQ(many.frontier(), single.frontier()) << before << " and " << more;
    }
  }
}

// Every proof is right, and none is for another leaf, place, size or root, nor with a digest changed, missing or added.
TEST(Merkle, EveryInclusionIsProvenAndNothingElse) {
  const std::vector<Digest> leaves = random_leaves(70);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const auto some = std::span(leaves).first(size);
    const Digest root = tree_hash(some);
    ASSERT_EQ(root, defined_hash(some)) << size;
    for (std::uint64_t index = 0; index < size; ++index) {
      std::vector<Digest> path = digests_of(some, audit_path(index, size));
      ASSERT_TRUE(proves_inclusion(leaves[index], index, size, path, root)) << index << " of " << size;
      EXPECT_FALSE(proves_inclusion(leaves[index], size, size, path, root));
      EXPECT_FALSE(proves_inclusion(leaves[(index + 1) % leaves.size()], index, size, path, root));
      if (size > 1) {
        EXPECT_FALSE(proves_inclusion(leaves[index], (index + 1) % size, size, path, root));
      }
      for (Digest& digest : path) {
        digest[3] ^= std::byte{4};
        EXPECT_FALSE(proves_inclusion(leaves[index], index, size, path, root));
        digest[3] ^= std::byte{4};
      }
      path.push_back(root);
      EXPECT_FALSE(proves_inclusion(leaves[index], index, size, path, root));
      path.pop_back();
      if (!path.empty()) {
        path.pop_back();
        EXPECT_FALSE(proves_inclusion(leaves[index], index, size, path, root));
      }
    }
  }
}

TEST(Merkle, EveryConsistencyIsProvenAndNothingElse) {
  const std::vector<Digest> leaves = random_leaves(40);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const auto some = std::span(leaves).first(size);
    const Digest root = tree_hash(some);
    for (std::uint64_t before = 1; before <= size; ++before) {
      const Digest root_before = tree_hash(some.first(before));
      std::vector<Digest> proof = digests_of(some, consistency_proof(before, size));
      ASSERT_TRUE(proves_consistency(before, root_before, size, root, proof)) << before << " to " << size;
      EXPECT_FALSE(proves_consistency(before, leaves[0], size, root, proof) && before != 1);
      EXPECT_FALSE(proves_consistency(before, root_before, size, leaves[1], proof));
      EXPECT_FALSE(proves_consistency(before, root_before, before - 1, root, proof));
      for (Digest& digest : proof) {
        digest[30] ^= std::byte{1};
        EXPECT_FALSE(proves_consistency(before, root_before, size, root, proof));
        digest[30] ^= std::byte{1};
      }
      proof.push_back(root);
      EXPECT_FALSE(proves_consistency(before, root_before, size, root, proof));
    }
  }
  EXPECT_FALSE(proves_consistency(0, tree_hash({}), 3, tree_hash(std::span(leaves).first(3)), {}));
}

TEST(Merkle, GoesOnFromItsFrontier) {
  const std::vector<Digest> leaves = random_leaves(37);
  MerkleTree tree;
  for (const Digest& leaf : leaves) {
    Result<MerkleTree> again = MerkleTree::of(tree.size(), tree.frontier());
    ASSERT_TRUE(again.ok());
    tree.add(leaf);
    again.value().add(leaf);
    EXPECT_EQ(again.value().root(), tree.root());
  }
  EXPECT_FALSE(MerkleTree::of(5, {leaves[0]}).ok());
  EXPECT_FALSE(MerkleTree::of(0, {leaves[0]}).ok());
}

}  // namespace
}  // namespace halocline
