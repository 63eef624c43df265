#include "server/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "base/log.h"
#include "engine/views.h"
#include "history/maintenance/orphans.h"
#include "history/iceberg/live_files.h"
#include "history/parquet/parquet_columns.h"
#include "history/tables/live_deletes.h"
#include "journal/archived_disk.h"
#include "journal/journal_reader.h"
#include "server/audit.h"
#include "server/core_fixture.h"

namespace halocline {
namespace {

namespace fs = std::filesystem;

// A disk that can be full for what is below a folder.
class FillingDisk final : public Disk {
 public:
  explicit FillingDisk(std::string folder) : folder_(std::move(folder)) {}
  std::atomic<bool> full = false;
  std::atomic<int> refused = 0;

  Result<std::unique_ptr<File>> open(const std::string& path, Access access) override { return disk_.open(path, access); }
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    // The first file of those that are refused is there, and empty: what does not fit is its bytes.
    Result<std::unique_ptr<File>> file = disk_.create(path);
    if (!full || !path.starts_with(folder_)) return file;
    ++refused;
    return Status(Code::kResourceExhausted, "cannot write " + path + ": No space left on device");
  }
  Status rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status sync_directory(const std::string& directory) override { return disk_.sync_directory(directory); }
  Status make_directory(const std::string& directory) override { return disk_.make_directory(directory); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return disk_.list(directory); }
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override { return disk_.lock(path); }

 private:
  PosixDisk disk_;
  const std::string folder_;
};

// A server's inside, with its history, on a directory; it may be started again.
class HistoryTest : public testing::Test {
 protected:
  HistoryTest()
      : directory_(new_directory()),
        disk_(posix_, directory_ + "/journal", std::make_unique<FolderArchive>(posix_, directory_ + "/archive")) {
    config_.server.data_directory = directory_;
    lake_disk_ = std::make_unique<FillingDisk>(directory_ + "/warehouse");
  }
  ~HistoryTest() override {
    stop();
    fs::remove_all(directory_);
  }

  void start() {
    books_.emplace(books_in(disk_, clock_, directory_, segment_bytes_, core_options_.checkpoint.directory));
    lake_.emplace(config_, *lake_disk_, clock_);
    const Status lake = lake_->open();
    ASSERT_TRUE(lake.ok()) << lake.message();
    core_ = std::make_unique<Core>(core_options_, clock_, *books_->engine, *books_->journal, books_->start);
    core_->start();
    HistoryOptions history = history_options_;
    history.follower.journal_directory = directory_ + "/journal";
    history_.emplace(disk_, clock_, *lake_, *core_, history);
    history_->start();
  }

