// A start from a checkpoint and what came after it is a start from all of the journal; what cannot be used is told of and passed over.
#include "server/checkpoints.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include "engine/views.h"
#include "server/books_at_start.h"
#include "server/core_fixture.h"

namespace halocline {
namespace {

class CheckpointsTest : public ::testing::Test {
 protected:
  CheckpointsTest() {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    root_ = std::filesystem::path(::testing::TempDir()) / ("halocline-checkpoints-" + name + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(root_);
  }
  ~CheckpointsTest() override {
    core_.reset();
    std::filesystem::remove_all(root_);
  }

  FileJournalOptions journal_options() const {
    FileJournalOptions file;
    file.directory = (root_ / "journal").string();
    file.durability = Durability::kOs;
    file.segment_bytes = 64u << 10;
    file.now = kMorning;
    return file;
  }
  std::string checkpoints() const { return (root_ / "checkpoints").string(); }
  std::vector<Seq> taken() { return list_checkpoints(disk_, checkpoints()).value(); }

  // The seq it began with a checkpoint of; 0: from the journal alone.
  Result<Seq> start(bool with_checkpoints = true, std::size_t keep = 3, bool synced = true) {
    Result<BooksAtStart> opened = books_at_start(disk_, clock_, journal_options(), with_checkpoints ? checkpoints() : "");
    if (!opened.ok()) return opened.status();
    books_.emplace(opened.take());
    CoreOptions options;
    options.journal = {&disk_, journal_options().directory};
    if (with_checkpoints) options.checkpoint = {checkpoints(), 200, 1u << 30, keep, synced};
    core_.emplace(std::move(options), clock_, *books_->engine, *books_->journal, books_->start);
    const Seq from = books_->checkpoint ? books_->checkpoint->header.seq : 0;
    if (books_->checkpoint) core_->verify(*std::exchange(books_->checkpoint, std::nullopt));
    core_->start();
    return from;
  }
  void stop() {
    ASSERT_TRUE(core_->stop().ok());
    core_.reset();
    books_.reset();
  }
  void submit(const std::vector<Command>& commands) {
    auto sink = std::make_shared<KeepingSink>();
    ASSERT_TRUE(core_->submit(submission_of(commands, sink)).ok());
    sink->wait_for(1);
  }
  void play(int submissions) {
    for (int i = 0; i < submissions; ++i) {
      if (i % 5 == 0) clock_.advance(static_cast<std::int64_t>(random_() % 2'000'000'000));
      const std::string one = "t" + std::to_string(random_() % 500), two = "t" + std::to_string(random_() % 500);
      Trade first = trade_of(one, 1 + static_cast<std::int64_t>(random_() % 9)), second = trade_of(two, 3, Side::kSell);
      second.version = 1 + static_cast<std::uint32_t>(random_() % 4);
      submit({first, second, Price{"IBM", static_cast<std::int64_t>(50 + random_() % 100) * limits::kScale, 0}});
    }
  }
  std::uint64_t count_of(const std::string& counter) {
    for (const CounterRow& row : core_->report().counters) {
      if (row.name == counter) return row.value;
    }
    return 0;
  }
  // Plays on until so many checkpoints were taken by this start.
  void play_until_taken(std::uint64_t checkpoints) {
    while (count_of("checkpoints") < checkpoints) play(20);
  }
  std::string digest() {
    return ask<StatusReport>([&](auto reply) { core_->status(true, reply); }).value().rows.state_digest;
  }
  std::string path_of(Seq seq) const { return checkpoints() + "/" + checkpoint_name(seq); }
  void damage(const std::string& path, std::int64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x20));
  }
  // A floor with an alert of a query, and checkpoints.
  void begin(std::uint64_t wanted, std::size_t keep = 3) {
    ASSERT_EQ(start(true, keep).value(), 0u);
    submit(floor_commands());
    submit({QueryCreate{"small", AlertLevel::kWarn, "SELECT trade_id FROM trades WHERE live AND quantity < 3"}});
    play_until_taken(wanted);
    play(10);
  }

  PosixDisk disk_;
  std::filesystem::path root_;
  ManualClock clock_{kMorning};
  std::optional<BooksAtStart> books_;
  std::optional<Core> core_;
  std::mt19937_64 random_{11};
};

// What they cost does not grow with the books.
TEST_F(CheckpointsTest, OneIsWantedWhenAQuarterAsManyCommandsCameAsThereAreTrades) {
  NamedCounters counters;
  const JournalFiles journal{&disk_, journal_options().directory};
  Checkpoints some(disk_, {checkpoints(), 200, 1'000, 3, true}, journal, 1'000, [] { return Seq{0}; }, counters, [](const Status&) {});
  EXPECT_FALSE(some.wants(1'199, 1, 0));
  EXPECT_TRUE(some.wants(1'200, 1, 0));
  EXPECT_TRUE(some.wants(1'200, 1, 800));
  EXPECT_FALSE(some.wants(1'200, 1, 804));
  EXPECT_TRUE(some.wants(1'201, 1, 804));
  EXPECT_FALSE(some.wants(1'100, 1'000, 404));
  EXPECT_TRUE(some.wants(1'101, 0, 404));
}

// Then the engine has nothing to copy, unless nobody comes.
TEST_F(CheckpointsTest, WhereBooksAreOfferedTheEngineTakesItsOwnOnlyWhenTwiceAsMuchCame) {
  NamedCounters counters;
  const JournalFiles journal{&disk_, journal_options().directory};
  const CheckpointOptions options{checkpoints(), 200, 1'000, 3, true, true};
  Checkpoints some(disk_, options, journal, 1'000, [] { return Seq{0}; }, counters, [](const Status&) {});
  EXPECT_FALSE(some.wants(1'199, 1, 0));
  EXPECT_FALSE(some.wants_offer(1'190));
  EXPECT_FALSE(some.wants(1'200, 1, 0));
  EXPECT_TRUE(some.wants_offer(1'190));
  EXPECT_FALSE(some.wants(1'399, 1, 0));
  EXPECT_TRUE(some.wants(1'400, 1, 0));
  EXPECT_TRUE(some.wants(1'200, 2'000, 0));
  Engine engine;
  std::vector<AlertEvent> events;
  while (engine.last_seq() < 1'190) engine.apply(engine.last_seq() + 1, kMorning, Timer{}, events);
  some.offer(engine.snapshot(), "");
  EXPECT_FALSE(some.wants_offer(1'191));
  EXPECT_FALSE(some.wants(1'389, 1, 0));
  EXPECT_FALSE(some.wants_offer(1'191));
  EXPECT_FALSE(some.wants(1'390, 1, 0));
  EXPECT_TRUE(some.wants_offer(1'191));
  EXPECT_FALSE(some.wants_offer(1'190)) << "who is behind has nothing new";
}

TEST_F(CheckpointsTest, AStartFromOneIsAStartFromTheWholeJournal) {
  begin(2);
  for (int round = 0; round < 3; ++round) {
    const std::string before = digest();
    stop();
    const std::vector<Seq> kept = taken();
    EXPECT_LE(kept.size(), 3u);
    ASSERT_EQ(start().value(), kept.front());
    ASSERT_EQ(digest(), before);
    stop();
    ASSERT_EQ(start(false).value(), 0u);
    ASSERT_EQ(digest(), before);
    stop();
    ASSERT_EQ(start().value(), kept.front());
    play_until_taken(1);
  }
}

TEST_F(CheckpointsTest, ABrokenOneIsPassedOver) {
  begin(3);
  const std::string before = digest();
  stop();
  const std::vector<Seq> kept = taken();
  ASSERT_EQ(kept.size(), 3u);
  damage(path_of(kept[0]), 5'000);
  ASSERT_EQ(start().value(), kept[1]);
  EXPECT_EQ(digest(), before);
  stop();
  damage(path_of(kept[1]), 20);
  std::filesystem::resize_file(path_of(kept[2]), 10);
  ASSERT_EQ(start().value(), 0u);
  EXPECT_EQ(digest(), before);
}

TEST_F(CheckpointsTest, OneOfAnotherJournalIsPassedOver) {
  begin(1);
  stop();
  std::filesystem::remove_all(root_ / "journal");
  ASSERT_EQ(start().value(), 0u);
  submit(floor_commands());
}

TEST_F(CheckpointsTest, AJournalThatWasPutBackIsDamageWhenItWasSynced) {
  for (const bool synced : {true, false}) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
    ASSERT_EQ(start(true, 1, synced).value(), 0u);
    submit(floor_commands());
    stop();
    std::filesystem::copy(root_ / "journal", root_ / "older");
    ASSERT_EQ(start(true, 1, synced).value(), 0u);
    play_until_taken(1);
    stop();
    std::filesystem::remove_all(root_ / "journal");
    std::filesystem::rename(root_ / "older", root_ / "journal");
    const Result<Seq> started = start(true, 1, synced);
    if (!synced) {
      ASSERT_EQ(started.value(), 0u) << "what was not synced may be lost";
      stop();
      continue;
    }
    ASSERT_EQ(started.status().code(), Code::kDataLoss);
    EXPECT_NE(started.status().message().find("which was durable: records are missing"), std::string::npos) << started.status().message();
  }
}

TEST_F(CheckpointsTest, AnotherChainAtItsSeqIsDamage) {
  begin(1, 1);
  stop();
  Result<std::unique_ptr<CheckpointReader>> reader = CheckpointReader::open(disk_, path_of(taken().front()));
  ASSERT_TRUE(reader.ok());
  CheckpointHeader header = reader.value()->header();
  header.chain[0] ^= std::byte{1};
  Result<std::unique_ptr<CheckpointWriter>> writer = CheckpointWriter::create(disk_, checkpoints());
  ASSERT_TRUE(writer.ok());
  std::vector<std::byte> bytes;
  while (true) {
    const Result<std::optional<CheckpointBlock>> block = reader.value()->next();
    ASSERT_TRUE(block.ok());
    if (!block.value()) break;
    ASSERT_TRUE(unpack(*block.value(), bytes).ok());
    ASSERT_TRUE(writer.value()->add(block.value()->part, block.value()->first, block.value()->count, bytes).ok());
  }
  ASSERT_TRUE(writer.value()->finish(header).ok());
  const Result<Seq> started = start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.status().code(), Code::kDataLoss);
  EXPECT_NE(started.status().message().find("another hash chain"), std::string::npos) << started.status().message();
}

TEST_F(CheckpointsTest, TheJournalMayLoseWhatIsBeforeIt) {
  begin(2, 1);
  play(300);
  const std::string before = digest();
  stop();
  const Seq kept = taken().front();
  const std::vector<std::uint32_t> segments = list_segments(disk_, journal_options().directory).value();
  for (const std::uint32_t number : segments) {
    const auto next = disk_.open((root_ / "journal" / segment_name(number + 1)).string(), Access::kRead);
    if (!next.ok()) break;
    const auto header = read_segment_header(*next.value(), number + 1);
    ASSERT_TRUE(header.ok() && header.value().has_value());
    if (header.value()->first_seq > kept) break;
    std::filesystem::remove(root_ / "journal" / segment_name(number));
  }
  ASSERT_EQ(start().value(), kept);
  EXPECT_EQ(digest(), before);
}

TEST_F(CheckpointsTest, ThePastIsReadFromThem) {
  begin(3);
  const Seq newest = core_->report().last_seq;
  std::vector<std::pair<Seq, std::string>> seen;
  const auto nodes_at = [&](Seq seq) {
    std::string text;
    const auto rows = ask<std::vector<NodeRow>>([&](auto reply) { core_->nodes({seq, {}, {}}, {}, reply); });
    if (!rows.ok()) return rows.status().message();
    for (const NodeRow& row : rows.value().rows) text += row.name + to_digits(row.total_pnl) + " " + to_digits(row.drawdown) + "\n";
    return text;
  };
  for (Seq seq = 9; seq <= newest; seq += 23) seen.emplace_back(seq, nodes_at(seq));
  stop();
  std::filesystem::remove_all(checkpoints());
  ASSERT_EQ(start().value(), 0u);
  for (const auto& [seq, text] : seen) ASSERT_EQ(nodes_at(seq), text) << "seq " << seq;
}

}  // namespace
}  // namespace halocline
