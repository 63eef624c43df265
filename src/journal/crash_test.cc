// The journal against a disk that loses, tears and refuses: whatever happens, what was committed is there, once, in
// order, and nothing is there that was never written.
#include <gtest/gtest.h>

#include "journal/inspect.h"
#include "journal/log_test.h"

namespace halocline {
namespace {

// Opens, compares with the log, and makes the log what the journal kept.
std::unique_ptr<FileJournal> reopen(FaultyDisk& disk, TestLog& log, const FileJournalOptions& options) {
  Comparison comparison{log};
  auto journal = FileJournal::open(disk, options, std::ref(comparison));
  if (!journal.ok()) {
    // The power may fail during recovery too.
    EXPECT_FALSE(disk.powered()) << journal.status().to_string();
    return nullptr;
  }
  EXPECT_GE(comparison.last(), log.committed) << "a committed record is lost";
  EXPECT_EQ(journal.value()->next_seq(), comparison.last() + 1);
  log.records.resize(std::min<std::size_t>(log.records.size(), comparison.last()));
  log.committed = comparison.last();  // an opened journal has made it durable
  return journal.take();
}

// Random blocks and commits until something fails or it's enough.
void work(Journal& journal, TestLog& log, std::size_t steps) {
  for (std::size_t i = 0; i < steps; ++i) {
    if (log.below(3) > 0) {
      Status status = log.append(journal, static_cast<std::uint32_t>(1 + log.below(12)));
      if (!status.ok() && status.code() != Code::kResourceExhausted) return;
    } else if (!log.commit(journal).ok()) {
      return;
    }
  }
  if (log.below(4) == 0 && journal.close().ok()) log.committed = log.records.size();
}

void live(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  FaultyDisk disk(seed);
  TestLog log(seed);
  disk.short_io(seed % 2 == 0);
  FileJournalOptions options = small_options(8192 + 4096 * (seed % 3));
  for (int session = 0; session < 12; ++session) {
    if (log.below(3) > 0) disk.power_off_after(static_cast<int>(log.below(120)));
    auto journal = reopen(disk, log, options);
    if (journal != nullptr) {
      // The page cache of a process that died of a sync error must not count as durable later.
      if (log.below(4) == 0) disk.fail(DiskOp::kSync, EIO, static_cast<int>(log.below(10)));
      if (log.below(6) == 0) disk.fail(DiskOp::kWrite, ENOSPC, static_cast<int>(log.below(10)));
      if (log.below(8) == 0) disk.fail(DiskOp::kPreallocate, ENOSPC);
      work(*journal, log, 5 + log.below(60));
    }
    disk.heal();
    if (log.below(3) > 0) {
      disk.power_cycle();
    } else {
      disk.kill();
    }
    if (::testing::Test::HasFailure()) return;
  }
  auto journal = reopen(disk, log, options);
  ASSERT_NE(journal, nullptr);
  const auto report = verify_journal(disk, kDirectory);
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  for (const auto& problem : report.value().problems) ADD_FAILURE() << problem.path << " " << problem.offset << " " << problem.text;
  EXPECT_EQ(report.value().last_seq, log.records.size());
}

TEST(Crash, RandomLivesLoseNothingCommittedAndInventNothing) {
  for (std::uint64_t seed = 1; seed <= 600; seed += kOneIn) {
    live(seed);
    if (HasFailure()) return;
  }
}

// One fixed history, with the power off at each of its disk calls, ten survivals each.
TEST(Crash, PowerFailureAtEveryCall) {
  for (int call = 0;; call += kOneIn) {
    bool survived_all = false;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE("call " + std::to_string(call) + ", seed " + std::to_string(seed));
      FaultyDisk disk(seed);
      TestLog log(1);
      disk.power_off_after(call);
      bool done = false;
      if (auto journal = reopen(disk, log, small_options(8192))) {
        for (int i = 0; i < 20; ++i) {
          if (!log.append(*journal, 3).ok() || !log.append(*journal, 2).ok() || !log.commit(*journal).ok()) break;
        }
        done = disk.powered() && journal->close().ok();
      }
      disk.power_cycle();
      auto journal = reopen(disk, log, small_options(8192));
      ASSERT_NE(journal, nullptr);
      if (done) {
        EXPECT_EQ(log.records.size(), 100u);
        EXPECT_TRUE(journal->recovered().sealed);
      }
      ASSERT_TRUE(log.append(*journal, 1).ok());
      ASSERT_TRUE(log.commit(*journal).ok());
      journal.reset();
      ASSERT_NE(reopen(disk, log, small_options(8192)), nullptr);
      if (HasFailure()) return;
      survived_all = done;
    }
    if (survived_all) break;
  }
}

TEST(Crash, ASyncErrorPoisonsTheJournal) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = reopen(disk, log, small_options());
  ASSERT_TRUE(log.append(*journal, 3).ok());
  ASSERT_TRUE(log.commit(*journal).ok());
  ASSERT_TRUE(log.append(*journal, 3).ok());
  disk.fail(DiskOp::kSync, EIO);
  const Result<Seq> failed = journal->commit();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.status().code(), Code::kIo);
  EXPECT_NE(failed.status().message().find("restart"), std::string::npos) << failed.status().message();
  EXPECT_FALSE(journal->commit().ok());
  EXPECT_FALSE(journal->append(log.block(1)).ok());
  EXPECT_FALSE(journal->close().ok());
}

