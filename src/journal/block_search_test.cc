// Seqs and times are found in a journal of many segments as by reading all of it, beside a writer, behind seals, and where nothing is.
#include "journal/block_search.h"

#include <gtest/gtest.h>

#include "journal/journal_reader.h"
#include "journal/log_test.h"

namespace halocline {
namespace {

struct Written {
  Seq last = 0;
  Nanos time = 0;
};

TEST(BlockSearch, FindsTheLastSeqOfAnyTime) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    FaultyDisk disk(seed);
    TestLog log(seed);
    std::vector<Written> blocks;
    FileJournalOptions options = small_options(seed % 2 == 0 ? 8192 : 1 << 20);
    options.now = 900;
    for (int run = 0; run < 2; ++run) {
      auto opened = FileJournal::open(disk, options, ignore_block);
      ASSERT_TRUE(opened.ok()) << opened.status().to_string();
      for (int i = 0; i < 150; ++i) {
        BlockView block = log.block(static_cast<std::uint32_t>(1 + log.below(9)));
        block.time = blocks.empty() ? 1'000 : blocks.back().time + static_cast<Nanos>(log.below(3));
        ASSERT_TRUE(opened.value()->append(block).ok());
        blocks.push_back({block.last_seq(), block.time});
      }
      ASSERT_TRUE(opened.value()->commit().ok());
      ASSERT_TRUE(opened.value()->close().ok());
    }
    const Seq newest = blocks.back().last;
    for (Nanos time = 995; time < blocks.back().time + 5; ++time) {
      Seq expected = 0;
      for (const Written& block : blocks) {
        if (block.time <= time) expected = block.last;
      }
      const Result<Seq> found = last_seq_until(disk, kDirectory, time, newest);
      ASSERT_TRUE(found.ok()) << found.status().to_string();
      ASSERT_EQ(found.value(), expected) << "seed " << seed << ", time " << time;
      const Seq less = 1 + log.below(newest);
      const Result<Seq> bounded = last_seq_until(disk, kDirectory, time, less);
      ASSERT_TRUE(bounded.ok()) << bounded.status().to_string();
      ASSERT_EQ(bounded.value(), std::min(expected, less));
    }
    for (int i = 0; i < 200; ++i) {
      const Seq from = 1 + log.below(newest);
      auto reader = JournalReader::open(disk, kDirectory, from, false);
      ASSERT_TRUE(reader.ok());
      const Result<std::optional<BlockView>> block = reader.value()->next();
      ASSERT_TRUE(block.ok() && block.value().has_value());
      ASSERT_LE(block.value()->first_seq, from);
      ASSERT_GE(block.value()->last_seq(), from);
    }
  }
}

TEST(BlockSearch, SaysWhatIsNoLongerThere) {
  FaultyDisk disk(1);
  EXPECT_EQ(last_seq_until(disk, kDirectory, 5, 5).status().code(), Code::kNotFound);
  TestLog log(1);
  auto opened = FileJournal::open(disk, small_options(8192), ignore_block);
  ASSERT_TRUE(opened.ok());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(log.append(*opened.value(), 5).ok());
  ASSERT_TRUE(log.commit(*opened.value()).ok());
  ASSERT_TRUE(opened.value()->close().ok());
  ASSERT_TRUE(disk.remove(segment_path(1)).ok());
  const Result<Seq> gone = last_seq_until(disk, kDirectory, 1'002, 500);
  EXPECT_EQ(gone.status().code(), Code::kOutOfRange);
  EXPECT_NE(gone.status().message().find("no longer there"), std::string::npos);
  EXPECT_TRUE(last_seq_until(disk, kDirectory, 1'480, 500).ok());
}

}  // namespace
}  // namespace halocline
