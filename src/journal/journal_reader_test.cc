// Readers beside a writer: everything complete, nothing else, in order; and what they say of damage.
#include "journal/journal_reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "journal/inspect.h"
#include "journal/log_test.h"
#include "journal/memory_journal.h"

namespace halocline {
namespace {

std::unique_ptr<FileJournal> opened(Disk& disk, const FileJournalOptions& options) {
  auto journal = FileJournal::open(disk, options, ignore_block);
  EXPECT_TRUE(journal.ok()) << journal.status().to_string();
  return journal.take();
}

// Reads on until there is no more, into a comparison.
Status drain(JournalReader& reader, Comparison& comparison) {
  for (;;) {
    Result<std::optional<BlockView>> block = reader.next();
    if (!block.ok()) return block.status();
    if (!block.value().has_value()) return ok_status();
    if (Status status = comparison(*block.value()); !status.ok()) return status;
  }
}

TEST(JournalReader, SeesEachBlockAsSoonAsItIsComplete) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FaultyDisk disk(seed);
    disk.short_io(seed % 2 == 0);
    TestLog log(seed);
    auto journal = opened(disk, small_options(8192));
    auto reader = JournalReader::open(disk, kDirectory, 1);
    ASSERT_TRUE(reader.ok()) << reader.status().to_string();
    Comparison comparison{log};
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(log.append(*journal, static_cast<std::uint32_t>(1 + log.below(12))).ok());
      if (log.below(3) == 0) continue;
      const Status status = drain(*reader.value(), comparison);
      ASSERT_TRUE(status.ok()) << status.to_string();
      ASSERT_EQ(comparison.last(), log.records.size()) << "seed " << seed;
    }
    ASSERT_TRUE(journal->close().ok());
    ASSERT_TRUE(drain(*reader.value(), comparison).ok());
    EXPECT_EQ(comparison.last(), log.records.size());
    EXPECT_EQ(reader.value()->chain(), journal->chain());
    EXPECT_TRUE(reader.value()->check_end().ok());
    EXPECT_EQ(comparison.wrong, 0);
  }
}

TEST(JournalReader, StartsAtAnySeqWithTheBlockThatHoldsIt) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = opened(disk, small_options(8192));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(log.append(*journal, 5).ok());
  for (Seq from = 1; from <= log.records.size(); from += 3) {
    auto reader = JournalReader::open(disk, kDirectory, from);
    ASSERT_TRUE(reader.ok());
    const auto block = reader.value()->next();
    ASSERT_TRUE(block.ok() && block.value().has_value());
    EXPECT_LE(block.value()->first_seq, from);
    EXPECT_GE(block.value()->last_seq(), from);
  }
  auto beyond = JournalReader::open(disk, kDirectory, log.records.size() + 1);
  ASSERT_TRUE(beyond.ok());
  EXPECT_FALSE(beyond.value()->next().value().has_value());
  ASSERT_TRUE(log.append(*journal, 2).ok());
  EXPECT_EQ(beyond.value()->next().value()->first_seq, 201u);
}

TEST(JournalReader, HoldsBackWhatIsNotDurable) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = opened(disk, small_options());
  auto reader = JournalReader::open(disk, kDirectory, 1);
  ASSERT_TRUE(reader.ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(log.append(*journal, 3).ok());
  Comparison comparison{log};
  reader.value()->stop_after(7);
  ASSERT_TRUE(drain(*reader.value(), comparison).ok());
  EXPECT_EQ(comparison.last(), 6u);
  EXPECT_EQ(reader.value()->next_seq(), 7u);
  reader.value()->stop_after(9);
  ASSERT_TRUE(drain(*reader.value(), comparison).ok());
  EXPECT_EQ(comparison.last(), 9u);
  reader.value()->stop_after(12);
  ASSERT_TRUE(drain(*reader.value(), comparison).ok());
  EXPECT_EQ(comparison.last(), 12u);
  EXPECT_EQ(comparison.wrong, 0);
}