TEST(Crash, APageCacheThatWasNeverWrittenIsWrittenAtTheNextStart) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = reopen(disk, log, small_options());
  ASSERT_TRUE(log.append(*journal, 3).ok());
  disk.fail(DiskOp::kSync, EIO);
  ASSERT_FALSE(log.commit(*journal).ok());
  disk.kill();
  journal = reopen(disk, log, small_options());  // reads the blocks from the page cache
  ASSERT_NE(journal, nullptr);
  ASSERT_EQ(log.records.size(), 3u);
  disk.power_cycle();
  journal = reopen(disk, log, small_options());
  EXPECT_EQ(log.records.size(), 3u);
}

TEST(Crash, AWriteErrorPoisonsTheJournal) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = reopen(disk, log, small_options());
  ASSERT_TRUE(log.append(*journal, 3).ok());
  ASSERT_TRUE(log.commit(*journal).ok());
  disk.fail(DiskOp::kWrite, EIO);
  EXPECT_EQ(log.append(*journal, 3).code(), Code::kIo);
  EXPECT_FALSE(journal->commit().ok());
  journal.reset();
  ASSERT_NE(reopen(disk, log, small_options()), nullptr);
}

TEST(Crash, AReadErrorStopsTheStart) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = reopen(disk, log, small_options());
  ASSERT_TRUE(log.append(*journal, 3).ok());
  ASSERT_TRUE(log.commit(*journal).ok());
  journal.reset();
  for (int after = 0; after < 4; ++after) {
    disk.fail(DiskOp::kRead, EIO, after);
    EXPECT_EQ(FileJournal::open(disk, small_options(), ignore_block).status().code(), Code::kIo) << after;
    disk.heal();
  }
}

TEST(Crash, AFullDiskRefusesTheBlockAndLeavesTheJournalWhole) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = reopen(disk, log, small_options());
  ASSERT_TRUE(log.append(*journal, 2).ok());
  for (int i = 0; i < 5; ++i) {
    disk.fail(DiskOp::kWrite, ENOSPC);
    ASSERT_EQ(log.append(*journal, 10).code(), Code::kResourceExhausted);
    ASSERT_TRUE(log.append(*journal, 1).ok());
    ASSERT_TRUE(log.commit(*journal).ok());
  }
  journal.reset();
  journal = reopen(disk, log, small_options());
  EXPECT_EQ(log.records.size(), 7u);
  EXPECT_FALSE(journal->recovered().torn.has_value());
}

TEST(Crash, NoRoomForTheNextSegmentWarnsAndThenRefusesUntilThereIs) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = reopen(disk, log, small_options(8192));
  disk.room(8192 + 100);
  Status status;
  while (status.ok()) status = log.append(*journal, 3);
  ASSERT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_NE(journal->stats().warning, "");
  EXPECT_EQ(journal->append(log.block(3)).code(), Code::kResourceExhausted);
  log.records.resize(log.records.size() - 3);
  ASSERT_TRUE(log.commit(*journal).ok());
  disk.room(1u << 20);
  ASSERT_TRUE(log.append(*journal, 3).ok());
  ASSERT_TRUE(log.commit(*journal).ok());
  EXPECT_EQ(journal->stats().warning, "");
  EXPECT_EQ(journal->stats().segments, 2u);
  journal.reset();
  ASSERT_NE(reopen(disk, log, small_options(8192)), nullptr);
}

TEST(Crash, AMisdirectedWriteStopsTheStartWhereverItWent) {
  for (const std::int64_t distance : {-1024, -512, 512, 640, 2048, 4096}) {
    for (const bool more_follows : {false, true}) {
      SCOPED_TRACE(distance);
      FaultyDisk disk(1);
      TestLog log(1);
      auto journal = reopen(disk, log, small_options(65536));
      for (int i = 0; i < 10; ++i) ASSERT_TRUE(log.append(*journal, 8).ok() && log.commit(*journal).ok());
      disk.misdirect_next_write(distance);
      ASSERT_TRUE(log.append(*journal, 12).ok() && log.commit(*journal).ok());
      if (more_follows) {
        ASSERT_TRUE(log.append(*journal, 12).ok() && log.commit(*journal).ok());
      }
      journal.reset();
      const auto opened = FileJournal::open(disk, small_options(65536), ignore_block);
      EXPECT_EQ(opened.status().code(), Code::kDataLoss) << opened.status().to_string();
    }
  }
}

TEST(Crash, ALostWriteStopsTheStartWhenAnythingFollows) {
  FaultyDisk disk(1);
  TestLog log(1);
  auto journal = reopen(disk, log, small_options(65536));
  ASSERT_TRUE(log.append(*journal, 8).ok() && log.commit(*journal).ok());
  disk.lose_next_write();
  ASSERT_TRUE(log.append(*journal, 12).ok() && log.commit(*journal).ok());
  ASSERT_TRUE(journal->close().ok());
  journal.reset();
  EXPECT_EQ(FileJournal::open(disk, small_options(65536), ignore_block).status().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace halocline
