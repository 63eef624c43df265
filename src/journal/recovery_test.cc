// What recovery makes of every kind of damage, byte by byte.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/crc32c.h"
#include "journal/inspect.h"
#include "journal/log_test.h"

namespace halocline {
namespace {

using Files = std::map<std::string, FaultyDisk::Bytes>;

// A journal of a few small commits over three segments; its files, and the log.
Files written(TestLog& log, bool sealed, int commits = 12) {
  FaultyDisk disk(1);
  auto journal = FileJournal::open(disk, small_options(8192), ignore_block);
  EXPECT_TRUE(journal.ok()) << journal.status().to_string();
  for (int i = 0; i < commits; ++i) {
    EXPECT_TRUE(log.append(*journal.value(), 4).ok() && log.append(*journal.value(), 3).ok());
    if (i + 1 < commits || sealed) {
      EXPECT_TRUE(log.commit(*journal.value()).ok());
    }
  }
  if (sealed) {
    EXPECT_TRUE(journal.value()->close().ok());
  }
  journal.value().reset();
  return disk.contents();
}

struct Outcome {
  Status status;
  Seq last = 0;
  int wrong = 0;
  bool torn = false;
};

Outcome open_and_compare(FaultyDisk& disk, const TestLog& log) {
  Comparison comparison{log};
  auto journal = FileJournal::open(disk, small_options(8192), std::ref(comparison));
  Outcome outcome;
  outcome.status = journal.status();
  outcome.last = comparison.last();
  outcome.wrong = comparison.wrong;
  if (journal.ok()) outcome.torn = journal.value()->recovered().torn.has_value();
  return outcome;
}

// Every byte of every segment, one flipped at a time. With a seal, nothing is ever lost. Without, only the last commit,
// which nothing proves to have been durable, may be taken for torn.
void flip_every_byte(bool sealed) {
  TestLog log(3);
  const Files files = written(log, sealed);
  ASSERT_EQ(log.records.size(), 84u);
  FaultyDisk disk(1);
  int refused = 0;
  for (const auto& [path, bytes] : files) {
    if (!segment_number(path.substr(kDirectory.size() + 1)).has_value()) continue;
    for (std::size_t i = 0; i < bytes.size(); i += kOneIn) {
      disk.restore(files);
      disk.bytes(path)[i] ^= static_cast<std::byte>(1 + log.below(255));
      const Outcome outcome = open_and_compare(disk, log);
      ASSERT_EQ(outcome.wrong, 0) << path << " byte " << i;
      if (!outcome.status.ok()) {
        ++refused;
        ASSERT_TRUE(outcome.status.code() == Code::kDataLoss || outcome.status.code() == Code::kUnsupported);
        ASSERT_NE(outcome.status.message().find("journal-"), std::string::npos) << outcome.status.message();
        continue;
      }
      ASSERT_TRUE(outcome.torn) << path << " byte " << i << ": not noticed";
      ASSERT_GE(outcome.last, sealed ? log.records.size() : log.committed) << path << " byte " << i;
    }
  }
  EXPECT_GT(refused, 15000 / kOneIn);
}

TEST(Recovery, EveryFlippedByteOfAClosedJournalIsNoticedAndNothingLost) { flip_every_byte(true); }
TEST(Recovery, EveryFlippedByteOfACrashedJournalIsNoticedAndNothingProvenLost) { flip_every_byte(false); }

// The last commit cut off at each of its bytes, the rest zeros: as if the disk had got so far.
TEST(Recovery, ALastCommitCutOffAnywhereIsWipedAndTheRestIsThere) {
  TestLog log(4);
  FaultyDisk disk(1);
  std::uint64_t begin = 0;
  {
    auto journal = FileJournal::open(disk, small_options(32768), ignore_block).take();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.append(*journal, 4).ok() && log.commit(*journal).ok());
    begin = kSegmentHeaderBytes + journal->stats().bytes;
    ASSERT_TRUE(log.append(*journal, 4).ok() && log.append(*journal, 4).ok());
  }
  const Files files = disk.contents();
  const std::string path = segment_path(1);
  for (std::uint64_t cut = begin; cut < begin + 1500; cut += kOneIn) {
    disk.restore(files);
    auto& bytes = disk.bytes(path);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end(), std::byte{0});
    Comparison comparison{log};
    auto journal = FileJournal::open(disk, small_options(32768), std::ref(comparison));
    ASSERT_TRUE(journal.ok()) << cut << " " << journal.status().to_string();
    ASSERT_GE(comparison.last(), log.committed) << cut;
    ASSERT_EQ(comparison.wrong, 0);
    const Recovered& recovered = journal.value()->recovered();
    const bool something_cut = comparison.last() < log.records.size();
    if (recovered.torn.has_value()) {
      ASSERT_TRUE(something_cut && recovered.torn->offset + recovered.torn->bytes <= cut);
    }
    // Whatever is written now must read well, whatever stood there.
    TestLog after = log;
    after.records.resize(comparison.last());
    after.committed = comparison.last();
    ASSERT_TRUE(after.append(*journal.value(), 1).ok() && after.commit(*journal.value()).ok());
    journal.value().reset();
    Comparison again{after};
    ASSERT_TRUE(FileJournal::open(disk, small_options(32768), std::ref(again)).ok());
    ASSERT_EQ(again.last(), after.records.size());
  }
}

