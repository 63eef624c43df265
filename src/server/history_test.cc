#include "server/history.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "engine/views.h"
#include "journal/file_journal.h"
#include "server/core_fixture.h"
#include "server/replay.h"

namespace halocline {
namespace {

namespace fs = std::filesystem;

// A server's inside, with its history, on a directory; it may be started again.
class HistoryTest : public testing::Test {
 protected:
  HistoryTest() {
    char name[] = "/tmp/halocline-history-XXXXXX";
    directory_ = mkdtemp(name);
    config_.server.data_directory = directory_;
  }
  ~HistoryTest() override {
    stop();
    fs::remove_all(directory_);
  }

  void start() {
    engine_ = std::make_unique<Engine>();
    FileJournalOptions options;
    options.directory = directory_ + "/journal";
    options.segment_bytes = 1 << 20;
    options.crash_at = "";
    options.now = kMorning;
    Replay replay(*engine_, clock_);
    auto opened = FileJournal::open(disk_, options, replay.handler());
    replay.finish();
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    journal_ = opened.take();
    lake_.emplace(config_, disk_, clock_);
    const Status lake = lake_->open();
    ASSERT_TRUE(lake.ok()) << lake.message();
    core_ = std::make_unique<Core>(CoreOptions{}, clock_, *engine_, *journal_, CoreStart{journal_->recovered().last_time, 0, 0});
    core_->start();
    HistoryOptions history;
    history.follower.journal_directory = options.directory;
    history_.emplace(disk_, clock_, *lake_, *core_, history);
    history_->start();
  }

  void stop() {
    if (core_ == nullptr) return;
    EXPECT_TRUE(core_->stop().ok());
    history_->stop();
    counters_.clear();
    for (const CounterRow& row : core_->report().counters) counters_[row.name] = row.value;
    digest_ = views::state_digest(*engine_->snapshot());
    history_.reset(), core_.reset(), journal_.reset();
    lake_.reset();
  }

  // Submits them and waits for the answers.
  std::vector<Acknowledgement> send(const std::vector<Command>& commands) {
    auto sink = std::make_shared<KeepingSink>();
    EXPECT_TRUE(core_->submit(submission_of(commands, sink)).ok());
    return sink->wait_for(1).front().acks;
  }
  void send_trades(int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) ids.push_back("T" + std::to_string(++trades_));
    std::vector<Command> commands;
    for (const std::string& id : ids) commands.push_back(trade_of(id));
    for (const Acknowledgement& ack : send(commands)) EXPECT_EQ(ack.outcome, Outcome::kAccepted);
  }

  // The ledger's newest summary; of a server that is stopped.
  iceberg::Properties summary() {
    Lake lake(config_, disk_, clock_);
    const Status opened = lake.open();
    EXPECT_TRUE(opened.ok()) << opened.message();
    const auto table = lake.catalog().load_table({{"halocline"}, "trade_events"});
    if (!table.ok() || table.value().metadata->current_snapshot() == nullptr) return {};
    return table.value().metadata->current_snapshot()->summary;
  }

  PosixDisk disk_;
  SystemClock clock_;
  Config config_;
  std::string directory_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<FileJournal> journal_;
  std::optional<Lake> lake_;
  std::unique_ptr<Core> core_;
  std::optional<History> history_;
  std::map<std::string, std::uint64_t> counters_;
  std::string digest_;
  int trades_ = 0;
};

TEST_F(HistoryTest, AtTheEndTheTablesAreWhereTheBooksAre) {
  start();
  send(floor_commands());
  int rows = 0;
  for (const int trades : {3, 40, 1}) {
    send_trades(trades);
    rows += trades;
    stop();
    EXPECT_EQ(counters_["history_failures"], 0u);
    iceberg::Properties said = summary();
    EXPECT_EQ(said["total-records"], std::to_string(rows));
    EXPECT_EQ(said[kStateDigestKey], digest_);
    EXPECT_EQ(said[kLastSeqKey], std::to_string(engine_->last_seq()));
    EXPECT_EQ(counters_["history_seq"], engine_->last_seq());
    start();
  }
}

TEST_F(HistoryTest, AWarehouseThatIsAwayStopsNobody) {
  start();
  send(floor_commands());
  send_trades(5);
  stop();
  fs::rename(directory_ + "/warehouse/halocline", directory_ + "/away");
  std::ofstream(directory_ + "/warehouse/halocline") << "in the way";
  start();
  send_trades(7);  // is answered all the same
  stop();
  EXPECT_GE(counters_["history_failures"], 1u);
  fs::remove(directory_ + "/warehouse/halocline");
  fs::rename(directory_ + "/away", directory_ + "/warehouse/halocline");
  start();
  send_trades(2);
  stop();
  EXPECT_EQ(counters_["history_failures"], 0u);
  EXPECT_EQ(summary()["total-records"], "14");
}

}  // namespace
}  // namespace halocline