TEST(JournalReader, WaitsForATornBlockButNotForADurableOne) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = opened(disk, small_options());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(log.append(*journal, 3).ok() && log.commit(*journal).ok());
  const std::uint64_t end = kSegmentHeaderBytes + journal->stats().bytes;
  disk.bytes(segment_path(1))[end - 70] ^= std::byte{1};  // within the last block
  auto reader = JournalReader::open(disk, kDirectory, 1);
  ASSERT_TRUE(reader.ok());
  Comparison comparison{log};
  ASSERT_TRUE(drain(*reader.value(), comparison).ok());
  EXPECT_EQ(comparison.last(), 9u);
  EXPECT_TRUE(reader.value()->check_end().ok());
  reader.value()->stop_after(12);
  EXPECT_EQ(reader.value()->next().status().code(), Code::kDataLoss);
  disk.bytes(segment_path(1))[end - 70] ^= std::byte{1};
  disk.bytes(segment_path(1))[kSegmentHeaderBytes + 100] ^= std::byte{1};  // within the first
  reader = JournalReader::open(disk, kDirectory, 1);
  ASSERT_TRUE(reader.ok());
  ASSERT_FALSE(reader.value()->next().value().has_value());
  EXPECT_EQ(reader.value()->check_end().code(), Code::kDataLoss);
}

TEST(JournalReader, SaysWhenThereIsNothingOrNoLonger) {
  FaultyDisk disk(1);
  EXPECT_EQ(JournalReader::open(disk, kDirectory, 1).status().code(), Code::kNotFound);
  TestLog log(1);
  auto journal = opened(disk, small_options(8192));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(log.append(*journal, 5).ok());
  disk.erase(segment_path(1));
  EXPECT_EQ(JournalReader::open(disk, kDirectory, 1).status().code(), Code::kOutOfRange);
  EXPECT_TRUE(JournalReader::open(disk, kDirectory, 200).ok());
}

// A writer, its threads, a tailing reader, verifications and statistics at once: the data race test under TSan.
TEST(JournalReader, TailsAWriterOnARealDisk) {
  char name[] = "/tmp/halocline-journal-XXXXXX";
  const std::string root = ::mkdtemp(name);
  for (const Durability durability : {Durability::kFsync, Durability::kOs}) {
    PosixDisk disk;
    FileJournalOptions options = small_options(2u << 20);
    options.directory = root + "/" + durability_name(durability);
    options.durability = durability;
    options.background = true;
    auto journal = opened(disk, options);
    std::atomic<Seq> durable{0};
    std::atomic<bool> done{false};
    TestLog log(2);
    // The records are made beforehand: the reading thread compares with them.
    std::vector<std::vector<std::byte>> payloads;
    std::vector<BlockView> blocks;
    for (int i = 0; i < 400; ++i) {
      blocks.push_back(log.block(static_cast<std::uint32_t>(1 + log.below(200))));
      payloads.push_back(log.payload);
      blocks.back().payload = payloads.back();
    }
    std::thread tail([&] {
      auto reader = JournalReader::open(disk, options.directory, 1);
      ASSERT_TRUE(reader.ok()) << reader.status().to_string();
      Comparison comparison{log};
      while (comparison.last() < log.records.size()) {
        const Seq bound = durable.load();
        if (bound > 0) reader.value()->stop_after(bound);
        const Status status = bound > 0 ? drain(*reader.value(), comparison) : ok_status();
        ASSERT_TRUE(status.ok()) << status.to_string();
        ASSERT_GE(comparison.last(), bound);
        std::this_thread::yield();
      }
      EXPECT_EQ(comparison.wrong, 0);
    });
    std::thread verify([&] {
      while (!done) {
        const auto report = verify_journal(disk, options.directory);
        ASSERT_TRUE(report.ok()) << report.status().to_string();
        for (const auto& problem : report.value().problems) ADD_FAILURE() << problem.path << " " << problem.offset << " " << problem.text;
        EXPECT_EQ(journal->stats().warning, "");
      }
    });
    std::thread unbounded([&] {
      auto reader = JournalReader::open(disk, options.directory, 1);
      ASSERT_TRUE(reader.ok()) << reader.status().to_string();
      Comparison comparison{log};
      while (comparison.last() < log.records.size()) {
        const Status status = drain(*reader.value(), comparison);
        ASSERT_TRUE(status.ok()) << status.to_string();
      }
      EXPECT_EQ(comparison.wrong, 0);
    });
    for (const BlockView& block : blocks) {
      ASSERT_TRUE(journal->append(block).ok());
      const Result<Seq> committed = journal->commit();
      ASSERT_TRUE(committed.ok());
      durable = committed.value();
    }
    tail.join();
    unbounded.join();
    ASSERT_TRUE(journal->close().ok());
    done = true;
    verify.join();
    const auto report = verify_journal(disk, options.directory);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report.value().ok() && report.value().sealed && !report.value().torn);
    EXPECT_EQ(report.value().records, log.records.size());
    EXPECT_EQ(report.value().chain, hex(journal->chain()));
    EXPECT_GT(report.value().segments, 1u);
  }
  std::filesystem::remove_all(root);
}