TEST(Recovery, BehindALostBlockOfTheLastCommitNothingIsKeptAndNothingComesBack) {
  TestLog log(5);
  FaultyDisk disk(1);
  std::uint64_t begin = 0;
  {
    auto journal = FileJournal::open(disk, small_options(32768), ignore_block).take();
    ASSERT_TRUE(log.append(*journal, 4).ok() && log.commit(*journal).ok());
    begin = kSegmentHeaderBytes + journal->stats().bytes;
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(log.append(*journal, 4).ok());
  }
  auto& bytes = disk.bytes(segment_path(1));
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), kBlockHeaderBytes, std::byte{0});
  auto journal = FileJournal::open(disk, small_options(32768), ignore_block);
  ASSERT_TRUE(journal.ok()) << journal.status().to_string();
  EXPECT_EQ(journal.value()->next_seq(), 5u);
  ASSERT_TRUE(journal.value()->recovered().torn.has_value());
  EXPECT_EQ(journal.value()->recovered().torn->blocks, 4u);
  EXPECT_EQ(journal.value()->recovered().torn->records, 16u);
  const auto& wiped = disk.bytes(segment_path(1));
  EXPECT_TRUE(std::all_of(wiped.begin() + static_cast<std::ptrdiff_t>(begin), wiped.end(), [](std::byte b) { return b == std::byte{0}; }));
}

// One row: what is done to a good journal of three segments, and what the start says.
struct Case {
  const char* name;
  std::function<void(FaultyDisk&)> damage;
  Code code;
  const char* text;
};

void set_word(FaultyDisk& disk, const std::string& path, std::size_t offset, std::uint32_t value, bool fix_crc) {
  auto& bytes = disk.bytes(path);
  std::memcpy(bytes.data() + offset, &value, 4);
  if (!fix_crc) return;
  std::memset(bytes.data() + 12, 0, 4);
  const std::uint32_t crc = crc32c(std::span<const std::byte>(bytes).first(kSegmentHeaderBytes));
  std::memcpy(bytes.data() + 12, &crc, 4);
}

