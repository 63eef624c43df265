#include "server/witness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "journal/record_leaf.h"
#include "server/core_fixture.h"

namespace halocline {
namespace {

namespace fs = std::filesystem;

// A server's inside, with its witness, on a directory; it may be started again.
class WitnessTest : public testing::Test {
 protected:
  WitnessTest() {
    char name[] = "/tmp/halocline-witness-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~WitnessTest() override {
    stop();
    fs::remove_all(directory_);
  }

  void start(std::uint64_t head_records = 1'000'000) {
    books_.emplace(books_in(disk_, clock_, directory_));
    WitnessOptions witness{directory_ + "/journal", books_->journal->id(), {directory_ + "/audit", directory_ + "/audit/witness"}};
    witness.head_interval = std::int64_t{3'600} * kSecondNs;  // only what a test asks for
    witness.head_records = head_records;
    witness_.emplace(disk_, clock_, witness).open();
    core_ = std::make_unique<Core>(CoreOptions{}, clock_, *books_->engine, *books_->journal, books_->start);
    core_->start();
    witness_->start(*core_);
  }

  void stop() {
    if (core_ == nullptr) return;
    EXPECT_TRUE(core_->stop().ok());
    witness_->stop();
    counters_.clear();
    const StatusReport report = core_->report();
    for (const CounterRow& row : report.counters) counters_[row.name] = row.value;
    last_seq_ = report.last_seq;
    witness_.reset(), core_.reset(), books_.reset();
  }

  void send(const std::vector<Command>& commands) {
    auto sink = std::make_shared<KeepingSink>();
    ASSERT_TRUE(core_->submit(submission_of(commands, sink)).ok());
    sink->wait_for(1);
  }
  void send_trades(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = "T" + std::to_string(++trades_);
      send({trade_of(id)});
    }
  }

  std::vector<TreeHead> heads() {
    const std::unique_ptr<WitnessText> text = read_witness(disk_, directory_ + "/audit/witness").take();
    std::vector<TreeHead> heads;
    for (const WitnessText::Line& line : text->lines) {
      const WitnessLine read = parse_witness_line(line.text).take();
      EXPECT_TRUE(read.signature_fits());
      if (read.head() != nullptr) heads.push_back(*read.head());
    }
    return heads;
  }
  // Each head is one of the journal as it is on the disk.
  void check_heads() {
    std::map<std::uint64_t, TreeHead> wanted;
    for (const TreeHead& head : heads()) wanted[head.size] = head;
    MerkleTree tree;
    std::vector<std::byte> buffer;
    auto reader = JournalReader::open(disk_, directory_ + "/journal", 1).take();
    for (;;) {
      const std::optional<BlockView> block = reader->next().take();
      if (!block.has_value()) break;
      for (const Record record : block->contents()) tree.add(leaf_hash(record_leaf(record, block->time, buffer)));
      const auto head = wanted.find(tree.size());
      if (head == wanted.end()) continue;
      EXPECT_EQ(head->second.root, tree.root());
      EXPECT_EQ(head->second.chain, reader->chain());
      wanted.erase(head);
    }
    EXPECT_TRUE(wanted.empty());
  }

