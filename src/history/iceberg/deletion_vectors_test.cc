#include "history/iceberg/deletion_vectors.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "history/iceberg/puffin.h"
#include "history/iceberg/roaring.h"

namespace halocline::iceberg {
namespace {

using Positions = std::vector<std::int64_t>;

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

void add_range(Positions& to, std::int64_t first, std::int64_t last) {
  for (std::int64_t position = first; position <= last; ++position) to.push_back(position);
}

// What pyroaring and zlib make of these sets, and what Iceberg's own tests have in files for them (core/src/test/resources/…/deletes).
TEST(DeletionVector, HasTheBytesOthersWrite) {
  constexpr std::int64_t k64Bits = std::int64_t{1} << 32, kChunk = 1 << 16;
  Positions all_kinds = {5, 7};
  add_range(all_kinds, kChunk + 1, kChunk + 999);
  add_range(all_kinds, 2 * kChunk + 1, 2 * kChunk + 65'534);
  all_kinds.push_back(k64Bits + 10), all_kinds.push_back(k64Bits + 20);
  add_range(all_kinds, k64Bits + kChunk + 10, k64Bits + kChunk + 499);
  add_range(all_kinds, k64Bits + 2 * kChunk + 1, k64Bits + 2 * kChunk + 65'534);
  const std::vector<std::pair<Positions, std::string>> known = {
      {{}, "0000000cd1d339640000000000000000bf18480c"},
      {{1, 3, 5, 7, 9}, "0000002ad1d339640100000000000000000000003a30000001000000000004001000000001000300050007000900b3fb20be"},
      {{100, 101, 0x8000'0063, 0x8000'0064},
       "00000030d1d339640100000000000000000000003a300000020000000000010000800100180000001c000000640065006300640015eb1c7c"},
      {all_kinds, "00000056d1d339640200000000000000000000003b30020006000001000100e6030200fdff0500070001000100e60301000100fdff01"
                  "0000003b30020006000001000100e9010200fdff0a00140001000a00e90101000100fdffc89be397"}};
  for (const auto& [positions, hex] : known) {
    EXPECT_EQ(deletion_vector_bytes(positions), bytes_of(hex));
    const Result<Positions> read = read_deletion_vector(bytes_of(hex), static_cast<std::int64_t>(positions.size()));
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(read.value(), positions);
  }
}

TEST(Roaring, EverySetComesBack) {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::set<std::int64_t> wanted;
    // Chunks of every density, so of each kind of container, and now and then many of them or far away.
    for (unsigned chunk = 0; chunk < 6; ++chunk) {
      const std::int64_t base = static_cast<std::int64_t>(random() % (chunk % 2 == 0 ? 8 : 1u << 30)) << 16;
      const std::size_t count = std::size_t{1} << (random() % 17);
      const bool in_runs = random() % 2 == 0;
      std::int64_t low = static_cast<std::int64_t>(random() % 65'536);
      for (std::size_t i = 0; i < count; ++i) {
        low = in_runs && random() % 50 != 0 ? (low + 1) % 65'536 : static_cast<std::int64_t>(random() % 65'536);
        wanted.insert(base + low);
      }
    }
    wanted.insert((std::int64_t{INT32_MAX} << 32) + 0xFFFF'FFFF);  // the greatest there is
    const Positions positions(wanted.begin(), wanted.end());
    const std::string bytes = roaring_bytes(positions);
    const Result<Positions> read = read_roaring(bytes, static_cast<std::int64_t>(positions.size()));
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(read.value(), positions);
    EXPECT_FALSE(read_roaring(bytes, static_cast<std::int64_t>(positions.size()) - 1).ok());  // more than was said
    for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 500) {
      EXPECT_EQ(read_roaring(std::string_view(bytes).substr(0, size), 1 << 30).status().code(), Code::kDataLoss);
    }
    EXPECT_FALSE(read_roaring(bytes + '\0', 1 << 30).ok());
  }
}

TEST(Roaring, WhatIsNoSetIsRefused) {
  const std::string two = "02000000" "00000000", one = "01000000" "00000000", first = "00000000", cookie = "3a300000";
  for (const std::string& hex : {
           one + "00000080" + cookie + "00000000",                                       // a key of 32 bits
           two + first + cookie + "00000000" + first + cookie + "00000000",              // a key twice
           one + first + "3c300000" + "00000000",                                        // no such cookie
           one + first + cookie + "01000100",                                            // 65,537 containers
           one + first + cookie + "02000000" + "0000" "0000" "0000" "0000" + "18000000" "1a000000" + "0100" "0100",  // a container twice
           one + first + cookie + "01000000" + "0000" "0100" + "10000000" + "0200" "0200",  // numbers not ascending
           one + first + "3b300000" "01" "0000" "0100" "0100" "0100" "0000",              // runs: one position, where two were said
           one + first + "3b300000" "01" "0000" "0100" "0200" "0100" "0000" "0100" "0000",  // a run twice
           one + first + "3b300000" "01" "0000" "0100" "0100" "ffff" "0100",              // a run beyond the container
           one + first + cookie + "01000000" + "0000" "0010" + "10000000" + std::string(2 * 8'192, '0')}) {  // a bitset without bits
    const Result<Positions> read = read_roaring(bytes_of(hex), 1 << 20);
    EXPECT_EQ(read.status().code(), Code::kDataLoss) << hex.substr(0, 80);
    EXPECT_FALSE(read.status().message().empty());
  }
  EXPECT_TRUE(read_roaring(bytes_of(one + first + cookie + "00000000"), 0).value().empty());
}

TEST(DeletionVector, EveryFlippedBitIsNoticed) {
  const Positions positions = {1, 2, 3, 70'000, 80'000};
  const std::string blob = deletion_vector_bytes(positions);
  for (std::size_t bit = 0; bit < 8 * blob.size(); ++bit) {
    std::string flipped = blob;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(read_deletion_vector(flipped, 5).status().code(), Code::kDataLoss) << bit;
  }
  for (std::size_t size = 0; size < blob.size(); ++size) {
    EXPECT_EQ(read_deletion_vector(std::string_view(blob).substr(0, size), 5).status().code(), Code::kDataLoss) << size;
  }
  for (const std::int64_t cardinality : {-1, 0, 4, 6}) EXPECT_FALSE(read_deletion_vector(blob, cardinality).ok()) << cardinality;
}

class DeletionVectorFileTest : public testing::Test {
 protected:
  DeletionVectorFileTest() : made_(deletion_vector_file(vectors_)) {}

  Status read(const std::string& bytes, const DataFile& entry) const {
    const DataFile* entries[] = {&entry};
    return read_deletion_vectors(bytes, entries).status();
  }

  const std::vector<DeletionVector> vectors_ = {{"file:///w/a.parquet", {avro::Value(7)}, {0, 5}}, {"file:///w/b.parquet", {}, {9}}};
  DeletionVectorFile made_;
};

TEST_F(DeletionVectorFileTest, SaysTheSameInItsEntriesAndInItsFooter) {
  ASSERT_EQ(made_.files.size(), 2u);
  const Result<std::vector<PuffinBlob>> blobs = read_puffin_footer(made_.bytes);
  ASSERT_TRUE(blobs.ok()) << blobs.status().message();
  for (std::size_t i = 0; i < 2; ++i) {
    const DataFile& file = made_.files[i];
    const PuffinBlob& blob = blobs.value()[i];
    EXPECT_TRUE(is_deletion_vector(file));
    EXPECT_EQ(file.file_size, static_cast<std::int64_t>(made_.bytes.size()));
    EXPECT_EQ(file.record_count, static_cast<std::int64_t>(vectors_[i].positions.size()));
    EXPECT_EQ(file.referenced_data_file, vectors_[i].data_file);
    EXPECT_EQ(file.partition, vectors_[i].partition);
    EXPECT_EQ(file.content_offset, blob.offset);
    EXPECT_EQ(file.content_size, blob.length);
    EXPECT_EQ(blob.type, "deletion-vector-v1");
    EXPECT_EQ(blob.snapshot_id, -1);
    EXPECT_EQ(blob.sequence_number, -1);
    EXPECT_EQ(blob.properties, (Properties{{"referenced-data-file", vectors_[i].data_file}, {"cardinality", i == 0 ? "2" : "1"}}));
  }
  const DataFile* entries[] = {&made_.files[1], &made_.files[0]};
  const Result<std::vector<DeletionVector>> read = read_deletion_vectors(made_.bytes, entries);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read.value()[0].data_file, "file:///w/b.parquet");
  EXPECT_EQ(read.value()[0].positions, Positions({9}));
  EXPECT_EQ(read.value()[1].positions, Positions({0, 5}));
}

TEST_F(DeletionVectorFileTest, AnEntryThatSaysOtherwiseIsRefused) {
  const auto changed = [&](auto change) {
    DataFile entry = made_.files[0];
    change(entry);
    return read(made_.bytes, entry).code();
  };
  EXPECT_EQ(changed([](DataFile&) {}), Code::kOk);
  EXPECT_EQ(changed([](DataFile& entry) { entry.record_count = 1; }), Code::kDataLoss);
  EXPECT_EQ(changed([](DataFile& entry) { entry.referenced_data_file = "file:///w/b.parquet"; }), Code::kDataLoss);
  EXPECT_EQ(changed([](DataFile& entry) { entry.referenced_data_file.reset(); }), Code::kDataLoss);
  EXPECT_EQ(changed([](DataFile& entry) { ++*entry.content_offset; }), Code::kDataLoss);
  EXPECT_EQ(changed([](DataFile& entry) { --*entry.content_size; }), Code::kDataLoss);
  EXPECT_EQ(changed([](DataFile& entry) { entry.content_size = INT64_MAX; }), Code::kDataLoss);
}

TEST_F(DeletionVectorFileTest, ABrokenFileIsAnErrorThatSaysSo) {
  const std::string& whole = made_.bytes;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Status status = read(whole.substr(0, size), made_.files[0]);
    EXPECT_EQ(status.code(), Code::kDataLoss) << size;
    EXPECT_FALSE(status.message().empty());
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2'000; ++i) {  // any byte: an error, or one that no reader minds
    std::string broken = whole;
    broken[random() % broken.size()] = static_cast<char>(random());
    const DataFile* entries[] = {&made_.files[0]};
    const Result<std::vector<DeletionVector>> vectors = read_deletion_vectors(broken, entries);
    if (!vectors.ok()) continue;
    EXPECT_EQ(vectors.value()[0].positions, Positions({0, 5}));
  }
  std::string compressed = whole;
  compressed[compressed.size() - 8] = 1;
  EXPECT_EQ(read(compressed, made_.files[0]).code(), Code::kUnsupported);
}

}  // namespace
}  // namespace halocline::iceberg