const Case kCases[] = {
    {"nothing", [](FaultyDisk&) {}, Code::kOk, ""},
    {"the first segment is missing", [](FaultyDisk& d) { d.erase(segment_path(1)); }, Code::kDataLoss,
     "journal-0000000001.seg is missing"},
    {"a middle segment is missing", [](FaultyDisk& d) { d.erase(segment_path(2)); }, Code::kDataLoss,
     "journal-0000000002.seg is missing"},
    {"the last segment is missing", [](FaultyDisk& d) { d.erase(segment_path(3)); }, Code::kDataLoss,
     "journal-0000000003.seg is missing"},
    {"the last segment is empty", [](FaultyDisk& d) { d.bytes(segment_path(3)).clear(); }, Code::kDataLoss, "it is empty"},
    {"a middle segment is empty", [](FaultyDisk& d) { d.bytes(segment_path(2)).clear(); }, Code::kDataLoss, "later segment exists"},
    {"an empty file behind the last one", [](FaultyDisk& d) { d.put(segment_path(4), {}); }, Code::kOk, ""},
    {"a half-made segment", [](FaultyDisk& d) { d.put(kDirectory + "/" + prepared_name(4), FaultyDisk::Bytes(5000)); }, Code::kOk, ""},
    {"someone's notes", [](FaultyDisk& d) { d.put(kDirectory + "/notes.txt", FaultyDisk::Bytes(10)); }, Code::kOk, ""},
    {"a foreign file", [](FaultyDisk& d) { d.bytes(segment_path(2)).assign(8192, std::byte{'x'}); }, Code::kUnsupported,
     "another program's file"},
    {"a newer format", [](FaultyDisk& d) { set_word(d, segment_path(2), 8, 2, true); }, Code::kUnsupported,
     "format 2, this program knows format 1"},
    {"a flipped version", [](FaultyDisk& d) { set_word(d, segment_path(2), 8, 2, false); }, Code::kDataLoss, "wrong CRC"},
    {"a segment of another journal", [](FaultyDisk& d) { set_word(d, segment_path(2), 16, 7, true); }, Code::kDataLoss,
     "another journal"},
    {"a segment under another's name", [](FaultyDisk& d) { d.bytes(segment_path(2)) = d.bytes(segment_path(1)); }, Code::kDataLoss,
     "says it is segment 1"},
    {"a segment cut off", [](FaultyDisk& d) { d.bytes(segment_path(2)).resize(7000); }, Code::kDataLoss, "but it has 7000"},
    {"a header cut off", [](FaultyDisk& d) { d.bytes(segment_path(2)).resize(70); }, Code::kDataLoss, "cut off after 70"},
    {"a wiped header", [](FaultyDisk& d) { std::fill_n(d.bytes(segment_path(3)).begin(), 4096, std::byte{0}); }, Code::kDataLoss,
     "its header is empty"},
    {"blocks wiped in the middle", [](FaultyDisk& d) { std::fill_n(d.bytes(segment_path(2)).begin() + 4096, 4096, std::byte{0}); },
     Code::kDataLoss, "journal-0000000002.seg is damaged at offset 4096"},
};

TEST(Recovery, EachDamageHasItsAnswer) {
  TestLog log(6);
  const Files files = written(log, true);
  ASSERT_EQ(files.count(segment_path(3)), 1u);
  for (const Case& row : kCases) {
    SCOPED_TRACE(row.name);
    FaultyDisk disk(1);
    disk.restore(files);
    row.damage(disk);
    const Files before = disk.contents();
    const auto report = verify_journal(disk, kDirectory);
    ASSERT_TRUE(report.ok()) << report.status().to_string();
    EXPECT_EQ(report.value().ok(), row.code == Code::kOk);
    EXPECT_EQ(disk.contents(), before) << "verify changed something";
    const Outcome outcome = open_and_compare(disk, log);
    EXPECT_EQ(outcome.status.code(), row.code) << outcome.status.to_string();
    EXPECT_NE(outcome.status.message().find(row.text), std::string::npos) << outcome.status.message();
    if (row.code == Code::kOk) {
      EXPECT_EQ(outcome.last, log.records.size());
      EXPECT_EQ(disk.exists(kDirectory + "/" + prepared_name(4)) || disk.exists(segment_path(4)), false);
    } else {
      EXPECT_EQ(disk.contents(), before) << "a refused start changed something";
    }
  }
}

