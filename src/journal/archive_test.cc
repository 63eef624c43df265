// Archived segments are read as if they were still in the journal's directory; whatever fails while one is moved, the journal is whole;
// what was altered there is found and named.
#include <gtest/gtest.h>

#include <optional>

#include "journal/archived_disk.h"
#include "journal/archived_segment.h"
#include "journal/block_search.h"
#include "journal/inspect.h"
#include "journal/journal_reader.h"
#include "journal/log_test.h"
#include "journal/recovery.h"

namespace halocline {
namespace {

const std::string kArchive = "/archive";

bool go_on() { return true; }

// A journal of many segments of 8 KiB, closed.
TestLog write_journal(Disk& disk, std::uint64_t seed, int blocks = 150) {
  TestLog log(seed);
  auto opened = FileJournal::open(disk, small_options(8192), ignore_block);
  EXPECT_TRUE(opened.ok()) << opened.status().to_string();
  for (int i = 0; i < blocks; ++i) EXPECT_TRUE(log.append(*opened.value(), static_cast<std::uint32_t>(1 + log.below(9))).ok());
  EXPECT_TRUE(log.commit(*opened.value()).ok());
  EXPECT_TRUE(opened.value()->close().ok());
  return log;
}

std::unique_ptr<ArchivedDisk> with_archive(Disk& disk) {
  return std::make_unique<ArchivedDisk>(disk, kDirectory, std::make_unique<FolderArchive>(disk, kArchive));
}

Status archive(Disk& disk, std::uint32_t number) {
  FolderArchive to(disk, kArchive);
  CrashPoints crash;
  return archive_segment(disk, kDirectory, number, to, crash, go_on);
}

// Moves all segments but the newest two; how many.
std::uint32_t archive_all(Disk& disk) {
  const std::vector<std::uint32_t> numbers = list_segments(disk, kDirectory).value();
  for (std::size_t i = 0; i + 2 < numbers.size(); ++i) {
    const Status moved = archive(disk, numbers[i]);
    EXPECT_TRUE(moved.ok()) << moved.to_string();
  }
  return static_cast<std::uint32_t>(numbers.size() - 2);
}

void expect_whole(Disk& disk, const TestLog& log, Seq from = 1) {
  Comparison compared{log, 1};
  const Result<Recovered> recovered = recover(disk, kDirectory, {}, std::ref(compared));
  ASSERT_TRUE(recovered.ok()) << recovered.status().to_string();
  EXPECT_EQ(compared.last(), log.records.size());
  EXPECT_EQ(recovered.value().last_seq, log.records.size());
  auto reader = JournalReader::open(disk, kDirectory, from, false);
  ASSERT_TRUE(reader.ok()) << reader.status().to_string();
  Seq last = from - 1;
  while (true) {
    const Result<std::optional<BlockView>> block = reader.value()->next();
    ASSERT_TRUE(block.ok()) << block.status().to_string();
    if (!block.value()) break;
    last = block.value()->last_seq();
  }
  EXPECT_EQ(last, log.records.size());
}

TEST(Archive, IsReadAsIfItWereInTheJournalsDirectory) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    FaultyDisk disk(seed);
    disk.short_io(seed % 2 == 0);
    TestLog log = write_journal(disk, seed);
    const JournalReport before = verify_journal(disk, kDirectory).value();
    const auto seqs_of_times = [&log](Disk& of) {
      std::vector<Seq> seqs;
      const Seq newest = log.records.size();
      for (Nanos time = 995; time < 1'010 + static_cast<Nanos>(newest); time += 7) {
        seqs.push_back(last_seq_until(of, kDirectory, time, newest).value());
      }
      return seqs;
    };
    const std::vector<Seq> found = seqs_of_times(disk);
    const std::uint32_t moved = archive_all(disk);
    ASSERT_GT(moved, 4u);
    for (std::uint32_t number = 1; number <= moved; ++number) ASSERT_FALSE(disk.exists(segment_path(number)));
    const auto archived = with_archive(disk);
    EXPECT_EQ(archived->archived_segments().value().size(), moved);
    EXPECT_EQ(archived->local_segments().value().size(), 2u);
    const JournalReport after = verify_journal(*archived, kDirectory).value();
    EXPECT_TRUE(after.ok());
    EXPECT_EQ(after.chain, before.chain);
    EXPECT_EQ(after.records, before.records);
    expect_whole(*archived, log, 1 + log.below(log.records.size()));
    EXPECT_EQ(seqs_of_times(*archived), found);
    // It goes on being written, also when it was opened with what is archived.
    auto opened = FileJournal::open(*archived, small_options(8192), ignore_block);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(log.append(*opened.value(), 5).ok());
    ASSERT_TRUE(log.commit(*opened.value()).ok());
    ASSERT_TRUE(opened.value()->close().ok());
    ASSERT_GT(archive_all(disk), 0u);
    expect_whole(*archived, log);
  }
}

