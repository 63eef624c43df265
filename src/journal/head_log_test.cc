#include "journal/head_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/private_file.h"
#include "journal/file_journal.h"
#include "journal/log_test.h"
#include "journal/record_leaf.h"
#include "journal/tree_file.h"

namespace halocline {
namespace {

Digest digest_of(int number) { return sha256(std::to_string(number)); }

class HeadLogTest : public testing::Test {
 protected:
  HeadLogTest() {
    char name[] = "/tmp/halocline-heads-XXXXXX";
    directory_ = mkdtemp(name);
    paths_ = {directory_ + "/audit", directory_ + "/audit/witness"};
    journal_[3] = std::byte{7};
  }
  ~HeadLogTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<HeadLog> open() {
    Result<std::unique_ptr<HeadLog>> log = HeadLog::open(disk_, paths_, journal_, 1);
    EXPECT_TRUE(log.ok()) << log.status().message();
    return log.take();
  }
  Code refusal() { return HeadLog::open(disk_, paths_, journal_, 1).status().code(); }
  TreeHead head(std::uint64_t size) { return {HeadKind::kJournal, {}, size, digest_of(static_cast<int>(size)), digest_of(0), 5}; }
  void sign(HeadLog& log, std::uint64_t size) {
    const Result<std::string> line = log.sign(head(size));
    ASSERT_TRUE(line.ok());
    ASSERT_TRUE(log.append(line.value()).ok());
  }
  std::string text() {
    std::stringstream text;
    text << std::ifstream(paths_.witness).rdbuf();
    return text.str();
  }
  void write(const std::string& bytes) { std::ofstream(paths_.witness, std::ios::trunc) << bytes; }
  // The sizes of the heads, each line being well signed by the key that is introduced before it.
  std::vector<std::uint64_t> sizes() {
    std::vector<std::uint64_t> sizes;
    std::optional<PublicKey> key;
    const std::unique_ptr<WitnessText> witness = read_witness(disk_, paths_.witness).take();
    for (const WitnessText::Line& line : witness->lines) {
      const WitnessLine read = parse_witness_line(line.text).take();
      EXPECT_TRUE(read.signature_fits());
      EXPECT_TRUE(!key.has_value() || read.signer == *key) << line.number;
      if (read.head() != nullptr) sizes.push_back(read.head()->size);
      else key = read.introduction()->key;
    }
    return sizes;
  }