TEST(Recovery, AReplacedBlockBreaksTheChainThoughItsCrcIsRight) {
  TestLog log(7);
  Files files = written(log, true);
  FaultyDisk disk(1);
  disk.restore(files);
  auto& bytes = disk.bytes(segment_path(1));
  BlockHeader header;
  std::memcpy(&header, bytes.data() + 4096, sizeof header);
  std::vector<std::byte> payload(bytes.begin() + 4096 + 96, bytes.begin() + 4096 + 96 + header.payload_bytes);
  payload.back() ^= std::byte{1};
  encode_block(header, payload, std::span(bytes).subspan(4096));
  const Outcome outcome = open_and_compare(disk, log);
  EXPECT_EQ(outcome.status.code(), Code::kDataLoss);
  EXPECT_NE(outcome.status.message().find("hash chain"), std::string::npos) << outcome.status.message();
}

TEST(Recovery, FromASeqOnReadsOnlyWhatIsNeeded) {
  TestLog log(8);
  const Files files = written(log, true);
  for (Seq from = 1; from <= log.records.size() + 1; from += 5) {
    FaultyDisk disk(1);
    disk.restore(files);
    FileJournalOptions options = small_options(8192);
    options.recovery.replay_from = from;
    Seq first = 0;
    Seq last = 0;
    auto journal = FileJournal::open(disk, options, [&](const BlockView& block) {
      if (first == 0) first = block.first_seq;
      last = block.last_seq();
      return ok_status();
    });
    ASSERT_TRUE(journal.ok()) << journal.status().to_string();
    EXPECT_EQ(journal.value()->next_seq(), log.records.size() + 1);
    EXPECT_EQ(journal.value()->recovered().last_time, 1000 + 82);
    if (from > log.records.size()) continue;
    EXPECT_LE(first, from);
    EXPECT_GT(first + 4, from);
    EXPECT_EQ(last, log.records.size());
  }
  // Old segments may be gone when a checkpoint stands for them.
  FaultyDisk disk(1);
  disk.restore(files);
  disk.erase(segment_path(1));
  EXPECT_EQ(FileJournal::open(disk, small_options(8192), ignore_block).status().code(), Code::kDataLoss);
  FileJournalOptions options = small_options(8192);
  options.recovery.replay_from = log.records.size();
  EXPECT_TRUE(FileJournal::open(disk, options, ignore_block).ok());
}

TEST(Recovery, AHandlersFailureStopsIt) {
  TestLog log(9);
  FaultyDisk disk(1);
  disk.restore(written(log, true));
  const auto opened = FileJournal::open(disk, small_options(8192), [](const BlockView&) { return Status(Code::kInternal, "no"); });
  EXPECT_EQ(opened.status().code(), Code::kInternal);
}

TEST(Recovery, ADirectoryThatCannotBeWrittenIsRefusedByName) {
  FaultyDisk disk(1);
  disk.fail(DiskOp::kCreate, EACCES);
  const auto opened = FileJournal::open(disk, small_options(), ignore_block);
  EXPECT_EQ(opened.status().code(), Code::kIo);
  EXPECT_NE(opened.status().message().find("Permission denied"), std::string::npos) << opened.status().message();
  EXPECT_NE(opened.status().message().find(kDirectory), std::string::npos) << opened.status().message();
}

// From here on a real disk.
class OnDisk : public ::testing::Test {
 protected:
  OnDisk() {
    char name[] = "/tmp/halocline-journal-XXXXXX";
    root_ = ::mkdtemp(name);
    options_ = small_options(1u << 20);
    options_.directory = root_ + "/a/journal";
    options_.background = true;
  }
  ~OnDisk() override { std::filesystem::remove_all(root_); }