TEST(Archive, TheJournalIsWholeWhenThePowerFailsAtAnyCall) {
  int moved = 0, left = 0;
  for (int calls = 0; calls < 120; calls += kOneIn) {
    FaultyDisk disk(static_cast<std::uint64_t>(calls) + 1);
    disk.short_io(calls % 2 == 0);
    const TestLog log = write_journal(disk, 3, 60);
    disk.power_off_after(calls);
    const bool told = archive(disk, 1).ok();
    disk.power_cycle();
    const auto archived = with_archive(disk);
    expect_whole(*archived, log);
    const bool there = disk.exists(segment_path(1));
    ASSERT_FALSE(told && there) << "told it was moved, and it was not: call " << calls;
    ++(there ? left : moved);
    // Once more, and nothing is left over.
    if (there) {
      ASSERT_TRUE(archive(disk, 1).ok());
    }
    EXPECT_EQ(disk.list(kArchive).value(), std::vector<std::string>{archive_name(1)});
    expect_whole(*archived, log);
  }
  EXPECT_GT(moved, 0);
  EXPECT_GT(left, 10 / kOneIn);
}

TEST(Archive, EveryChangedByteAndEveryCutIsSeenAndNamed) {
  FaultyDisk disk(1);
  write_journal(disk, 1, 40);
  ASSERT_TRUE(archive(disk, 1).ok());
  const std::string path = kArchive + "/" + archive_name(1);
  FolderArchive folder(disk, kArchive);
  ASSERT_TRUE(verify_archived(folder, 1, go_on).ok());
  const FaultyDisk::Bytes whole = disk.bytes(path);
  const auto expect_seen = [&](const std::string& how) {
    const Status seen = verify_archived(folder, 1, go_on);
    ASSERT_TRUE(seen.code() == Code::kDataLoss || seen.code() == Code::kUnsupported) << how << ": " << seen.to_string();
    ASSERT_NE(seen.message().find(path), std::string::npos) << seen.message();
    disk.bytes(path) = whole;
  };
  for (std::size_t at = 0; at < whole.size(); at += at + 200 > whole.size() ? 1 : 1 + 6 * kOneIn) {
    disk.bytes(path)[at] ^= std::byte{0x20};
    expect_seen("byte " + std::to_string(at));
  }
  for (std::size_t size = 0; size < whole.size(); size += 1 + 10 * kOneIn) {
    disk.bytes(path).resize(size);
    expect_seen("cut to " + std::to_string(size));
  }
  disk.bytes(path).push_back(std::byte{0});
  expect_seen("longer");
}