TEST(Inspect, VisitsEverySegmentBlockAndRecord) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = opened(disk, small_options(8192));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(log.append(*journal, 5).ok());
  ASSERT_TRUE(journal->close().ok());
  std::uint32_t segments = 0;
  int seals = 0;
  Seq next = 1;
  JournalVisitor visitor;
  visitor.on_segment = [&](const SegmentHeader& header) { EXPECT_EQ(header.number, ++segments); };
  visitor.on_block = [&](const BlockInfo& block) { seals += block.header.kind == BlockKind::kSeal; };
  visitor.on_record = [&](const BlockInfo& block, const Record& record) {
    EXPECT_EQ(block.segment, segments);
    EXPECT_EQ(record.seq, next++);
  };
  const auto report = walk_journal(disk, kDirectory, visitor);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report.value().ok());
  EXPECT_EQ(segments, report.value().segments);
  EXPECT_EQ(seals, 1);
  EXPECT_EQ(next, 201u);
  EXPECT_EQ(report.value().first_time, 1001);
  EXPECT_EQ(report.value().last_time, 1196);
}

TEST(Inspect, ReportsEveryDamagedPlaceAndGoesOnBehindIt) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = opened(disk, small_options(32768));
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 60; ++i) {
    offsets.push_back(kSegmentHeaderBytes + journal->stats().bytes);
    ASSERT_TRUE(log.append(*journal, 5).ok() && log.commit(*journal).ok());
  }
  ASSERT_GT(journal->stats().segments, 1u);
  for (const std::size_t block : {3, 9, 20}) disk.bytes(segment_path(1))[offsets[block] + 120] ^= std::byte{4};
  const auto report = verify_journal(disk, kDirectory);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report.value().problems.size(), 3u);
  EXPECT_EQ(report.value().problems[0].offset, offsets[3]);
  EXPECT_EQ(report.value().problems[1].offset, offsets[9]);
  EXPECT_EQ(report.value().problems[2].offset, offsets[20]);
  EXPECT_EQ(report.value().records, 300u - 15u);
}

TEST(MemoryJournal, CountsAndKeepsNothing) {
  MemoryJournal journal;
  TestLog log(1);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(log.append(journal, 7).ok() && log.commit(journal).ok());
  EXPECT_EQ(journal.next_seq(), 71u);
  EXPECT_EQ(journal.stats().blocks, 10u);
  EXPECT_TRUE(journal.close().ok());
}

TEST(JournalDeathTest, ABlockOutOfPlaceIsABrokenInvariant) {
  MemoryJournal journal;
  TestLog log(1);
  BlockView block = log.block(3);
  block.first_seq = 2;
  EXPECT_DEATH(static_cast<void>(journal.append(block)), "where 1 is next");
  block.first_seq = 1;
  block.records = 4;
  EXPECT_DEATH(static_cast<void>(journal.append(block)), "a block of 4 records holds 3");
}

TEST(Durability, NamesAndTheirTexts) {
  for (const Durability durability : {Durability::kFsync, Durability::kOs, Durability::kMemory}) {
    EXPECT_EQ(parse_durability(durability_name(durability)).value(), durability);
  }
  EXPECT_EQ(parse_durability("sometimes").status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace halocline