  PosixDisk disk_;
  std::string root_;
  FileJournalOptions options_;
};

TEST_F(OnDisk, WritesAndReadsBackInEachMode) {
  for (const Durability durability : {Durability::kFsync, Durability::kOs}) {
    options_.durability = durability;
    options_.directory = root_ + "/" + durability_name(durability);
    TestLog log(10);
    for (int session = 0; session < 3; ++session) {
      Comparison comparison{log};
      auto journal = FileJournal::open(disk_, options_, std::ref(comparison));
      ASSERT_TRUE(journal.ok()) << journal.status().to_string();
      EXPECT_EQ(comparison.last(), log.records.size());
      for (int i = 0; i < 60; ++i) {
        ASSERT_TRUE(log.append(*journal.value(), static_cast<std::uint32_t>(1 + log.below(400))).ok());
        ASSERT_TRUE(log.commit(*journal.value()).ok());
      }
      if (session == 1) {
        ASSERT_TRUE(journal.value()->close().ok());
      }
    }
    const auto report = verify_journal(disk_, options_.directory);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report.value().ok());
    EXPECT_EQ(report.value().records, log.records.size());
    EXPECT_GT(report.value().segments, 1u);
  }
}

TEST_F(OnDisk, ASecondProcessIsToldWhoHasTheDirectory) {
  auto journal = FileJournal::open(disk_, options_, ignore_block);
  ASSERT_TRUE(journal.ok()) << journal.status().to_string();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto second = FileJournal::open(disk_, options_, ignore_block);
    const std::string text = second.status().message();
    const bool good = second.status().code() == Code::kFailedPrecondition &&
                      text.find("process " + std::to_string(::getppid())) != std::string::npos &&
                      text.find(options_.directory) != std::string::npos;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  journal.value().reset();
  EXPECT_TRUE(FileJournal::open(disk_, options_, ignore_block).ok());
}

TEST_F(OnDisk, APathThatIsNoDirectoryIsRefused) {
  options_.directory = "/dev/null/journal";
  const auto opened = FileJournal::open(disk_, options_, ignore_block);
  EXPECT_EQ(opened.status().code(), Code::kIo);
  EXPECT_NE(opened.status().message().find("/dev/null"), std::string::npos);
}

TEST_F(OnDisk, CrashPointsKillTheProcessAtTheirPassage) {
  for (const char* point : {"before_write:3", "after_write:3", "before_sync:3", "after_sync:3", "before_rotate:1", "in_rotate:1",
                            "after_rotate:1", "in_preallocate:2", "before_seal:1", "after_seal:1"}) {
    SCOPED_TRACE(point);
    options_.directory = root_ + "/" + point;
    const std::uint64_t seed = 11;
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      options_.crash_at = point;
      TestLog log(seed);
      auto journal = FileJournal::open(disk_, options_, ignore_block);
      for (int i = 0; journal.ok() && i < 20; ++i) {
        if (!log.append(*journal.value(), 900).ok() || !log.commit(*journal.value()).ok()) ::_exit(1);
        if (::write(pipe_ends[1], &log.committed, sizeof log.committed) < 0) ::_exit(1);
      }
      static_cast<void>(journal.value()->close().ok());
      ::_exit(2);
    }
    ::close(pipe_ends[1]);
    TestLog log(seed);
    while (::read(pipe_ends[0], &log.committed, sizeof log.committed) > 0) {
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    for (int i = 0; i < 20; ++i) log.block(900);
    Comparison comparison{log};
    auto journal = FileJournal::open(disk_, options_, std::ref(comparison));
    ASSERT_TRUE(journal.ok()) << journal.status().to_string();
    EXPECT_GE(comparison.last(), log.committed);
    EXPECT_EQ(comparison.wrong, 0);
  }
  options_.crash_at = "before_lunch:1";
  EXPECT_EQ(FileJournal::open(disk_, options_, ignore_block).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace halocline