  PosixDisk disk_;
  SystemClock clock_;
  std::string directory_;
  std::optional<BooksAtStart> books_;
  std::optional<Witness> witness_;
  std::unique_ptr<Core> core_;
  // As of the last stop(). Timers are records too, so how many there are is not how many were sent.
  std::map<std::string, std::uint64_t> counters_;
  Seq last_seq_ = 0;
  int trades_ = 0;
};

TEST_F(WitnessTest, SignsAllThereIsWhenItEnds) {
  start();
  send(floor_commands());
  for (const int trades : {3, 40, 0, 1}) {
    const Seq before = last_seq_;
    send_trades(trades);
    stop();
    EXPECT_GE(last_seq_, before + static_cast<Seq>(trades));
    EXPECT_EQ(counters_["audit_failures"], 0u);
    EXPECT_EQ(counters_["audit_seq"], last_seq_);
    EXPECT_EQ(counters_["audit_heads"] > 0, last_seq_ > before);
    EXPECT_EQ(heads().back().size, last_seq_);
    start();
  }
  stop();
  EXPECT_GE(heads().size(), 3u);
  check_heads();
}

TEST_F(WitnessTest, SignsAfterSoManyRecords) {
  start(10);
  send(floor_commands());
  send_trades(53);
  stop();
  EXPECT_EQ(heads().back().size, last_seq_);
  EXPECT_GE(heads().size(), 5u);
  check_heads();
}

// As the history does: what it signed the witness neither reads nor signs, and goes on behind it, also at the next start.
TEST_F(WitnessTest, GoesOnFromATreeThatSomebodyElseSigned) {
  start();
  send(floor_commands());
  const auto counter = [&](const std::string& name) {
    const StatusReport report = core_->report();
    for (const CounterRow& row : report.counters) {
      if (row.name == name) return row.value;
    }
    return std::uint64_t{0};
  };
  while (counter("audit_heads") == 0) std::this_thread::yield();  // the first one, at once
  for (const int trades : {5, 3}) {
    send_trades(trades);
    const Seq durable = core_->report().durable_seq;
    TreeHead head{HeadKind::kTables, {}, 0, {}, {}, clock_.wall()};
    MerkleTree tree;
    std::vector<std::byte> buffer;
    auto reader = JournalReader::open(disk_, directory_ + "/journal", 1).take();
    reader->stop_after(durable);
    while (const std::optional<BlockView> block = reader->next().take()) {
      for (const Record record : block->contents()) tree.add(leaf_hash(record_leaf(record, block->time, buffer)));
    }
    head.size = tree.size(), head.root = tree.root(), head.chain = reader->chain();
    ASSERT_TRUE(witness_->heads()->append(witness_->heads()->sign(head).take()).ok());
    witness_->heads()->tell_tree(tree);
    const std::uint64_t own = counter("audit_heads");
    while (counter("audit_seq") < durable) std::this_thread::yield();
    EXPECT_EQ(counter("audit_heads"), own);
    if (trades == 5) send_trades(2);
    stop();
    EXPECT_EQ(counters_["audit_failures"], 0u);
    EXPECT_EQ(counters_["audit_heads"], own + (last_seq_ > durable ? 1 : 0));
    EXPECT_EQ(heads().back().size, last_seq_);
    start();
  }
  send_trades(1);
  stop();
  EXPECT_EQ(counters_["audit_failures"], 0u);
  EXPECT_EQ(heads().back().size, last_seq_);
  check_heads();
}

TEST_F(WitnessTest, GoesOnWithoutTheTreeItKept) {
  start();
  send(floor_commands());
  send_trades(5);
  stop();
  for (const char* what : {"gone", "of nothing"}) {
    if (what == std::string("gone")) fs::remove(directory_ + "/audit/tree");
    else fs::resize_file(directory_ + "/audit/tree", 30);
    start();
    send_trades(2);
    stop();
    EXPECT_EQ(counters_["audit_failures"], 0u);
    EXPECT_EQ(heads().back().size, last_seq_) << what;
  }
  check_heads();
}

// A journal put back to an earlier state, and one that goes on from there, are not signed.
TEST_F(WitnessTest, SignsNoJournalThatIsNotWhatWasSigned) {
  start();
  send(floor_commands());
  send_trades(5);
  stop();
  fs::copy(directory_ + "/journal", directory_ + "/copy", fs::copy_options::recursive);
  start();
  send_trades(4);
  stop();
  const std::size_t signed_heads = heads().size();
  fs::remove_all(directory_ + "/journal");
  fs::rename(directory_ + "/copy", directory_ + "/journal");
  start();
  stop();
  EXPECT_EQ(counters_["audit_failures"], 1u);
  fs::remove(directory_ + "/audit/tree");
  start();
  send_trades(7);  // others than the four that were lost
  stop();
  EXPECT_EQ(counters_["audit_failures"], 1u);
  start();
  send_trades(1);
  stop();
  EXPECT_EQ(counters_["audit_failures"], 1u);
  EXPECT_EQ(heads().size(), signed_heads);
}

TEST_F(WitnessTest, AKeyThatOthersMayReadSignsNothingAndStopsNobody) {
  start();
  send(floor_commands());
  stop();
  const Seq signed_seq = last_seq_;
  fs::permissions(directory_ + "/audit/key.pem", fs::perms::group_read, fs::perm_options::add);
  start();
  send_trades(2);
  stop();
  EXPECT_EQ(counters_["audit_failures"], 1u);
  EXPECT_EQ(heads().back().size, signed_seq);
}

}  // namespace
}  // namespace halocline