  void stop() {
    if (core_ == nullptr) return;
    EXPECT_TRUE(core_->stop().ok());
    history_->stop();
    counters_ = counters();
    digest_ = views::state_digest(*books_->engine->snapshot());
    last_seq_ = books_->engine->last_seq();
    history_.reset(), core_.reset(), books_.reset();
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

  // Of the server that runs.
  std::map<std::string, std::uint64_t> counters() {
    std::map<std::string, std::uint64_t> values;
    for (const CounterRow& row : core_->report().counters) values[row.name] = row.value;
    return values;
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

  static CoreOptions followed() {
    CoreOptions options;
    options.followed.emplace();
    return options;
  }
  static std::string new_directory() {
    char name[] = "/tmp/halocline-history-XXXXXX";
    return mkdtemp(name);
  }

  PosixDisk posix_;
  const std::string directory_;
  ArchivedDisk disk_;
  SystemClock clock_;
  Config config_;
  std::unique_ptr<FillingDisk> lake_disk_;
  HistoryOptions history_options_;
  CoreOptions core_options_ = followed();
  std::uint64_t segment_bytes_ = 1 << 20;
  std::optional<BooksAtStart> books_;
  std::optional<Lake> lake_;
  std::unique_ptr<Core> core_;
  std::optional<History> history_;
  std::map<std::string, std::uint64_t> counters_;
  std::string digest_;
  Seq last_seq_ = 0;  // of the server that was stopped
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
    EXPECT_EQ(said[kLastSeqKey], std::to_string(last_seq_));
    EXPECT_EQ(counters_["history_seq"], last_seq_);
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

TEST_F(HistoryTest, AFullDiskLosesNothingAndLeavesNothing) {
  history_options_.commit_interval = 20'000'000;
  history_options_.upkeep_interval = 10'000'000;
  history_options_.upkeep.compaction.least_files = 3;
  start();
  send(floor_commands());
  int rows = 0;
  for (int round = 0; round < 3; ++round) {
    send_trades(5), rows += 5;
    lake_disk_->full = true;
    const std::uint64_t failures = counters()["history_failures"];
    send_trades(7), rows += 7;  // are answered
    while (counters()["history_failures"] == failures) std::this_thread::yield();
    lake_disk_->full = false;
    const Seq last = core_->report().durable_seq;
    while (counters()["history_seq"] < last) std::this_thread::yield();  // it catches up
  }
  EXPECT_GE(lake_disk_->refused, 3);
  stop();
  iceberg::Properties said = summary();
  EXPECT_EQ(said["total-records"], std::to_string(rows));
  EXPECT_EQ(said[kStateDigestKey], digest_);
  // Every file of the ledger is one that it names: what did not fit is gone.
  Lake lake(config_, disk_, clock_);
  ASSERT_TRUE(lake.open().ok());
  const iceberg::LoadedTable table = lake.catalog().load_table({{"halocline"}, "trade_events"}).take();
  Result<std::size_t> lost = remove_orphans(lake.warehouse(), table, clock_.wall());
  ASSERT_TRUE(lost.ok()) << lost.status().message();
  EXPECT_EQ(lost.value(), 0u);
}

// A first start with a long journal: what has been read is committed when a commit is due, not only at the end, so whatever ends the
// server on the way, the next start goes on from there.
TEST_F(HistoryTest, AFirstStartWithALongJournalCommitsOnItsWay) {
  constexpr int kTrades = 120'000;  // more than it reads at once
  history_options_.upkeep_interval = 0;
  start();
  send(floor_commands());
  while (trades_ < kTrades) send_trades(2'000);
  stop();
  const Seq last = last_seq_;
  fs::remove_all(directory_ + "/warehouse");
  for (const char* file : {"catalog.db", "catalog.db-wal"}) fs::remove(directory_ + "/" + file);
  history_options_.commit_interval = 1;  // due at each look
  start();
  while (counters()["history_seq"] == 0) std::this_thread::yield();
  stop();
  start();
  while (counters()["history_seq"] < last) std::this_thread::yield();
  stop();
  Lake lake(config_, disk_, clock_);
  ASSERT_TRUE(lake.open().ok());
  const iceberg::LoadedTable table = lake.catalog().load_table({{"halocline"}, "trade_events"}).take();
  EXPECT_GE(table.metadata->snapshots.size(), 2u);
  EXPECT_LT(std::stoull(table.metadata->snapshots.front().summary.at(kLastSeqKey)), last);
  const iceberg::Properties& said = table.metadata->current_snapshot()->summary;
  EXPECT_EQ(said.at("total-records"), std::to_string(kTrades));
  EXPECT_EQ(said.at(kStateDigestKey), digest_);
}

// The journal loses its beginning when that is too old to be kept, and nothing that the history's next start needs.
TEST_F(HistoryTest, AStartGoesOnWithoutTheJournalsBeginning) {
  const std::string journal = directory_ + "/journal", checkpoints = directory_ + "/checkpoints", states = directory_ + "/history";
  constexpr std::uint64_t kRecords = 300;
  segment_bytes_ = 64 << 10;
  core_options_.journal = {&disk_, journal};
  core_options_.checkpoint = {checkpoints, kRecords, 1u << 30, 2, true};
  core_options_.archive = {&disk_, journal, checkpoints, 0, 0, 1, states};  // after a nanosecond
  history_options_.commit_interval = 20'000'000;
  history_options_.follower.resumable = true;
  history_options_.states = states, history_options_.state_records = kRecords, history_options_.keep_states = true;
  int versions = 1;  // of the floor
  const auto limit = [&] {
    Limit net;
    net.name = "net", net.kind = NodeKind::kBook, net.node = "b1", net.measure = Measure::kNet;
    net.breach = static_cast<Int128>(100'000 + ++versions) * limits::kScale;
    EXPECT_EQ(send({net}).front().outcome, Outcome::kAccepted);
  };
  // The numbers of the rows of `limits` that are there.
  const auto numbers = [&] {
    Lake lake(config_, disk_, clock_);
    EXPECT_TRUE(lake.open().ok());
    const iceberg::LoadedTable table = lake.catalog().load_table({{"halocline"}, "limits"}).take();
    const std::vector<iceberg::LiveFile> files = iceberg::live_files(lake.warehouse(), *table.metadata).take();
    LiveDeletes deleted = read_live_deletes(lake.warehouse(), files).take();
    std::vector<std::int64_t> found;
    for (const iceberg::LiveFile& one : files) {
      if (one.file.content != iceberg::FileContent::kData) continue;
      const std::vector<std::int64_t>& gone = deleted.positions[one.file.path];
      const std::vector<std::int64_t> all =
          iceberg::read_numbers(lake.warehouse().read(one.file.path, 1 << 30).take(), 1).take();
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!std::binary_search(gone.begin(), gone.end(), static_cast<std::int64_t>(i))) found.push_back(all[i]);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  };
  start();
  send(floor_commands());
  limit();
  while (counters()["segments_removed"] < 2) {
    const std::uint64_t taken = counters()["checkpoints"];
    // Until a checkpoint is due, in submissions that fit into the small segments.
    for (const int due = trades_ + static_cast<int>(kRecords) + trades_ / 3; trades_ < due;) send_trades(100);
    limit();
    const Seq last = core_->report().durable_seq;
    while (counters()["history_seq"] < last || counters()["checkpoints"] == taken) std::this_thread::yield();
  }
  stop();
  EXPECT_EQ(counters_["history_failures"] + counters_["archive_failures"], 0u);
  EXPECT_GE(counters_["history_states"], 2u);
  EXPECT_EQ(JournalReader::open(disk_, journal, 1).status().code(), Code::kOutOfRange);
  for (int i = 0; i < 3; ++i) {
    start();
    send_trades(50);
    limit();
    stop();
    EXPECT_EQ(counters_["history_failures"], 0u);
    iceberg::Properties said = summary();
    EXPECT_EQ(said["total-records"], std::to_string(trades_));
    EXPECT_EQ(said[kStateDigestKey], digest_);
    EXPECT_EQ(said[kLastSeqKey], std::to_string(last_seq_));
    const std::vector<std::int64_t> there = numbers();
    ASSERT_EQ(there.size(), static_cast<std::size_t>(versions));
    for (std::size_t number = 0; number < there.size(); ++number) EXPECT_EQ(there[number], static_cast<std::int64_t>(number));
    if (i == 1) {  // a damaged one is not used, and the one before it is
      const std::vector<Seq> kept = list_checkpoints(disk_, states).value();
      ASSERT_EQ(kept.size(), 2u);
      fs::resize_file(states + "/" + follower_state_name(kept.front()), 100);
    }
  }
  // Without any of them it says what it needs, and the server serves all the same.
  fs::remove_all(states);
  start();
  send_trades(1);
  stop();
  EXPECT_GE(counters_["history_failures"], 1u);
}

TEST_F(HistoryTest, CheckpointsAreOfItsBooksAndOfTheEnginesOnlyWhereItFails) {
  const std::string checkpoints = directory_ + "/checkpoints";
  core_options_.journal = {&disk_, directory_ + "/journal"};
  core_options_.checkpoint = {checkpoints, 100, 1u << 30, 5, true, true};
  history_options_.commit_interval = 20'000'000;
  const auto taken = [&](std::uint64_t count) {
    while (counters()["checkpoints"] < count) std::this_thread::yield();
    return list_checkpoints(disk_, checkpoints).value().front();
  };
  start();
  send(floor_commands());
  send_trades(100);  // not so many that the engine would take one
  const Seq of_the_history = taken(1);
  EXPECT_LE(of_the_history, core_->report().durable_seq);
  lake_disk_->full = true;
  send_trades(90);   // too few yet
  send_trades(110);
  EXPECT_GT(taken(2), of_the_history);
  lake_disk_->full = false;
  stop();
  const std::vector<Seq> kept = list_checkpoints(disk_, checkpoints).value();
  for (const Seq seq : kept) {
    const Result<LoadedCheckpoint> one = load_checkpoint(disk_, checkpoints + "/" + checkpoint_name(seq));
    ASSERT_TRUE(one.ok()) << one.status().message();
    EXPECT_EQ(hex(one.value().header.state_digest), views::state_digest(*one.value().books));
  }
  const std::string before = digest_;
  start();
  EXPECT_GE(books_->start.checkpoint_seq, of_the_history);
  stop();
  EXPECT_EQ(digest_, before);
  EXPECT_EQ(counters_["checkpoints_failed"], 0u);
}

std::atomic<int> told_live = 0, told_full = 0, told_far = 0;

// Commands of which many are refused, come twice, correct another or raise an alert.
class Mixed {
 public:
  std::vector<Command> next(int count, bool refused = false) {
    std::vector<Command> commands;
    for (int i = 0; i < count; ++i) commands.push_back(one(++told_));
    if (refused) std::fill(commands.begin(), commands.end(), FxRate{"XYZ", limits::kScale, 0});
    return commands;
  }

 private:
  Command one(int number) {
    if (number % 31 == 0) return Price{"IBM", (90 + number % 20) * limits::kScale, 0};
    const std::string& id = ids_.emplace_back("M" + std::to_string(number - (number % 5 == 0 ? number % 50 : 0)));
    Trade trade = trade_of(id, number % 7 == 0 ? 20 : 1, number % 2 == 0 ? Side::kBuy : Side::kSell);
    if (number % 11 == 0) trade.version = 2, trade.action = number % 3 == 0 ? Action::kCancel : Action::kAmend;
    if (number % 13 == 0) trade.book = "nobody's";
    return trade;
  }

  int told_ = 0;
  std::deque<std::string> ids_;
};

// Whether the history has the live engine's books or some of its own, and wherever it goes from one to the other, its rows are those that
// follow from the journal: the audit works them out again.
TEST_F(HistoryTest, WithTheEnginesBooksOrItsOwnTheRowsAreTheSame) {
  set_log_writer([](std::string_view line) {
    told_live += line.find(" history.live ") != line.npos;
    told_full += line.find(" why=\"more than is kept") != line.npos;
    told_far += line.find(" why=\"it is far behind") != line.npos;
  });
  history_options_.commit_interval = 20'000'000;
  history_options_.follower.full_bytes = 16 << 10;
  const auto all_there = [&] {
    for (const Seq last = core_->report().durable_seq; counters()["history_seq"] < last;) std::this_thread::yield();
  };
  Mixed mixed;
  const auto until_live = [&] {
    while (told_live == told_full + told_far) send(mixed.next(7)), all_there();
  };
  for (const bool refused : {false, true}) {
    told_live = told_full = told_far = 0;
    core_options_.followed = LiveEffects::Bounds{refused ? 500u : 1'000'000u, 1'000'000};
    history_options_.most_behind = refused ? 1'000'000 : 1'000;
    start();
    if (!refused) send(floor_commands());
    until_live();
    for (int i = 0; i < 10; ++i) send(mixed.next(40));
    lake_disk_->full = true;
    const std::uint64_t failures = counters()["history_failures"];
    send(mixed.next(60));
    while (counters()["history_failures"] == failures) std::this_thread::yield();  // a commit is under way when it can follow no more
    for (int i = 0; i < 100; ++i) send(mixed.next(60, refused));
    while ((refused ? told_full : told_far) == 0) std::this_thread::yield();
    lake_disk_->full = false;
    until_live();
    for (int i = 0; i < 10; ++i) send(mixed.next(40));
    stop();
    EXPECT_EQ(summary()[kStateDigestKey], digest_);
    EXPECT_EQ(summary()[kLastSeqKey], std::to_string(last_seq_));
  }
  set_log_writer(nullptr);
  AuditOptions options;
  options.data_directory = directory_;
  const Result<AuditReport> report = audit(posix_, options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  for (const AuditProblem& problem : report.value().problems) {
    EXPECT_TRUE(problem.text.starts_with("there is no signed head")) << problem.file << ", " << problem.place << ": " << problem.text;
  }
  EXPECT_EQ(report.value().tables_note, "");
  EXPECT_EQ(report.value().tables_seq, last_seq_);
  EXPECT_EQ(report.value().tables.size(), Follower::definitions().size());
}

std::atomic<int> told_that_it_works = 0;

// A failure goes on from one attempt to the next, also when no commit is due: each attempt is one at a commit.
TEST_F(HistoryTest, AFailureGoesOnUntilACommitWorks) {
  told_that_it_works = 0;
  history_options_.commit_interval = 1'500'000'000;  // longer than what is waited after a failure
  start();
  send(floor_commands());
  const Seq floor = core_->report().durable_seq;
  while (counters()["history_seq"] < floor) std::this_thread::yield();
  set_log_writer([](std::string_view line) { told_that_it_works += line.find(" history.works_again ") != line.npos; });
  lake_disk_->full = true;
  send_trades(5);
  while (counters()["history_failures"] == 0) std::this_thread::yield();
  std::uint64_t seconds = 0, failures = 0;
  while (failures < 4) {
    const auto now = counters();
    EXPECT_GE(now.at("history_failing_seconds"), seconds);
    seconds = now.at("history_failing_seconds"), failures = now.at("history_failures");
    std::this_thread::yield();
  }
  EXPECT_GE(seconds, 1u);
  lake_disk_->full = false;
  while (counters()["history_failing_seconds"] != 0) std::this_thread::yield();
  stop();
  set_log_writer(nullptr);
  EXPECT_EQ(told_that_it_works, 1);
  EXPECT_EQ(summary()["total-records"], "5");
}

}  // namespace
}  // namespace halocline