TEST(Archive, ADamagedSegmentIsNotMovedAndAGoodCopyStays) {
  FaultyDisk disk(1);
  const TestLog log = write_journal(disk, 1, 60);
  disk.bytes(segment_path(2))[5'000] ^= std::byte{1};
  const Status refused = archive(disk, 2);
  EXPECT_EQ(refused.code(), Code::kDataLoss);
  EXPECT_NE(refused.message().find(segment_path(2)), std::string::npos) << refused.message();
  EXPECT_TRUE(disk.exists(segment_path(2)));
  disk.bytes(segment_path(2))[5'000] ^= std::byte{1};
  // A crash between copy and removal; then the segment that was left is damaged.
  const FaultyDisk::Bytes segment = disk.bytes(segment_path(2));
  ASSERT_TRUE(archive(disk, 2).ok());
  disk.put(segment_path(2), segment);
  disk.bytes(segment_path(2))[5'000] ^= std::byte{1};
  EXPECT_EQ(archive(disk, 2).code(), Code::kDataLoss);
  ASSERT_TRUE(disk.remove(segment_path(2)).ok());
  expect_whole(*with_archive(disk), log);
}

TEST(Archive, OfAnotherJournalTakesNothing) {
  FaultyDisk disk(1);
  write_journal(disk, 1, 40);
  ASSERT_TRUE(archive(disk, 1).ok());
  const std::vector<std::string> names = disk.list(kDirectory).value();
  for (const std::string& name : names) disk.erase(kDirectory + "/" + name);
  write_journal(disk, 2, 40);
  const Status refused = archive(disk, 1);
  EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
  EXPECT_NE(refused.message().find("another journal"), std::string::npos);
  EXPECT_TRUE(disk.exists(segment_path(1)));
}

TEST(Archive, WhatIsMissingIsNamed) {
  FaultyDisk disk(1);
  write_journal(disk, 1);
  const std::uint32_t moved = archive_all(disk);
  ASSERT_GT(moved, 4u);
  ASSERT_TRUE(disk.remove(kArchive + "/" + archive_name(3)).ok());
  const Result<Recovered> recovered = recover(*with_archive(disk), kDirectory, {}, ignore_block);
  EXPECT_EQ(recovered.status().code(), Code::kDataLoss);
  EXPECT_NE(recovered.status().message().find(segment_name(3) + " is missing"), std::string::npos) << recovered.status().message();
}

TEST(Archive, TheJournalsDirectorySaysWhereItIs) {
  FaultyDisk disk(1);
  const TestLog log = write_journal(disk, 1);
  const auto folder_at = [&](const std::string& folder) {
    return Result<std::unique_ptr<SegmentArchive>>(std::make_unique<FolderArchive>(disk, folder));
  };
  EXPECT_EQ(ArchivedDisk::open(disk, kDirectory, folder_at).value()->archive(), nullptr);
  archive_all(disk);
  ASSERT_TRUE(ArchivedDisk::set_place(disk, kDirectory, "/elsewhere").ok());
  ASSERT_TRUE(ArchivedDisk::set_place(disk, kDirectory, kArchive).ok());
  disk.power_cycle();
  const auto opened = ArchivedDisk::open(disk, kDirectory, folder_at);
  ASSERT_TRUE(opened.ok());
  ASSERT_EQ(opened.value()->archive()->place(), kArchive);
  expect_whole(*opened.value(), log);
  const auto none_at = [](const std::string& place) { return Result<std::unique_ptr<SegmentArchive>>(Status(Code::kUnsupported, place)); };
  EXPECT_EQ(ArchivedDisk::open(disk, kDirectory, none_at).status().message(), kDirectory + "/ARCHIVE: " + kArchive);
  disk.put(kDirectory + "/ARCHIVE", {});
  EXPECT_EQ(ArchivedDisk::open(disk, kDirectory, folder_at).status().code(), Code::kDataLoss);
}

TEST(Archive, CanBeGivenUp) {
  FaultyDisk disk(1);
  write_journal(disk, 1, 40);
  FolderArchive folder(disk, kArchive);
  CrashPoints crash;
  const Status given_up = archive_segment(disk, kDirectory, 1, folder, crash, [] { return false; });
  EXPECT_EQ(given_up.code(), Code::kUnavailable);
  EXPECT_TRUE(disk.exists(segment_path(1)));
}

}  // namespace
}  // namespace halocline
