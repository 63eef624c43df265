// A checkpoint's file is there whole or not at all, whatever crashes while it is written, and any change to it is seen.
#include "journal/checkpoint_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/crc32c.h"
#include "journal/faulty_disk_test.h"

namespace halocline {
namespace {

const std::string kPlace = "/checkpoints";

std::vector<std::byte> block_bytes_of(Seq seq, std::uint64_t number) {
  std::mt19937_64 random(seq * 1'000 + number);
  std::vector<std::byte> bytes(random() % 5'000);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() % 7);
  return bytes;
}

constexpr std::uint64_t kBlocksEach = 5;

CheckpointHeader header_of(Seq seq) {
  CheckpointHeader header;
  header.seq = seq;
  header.time = static_cast<Nanos>(seq * 10);
  header.synced = seq % 2 == 0;
  header.chain = sha256("chain " + std::to_string(seq));
  header.state_digest = sha256("state " + std::to_string(seq));
  header.journal[3] = std::byte{9};
  return header;
}

Status write(Disk& disk, Seq seq, std::size_t keep = 10) {
  Result<std::unique_ptr<CheckpointWriter>> writer = CheckpointWriter::create(disk, kPlace);
  if (!writer.ok()) return writer.status();
  for (std::uint64_t i = 0; i < kBlocksEach; ++i) {
    if (Status status = writer.value()->add(static_cast<std::uint32_t>(i), i * 7, 1, block_bytes_of(seq, i)); !status.ok()) return status;
  }
  if (Status status = writer.value()->finish(header_of(seq)); !status.ok()) return status;
  return prune_checkpoints(disk, kPlace, keep);
}

// That all of it is read as it was written.
Status check(Disk& disk, Seq seq) {
  Result<std::unique_ptr<CheckpointReader>> reader = CheckpointReader::open(disk, kPlace + "/" + checkpoint_name(seq));
  if (!reader.ok()) return reader.status();
  const CheckpointHeader &header = reader.value()->header(), expected = header_of(seq);
  const bool same = header.seq == seq && header.time == expected.time && header.synced == expected.synced &&
                    header.chain == expected.chain &&
                    header.state_digest == expected.state_digest && header.journal == expected.journal && header.blocks == kBlocksEach;
  if (!same) return Status(Code::kInternal, "another header");
  std::vector<std::byte> bytes;
  for (std::uint64_t i = 0;; ++i) {
    const Result<std::optional<CheckpointBlock>> block = reader.value()->next();
    if (!block.ok()) return block.status();
    if (!block.value()) return i == kBlocksEach ? ok_status() : Status(Code::kInternal, "it ends too early");
    if (Status status = unpack(*block.value(), bytes); !status.ok()) return status;
    if (block.value()->part != i || block.value()->first != i * 7 || bytes != block_bytes_of(seq, i)) {
      return Status(Code::kInternal, "another block");
    }
  }
}

TEST(CheckpointFile, NamesSortBySeq) {
  EXPECT_EQ(checkpoint_name(1'234), "checkpoint-00000000000000001234.ckp");
  EXPECT_EQ(checkpoint_seq(checkpoint_name(~Seq{0})), ~Seq{0});
  for (const char* other : {"checkpoint.new", "checkpoint-1.ckp", "checkpoint-0000000000000000123x.ckp", "journal-0000000001.seg"}) {
    EXPECT_FALSE(checkpoint_seq(other).has_value()) << other;
  }
}

TEST(CheckpointFile, IsThereWholeOrNotAtAllWhenThePowerFailsAtAnyCall) {
  int finished = 0, missing = 0;
  for (int calls = 0; calls < 60; ++calls) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      FaultyDisk disk(seed * 100 + static_cast<std::uint64_t>(calls));
      disk.short_io(seed % 2 == 0);
      ASSERT_TRUE(disk.make_directory(kPlace).ok());
      ASSERT_TRUE(write(disk, 10).ok());
      disk.power_off_after(calls);
      const bool told = write(disk, 20).ok();
      disk.power_cycle();
      Result<std::vector<Seq>> seqs = list_checkpoints(disk, kPlace);
      ASSERT_TRUE(seqs.ok());
      const bool there = seqs.value().size() == 2;
      ASSERT_TRUE(there || !told) << "told it was there, and it is not: call " << calls;
      for (const Seq seq : seqs.value()) {
        const Status checked = check(disk, seq);
        ASSERT_TRUE(checked.ok()) << checked.to_string() << ", call " << calls << ", seed " << seed;
      }
      ASSERT_EQ(seqs.value().back(), 10u);
      ++(there ? finished : missing);
      // What is left over is in nobody's way.
      ASSERT_TRUE(write(disk, 30, 1).ok());
      ASSERT_EQ(disk.list(kPlace).value(), std::vector<std::string>{checkpoint_name(30)});
    }
  }
  EXPECT_GT(finished, 10);
  EXPECT_GT(missing, 10);
}

TEST(CheckpointFile, AFullDiskLeavesNothingBehind) {
  FaultyDisk disk(1);
  ASSERT_TRUE(disk.make_directory(kPlace).ok());
  disk.room(6'000);
  EXPECT_EQ(write(disk, 10).code(), Code::kResourceExhausted);
  EXPECT_TRUE(disk.list(kPlace).value().empty());
}

TEST(CheckpointFile, EveryChangedByteAndEveryCutIsSeen) {
  FaultyDisk disk(1);
  ASSERT_TRUE(disk.make_directory(kPlace).ok());
  ASSERT_TRUE(write(disk, 10).ok());
  const std::string path = kPlace + "/" + checkpoint_name(10);
  const FaultyDisk::Bytes whole = disk.bytes(path);
  for (std::size_t at = 0; at < whole.size(); at += at < 200 ? 1 : 13) {
    disk.bytes(path)[at] ^= std::byte{0x40};
    EXPECT_FALSE(check(disk, 10).ok()) << "byte " << at;
    disk.bytes(path) = whole;
  }
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    disk.bytes(path).resize(size);
    EXPECT_FALSE(check(disk, 10).ok()) << "cut to " << size;
    disk.bytes(path) = whole;
  }
  disk.bytes(path).push_back(std::byte{0});
  EXPECT_FALSE(check(disk, 10).ok());
  // Blocks of another checkpoint of the same size, each whole.
  ASSERT_TRUE(write(disk, 12).ok());
  const FaultyDisk::Bytes& other = disk.bytes(kPlace + "/" + checkpoint_name(12));
  disk.bytes(path) = whole;
  disk.bytes(path).resize(4096);
  disk.bytes(path).insert(disk.bytes(path).end(), other.begin() + 4096, other.end());
  disk.bytes(path).resize(whole.size());
  EXPECT_FALSE(check(disk, 10).ok());
}

TEST(CheckpointFile, AHeaderOfMoreBlocksThanItsFileHasRoomForIsSeen) {
  FaultyDisk disk(1);
  ASSERT_TRUE(disk.make_directory(kPlace).ok());
  ASSERT_TRUE(write(disk, 10).ok());
  const std::string path = kPlace + "/" + checkpoint_name(10);
  FaultyDisk::Bytes& bytes = disk.bytes(path);
  const std::uint64_t blocks = (bytes.size() - 4096) / 32 + 1;
  std::memcpy(bytes.data() + 144, &blocks, sizeof blocks);
  std::memset(bytes.data() + 12, 0, 4);
  const std::uint32_t crc = crc32c(std::span<const std::byte>(bytes).first(4096));
  std::memcpy(bytes.data() + 12, &crc, sizeof crc);
  EXPECT_EQ(CheckpointReader::open(disk, path).status().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace halocline