  PosixDisk disk_;
  std::string directory_;
  HeadLogPaths paths_;
  JournalId journal_{};
};

TEST_F(HeadLogTest, MakesAKeyOnceAndSignsWithIt) {
  PublicKey key;
  {
    const auto log = open();
    key = log->public_key();
    sign(*log, 3), sign(*log, 9);
  }
  struct stat info;
  ASSERT_EQ(::stat(paths_.key().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto log = open();
  EXPECT_EQ(log->public_key(), key);
  EXPECT_EQ(log->recent(), (std::map<std::uint64_t, Digest>{{3, digest_of(3)}, {9, digest_of(9)}}));
  sign(*log, 12);
  EXPECT_EQ(sizes(), (std::vector<std::uint64_t>{3, 9, 12}));
}

TEST_F(HeadLogTest, ALineGoesThroughTextAndEveryChangeOfItIsSeen) {
  const SigningKey key = SigningKey::generate().take();
  TreeHead head{HeadKind::kTables, journal_, 12, digest_of(1), digest_of(2), 1'764'000'000'000'000'000};
  const std::string line = signed_line(head, key);
  const WitnessLine read = parse_witness_line(line).take();
  ASSERT_NE(read.head(), nullptr);
  EXPECT_EQ(read.head()->kind, HeadKind::kTables);
  EXPECT_EQ(read.head()->journal, journal_);
  EXPECT_EQ(read.head()->size, 12u);
  EXPECT_EQ(read.head()->root, head.root);
  EXPECT_EQ(read.head()->chain, head.chain);
  EXPECT_EQ(read.head()->time, head.time);
  EXPECT_TRUE(read.signature_fits());
  for (std::size_t at = 0; at < line.size(); ++at) {
    std::string changed = line;
    changed[at] = changed[at] == '1' ? '2' : '1';
    const Result<WitnessLine> other = parse_witness_line(changed);
    EXPECT_FALSE(other.ok() && other.value().signature_fits()) << at;
    EXPECT_FALSE(parse_witness_line(line.substr(0, at)).ok() && at != line.size()) << at;
  }
  EXPECT_FALSE(parse_witness_line(line + " ").ok());
  head.size = 1;
  std::string padded = signed_line(head, key);
  padded.replace(padded.find(" 1 "), 3, " 01 ");
  EXPECT_FALSE(parse_witness_line(padded).ok());
}

TEST_F(HeadLogTest, WhatACrashLeftOfALineIsWiped) {
  sign(*open(), 3);
  const std::string whole = text();
  sign(*open(), 9);
  const std::string two = text();
  for (std::size_t cut = whole.size() + 1; cut < two.size(); cut += 13) {
    write(two.substr(0, cut));
    EXPECT_TRUE(read_witness(disk_, paths_.witness).take()->torn);
    sign(*open(), 10);
    EXPECT_EQ(sizes(), (std::vector<std::uint64_t>{3, 10})) << cut;
  }
  std::string holes = two;  // the first sector of the line did not arrive
  holes.replace(whole.size(), 20, 20, '\0');
  write(holes);
  sign(*open(), 10);
  EXPECT_EQ(sizes(), (std::vector<std::uint64_t>{3, 10}));
}

TEST_F(HeadLogTest, OneSizeNeverGetsTwoHeads) {
  const auto log = open();
  sign(*log, 3);
  TreeHead other = head(3);
  EXPECT_TRUE(log->sign(other).ok());
  other.root = digest_of(4);
  EXPECT_EQ(log->sign(other).status().code(), Code::kDataLoss);
  EXPECT_EQ(open()->sign(other).status().code(), Code::kDataLoss);
}

TEST_F(HeadLogTest, WhatIsNotAsItWasIsRefused) {
  const PublicKey key = open()->public_key();
  ::chmod(paths_.key().c_str(), 0640);
  EXPECT_EQ(refusal(), Code::kFailedPrecondition);
  ::chmod(paths_.key().c_str(), 0600);
  const std::string lines = text();
  // A foreign key.
  std::filesystem::rename(paths_.key(), directory_ + "/kept");
  EXPECT_EQ(refusal(), Code::kFailedPrecondition);
  ASSERT_TRUE(write_private_file(paths_.key(), SigningKey::generate().value().pem()).ok());
  EXPECT_EQ(refusal(), Code::kFailedPrecondition);
  std::filesystem::rename(directory_ + "/kept", paths_.key());
  // Another journal's file, and one that is none.
  journal_[0] = std::byte{1};
  EXPECT_EQ(refusal(), Code::kFailedPrecondition);
  journal_[0] = std::byte{0};
  write(lines + "what is this\n");
  EXPECT_EQ(refusal(), Code::kDataLoss);
  // Without the file a new one begins, with the same key.
  std::filesystem::remove(paths_.witness);
  EXPECT_EQ(open()->public_key(), key);
  EXPECT_EQ(text().substr(0, 15), "halocline-key-1");
}

TEST_F(HeadLogTest, ANewKeyIsIntroducedByTheOldOne) {
  const PublicKey old = open()->public_key();
  sign(*open(), 3);
  const Result<PublicKey> next = HeadLog::rotate(disk_, paths_, journal_, 6);
  ASSERT_TRUE(next.ok()) << next.status().message();
  EXPECT_NE(next.value(), old);
  EXPECT_EQ(open()->public_key(), next.value());
  sign(*open(), 9);
  EXPECT_EQ(sizes(), (std::vector<std::uint64_t>{3, 9}));
}

TEST_F(HeadLogTest, ARotationThatACrashFellIntoIsFinished) {
  open();
  const std::string old = read_private_file(paths_.key()).take();
  const PublicKey next = HeadLog::rotate(disk_, paths_, journal_, 6).take();
  // As it was before the last step …
  std::filesystem::rename(paths_.key(), paths_.directory + "/key.new.pem");
  ASSERT_TRUE(write_private_file(paths_.key(), old).ok());
  EXPECT_EQ(open()->public_key(), next);
  // … and before the introduction was written.
  ASSERT_TRUE(write_private_file(paths_.directory + "/key.new.pem", SigningKey::generate().value().pem()).ok());
  EXPECT_EQ(open()->public_key(), next);
  EXPECT_TRUE(HeadLog::rotate(disk_, paths_, journal_, 7).ok());
}

TEST_F(HeadLogTest, ATreeIsKeptAndABrokenOneIsNotTaken) {
  const std::string path = directory_ + "/tree";
  EXPECT_EQ(load_tree(disk_, path, journal_).status().code(), Code::kNotFound);
  MerkleTree tree;
  for (int i = 0; i < 77; ++i) {
    tree.add(digest_of(i));
    ASSERT_TRUE(save_tree(disk_, path, journal_, tree).ok());
    const Result<MerkleTree> read = load_tree(disk_, path, journal_);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read.value().root(), tree.root());
    EXPECT_EQ(read.value().size(), tree.size());
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  for (std::size_t cut = 0; cut < text.str().size(); ++cut) {
    std::ofstream(path, std::ios::trunc) << text.str().substr(0, cut);
    EXPECT_EQ(load_tree(disk_, path, journal_).status().code(), Code::kDataLoss) << cut;
  }
  std::ofstream(path, std::ios::trunc) << text.str();
  JournalId other{};
  EXPECT_EQ(load_tree(disk_, path, other).status().code(), Code::kDataLoss);
}

// The leaf is what the format page says, byte for byte.
TEST(RecordLeaf, IsSeqTimeAndTheFramedRecord) {
  const TestRecord first{7, {std::byte{0xAA}, std::byte{0xBB}}}, second{9, {}};
  std::vector<std::byte> payload, buffer;
  append_framed(first, payload), append_framed(second, payload);
  const BlockView block{258, 3, 2, payload};
  std::vector<std::string> leaves;
  for (const Record record : block.contents()) leaves.push_back(hex(record_leaf(record, block.time, buffer)));
  EXPECT_EQ(leaves[0], "0201000000000000" "0300000000000000" "02000000" "0700" "0000" "aabb");
  EXPECT_EQ(leaves[1], "0301000000000000" "0300000000000000" "00000000" "0900" "0000");
  MerkleTree tree, by_hand;
  RecordLeaves().add(block, tree);
  for (const Record record : block.contents()) by_hand.add(leaf_hash(record_leaf(record, block.time, buffer)));
  EXPECT_EQ(tree.root(), by_hand.root());
  EXPECT_EQ(tree.size(), 2u);
}

}  // namespace
}  // namespace halocline
