#include "history/tables/follower.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "command/codec.h"
#include "history/catalog/sqlite_catalog.h"
#include "history/iceberg/deletion_vectors.h"
#include "history/iceberg/manifest_packing.h"
#include "history/iceberg/table_change.h"
#include "history/parquet/parquet_columns.h"
#include "history/parquet/position_deletes.h"
#include "journal/file_journal.h"

namespace halocline {
namespace {

using namespace iceberg;

// Accepts everything; the digest is the seq. A trade that is cancelled is gone; each price is an alert event.
class LenientBooks final : public Books {
 public:
  void apply(Seq first, Nanos time, std::span<const Command> commands, const Told& told) override {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      std::vector<AlertEvent> events;
      apply(first + i, time, commands[i], events);
      told(i, {Outcome::kAccepted, 0}, events);
    }
  }
  void apply(Seq seq, Nanos time, const Command& command, std::vector<AlertEvent>& events) {
    EXPECT_EQ(seq, last_ + 1);
    last_ = seq;
    if (std::holds_alternative<Price>(command)) {
      events.emplace_back();
      events.back().event_id = ++last_event_, events.back().alert_id = 1;
      events.back().seq = seq, events.back().time = time;
      events.back().limit = "gross", events.back().node = "b1";
    }
    const auto* const new_one = std::get_if<Trade>(&command);
    if (new_one == nullptr) return;
    const Trade& trade = *new_one;
    const auto [known, is_new] = numbers_.try_emplace(std::string(trade.trade_id), numbers_.size());
    TradeChange& change = changed_[known->second];
    change.number = known->second;
    change.standing = trade.action == Action::kCancel ? TradeStanding::kGone : TradeStanding::kLive;
    change.row.source = trade.source, change.row.trade_id = trade.trade_id, change.row.version = trade.version;
    change.row.live = true, change.row.side = trade.side, change.row.quantity = trade.quantity, change.row.version_seq = seq;
  }
  void changed_trades(const TradeVisitor& visit) override {
    for (auto& [number, change] : std::exchange(changed_, {})) visit(change);
  }
  // One position and one node, which always change.
  void changed_positions(const PositionVisitor& visit) override {
    PositionRow row;
    row.node = "b1", row.instrument = "AAPL", row.quantity = static_cast<Int128>(last_), row.trades = 1;
    visit(row);
  }
  void changed_nodes(const NodeVisitor& visit) override {
    NodeRow row;
    row.name = "b1", row.net = static_cast<Money>(last_);
    visit(row);
  }
  std::string digest() override { return "at " + std::to_string(last_); }

 private:
  Seq last_ = 0;
  std::uint64_t last_event_ = 0;
  std::map<std::string, std::uint64_t> numbers_;
  std::map<std::uint64_t, TradeChange> changed_;
};

// What a commit that goes wrong does.
enum class Fault { kNone, kRefused, kLost, kLostBefore, kConflict };

// The catalog with faults in front of it.
class FaultyCatalog final : public TableCatalog {
 public:
  explicit FaultyCatalog(TableCatalog& inner) : inner_(inner) {}
  Fault next = Fault::kNone;
  std::function<void()> before_commit;

  Result<Page<Namespace>> list_namespaces(const Namespace& p, const PageRequest& page) override { return inner_.list_namespaces(p, page); }
  Status create_namespace(const Namespace& s, const Properties& p) override { return inner_.create_namespace(s, p); }
  Result<Properties> load_namespace(const Namespace& s) override { return inner_.load_namespace(s); }
  Result<NamespaceChange> update_namespace(const Namespace& s, const std::vector<std::string>& r, const Properties& u) override {
    return inner_.update_namespace(s, r, u);
  }
  Status drop_namespace(const Namespace& s) override { return inner_.drop_namespace(s); }
  Result<Page<TableName>> list_tables(const Namespace& s, const PageRequest& page) override { return inner_.list_tables(s, page); }
  Result<LoadedTable> create_table(const NewTable& t) override { return inner_.create_table(t); }
  Result<LoadedTable> register_table(const TableName& t, const std::string& m, bool o) override { return inner_.register_table(t, m, o); }
  Result<LoadedTable> load_table(const TableName& t) override { return inner_.load_table(t); }
  Result<LoadedTable> commit_table(const TableCommit& c) override { return inner_.commit_table(c); }
  Result<std::vector<LoadedTable>> commit_transaction(const std::vector<TableCommit>& commits) override {
    const Fault fault = std::exchange(next, Fault::kNone);
    if (before_commit) std::exchange(before_commit, nullptr)();
    if (fault == Fault::kRefused) return Status(Code::kIo, "no");
    if (fault == Fault::kConflict) return Status(Code::kFailedPrecondition, "look again");
    if (fault == Fault::kLostBefore) return Status(Code::kUnavailable, "who knows");
    Result<std::vector<LoadedTable>> done = inner_.commit_transaction(commits);
    if (fault == Fault::kLost) return Status(Code::kUnavailable, "who knows");
    return done;
  }
  Status rename_table(const TableName& a, const TableName& b) override { return inner_.rename_table(a, b); }
  Status drop_table(const TableName& t, bool purge) override { return inner_.drop_table(t, purge); }

 private:
  TableCatalog& inner_;
};

class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    char name[] = "/tmp/halocline-follower-XXXXXX";
    directory_ = mkdtemp(name);
    warehouse_ = std::make_unique<FolderWarehouse>(disk_, directory_ + "/warehouse");
    Result<std::unique_ptr<TableCatalog>> opened = open_sqlite_catalog(directory_ + "/catalog.db", *warehouse_, clock_);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    sqlite_ = opened.take();
    catalog_ = std::make_unique<FaultyCatalog>(*sqlite_);
    FileJournalOptions options;
    options.directory = directory_ + "/journal";
    options.segment_bytes = 1 << 16;
    options.background = false;
    options.crash_at = "";
    auto journal = FileJournal::open(disk_, options, [](const BlockView&) { return ok_status(); });
    EXPECT_TRUE(journal.ok()) << journal.status().message();
    journal_ = journal.take();
  }
  ~FollowerTest() override {
    journal_.reset(), follower_.reset(), catalog_.reset(), sqlite_.reset();
    std::filesystem::remove_all(directory_);
  }

  Seq journal(std::span<const Trade> trades) {
    std::vector<std::byte> records;
    for (const Trade& trade : trades) append_record(trade, records);
    EXPECT_TRUE(journal_->append({journal_->next_seq(), clock_.wall(), static_cast<std::uint32_t>(trades.size()), records}).ok());
    return journal_->commit().value();
  }

  // A block of trades, with a price among them; its time is that of the clock, which goes on by a minute.
  Seq journal(int trades) {
    std::vector<std::byte> records;
    std::uint32_t count = 0;
    for (int i = 0; i < trades; ++i, ++count) {
      const std::string id = "T" + std::to_string(++trades_);
      append_record(Trade{"oms", id, 1, Action::kNew, "book", "trader", "street", "AAPL", Side::kBuy, 100, 200, 3, trades_}, records);
    }
    append_record(Price{"AAPL", 5, 0}, records), ++count;
    clock_.advance(60'000'000'000);
    EXPECT_TRUE(journal_->append({journal_->next_seq(), clock_.wall(), count, records}).ok());
    return journal_->commit().value();
  }

  Status open(int version = 2, std::int64_t full_bytes = 64 << 20) {
    follower_.reset();
    books_ = std::make_unique<LenientBooks>();
    FollowerOptions options;
    options.full_bytes = full_bytes;
    options.journal_directory = directory_ + "/journal";
    options.format_version = version;
    options.heads = heads_.get();
    auto opened = Follower::open(disk_, *books_, *catalog_, *warehouse_, clock_, options);
    if (!opened.ok()) return opened.status();
    follower_ = opened.take();
    return ok_status();
  }

  // Rows of a table without deletes, and the seqs in its first column, each of which is to be there once.
  std::int64_t rows_of(const std::string& name) {
    const LoadedTable table = sqlite_->load_table({{"halocline"}, name}).take();
    std::set<std::int64_t> seqs;
    std::int64_t rows = 0;
    for (const ManifestFile& manifest : current_manifests(*warehouse_, *table.metadata).take()) {
      for (const ManifestEntry& entry : entries_of(*warehouse_, manifest).take()) {
        const std::vector<std::int64_t> numbers = read_numbers(warehouse_->read(entry.file.path, 1 << 30).take(), 1).take();
        seqs.insert(numbers.begin(), numbers.end());
        rows += static_cast<std::int64_t>(numbers.size());
      }
    }
    EXPECT_EQ(static_cast<std::size_t>(rows), seqs.size()) << name;
    return rows;
  }

  LoadedTable ledger() { return sqlite_->load_table({{"halocline"}, "trade_events"}).take(); }

  // The live entries of the ledger, their rows and the seqs they span, which must not overlap.
  std::int64_t ledger_rows() {
    const LoadedTable table = ledger();
    std::int64_t rows = 0;
    std::map<std::int64_t, std::int64_t> spans;
    const auto number = [](const std::string& bytes) {
      std::int64_t value = 0;
      std::memcpy(&value, bytes.data(), 8);
      return value;
    };
    for (const ManifestFile& manifest : current_manifests(*warehouse_, *table.metadata).take()) {
      for (const ManifestEntry& entry : entries_of(*warehouse_, manifest).take()) {
        EXPECT_NE(entry.status, EntryStatus::kDeleted);
        EXPECT_TRUE(warehouse_->read(entry.file.path, 1 << 30).ok()) << entry.file.path;
        rows += entry.file.record_count;
        EXPECT_TRUE(spans.emplace(number(entry.file.lower_bounds.at(1)), number(entry.file.upper_bounds.at(1))).second);
      }
    }
    std::int64_t last = 0;
    for (const auto& [lower, upper] : spans) {
      EXPECT_GT(lower, last);
      last = upper;
    }
    return rows;
  }

  std::vector<DeletedRow> deleted_by(const DataFile& file) {
    const std::string bytes = warehouse_->read(file.path, 1 << 30).take();
    if (!is_deletion_vector(file)) return read_position_deletes(bytes).take();
    std::vector<DeletedRow> rows;
    const DataFile* entries[] = {&file};
    for (const DeletionVector& vector : read_deletion_vectors(bytes, entries).take()) {
      for (const std::int64_t position : vector.positions) rows.push_back({vector.data_file, position});
    }
    return rows;
  }

  // The rows of `trades` that are not deleted: trade id -> version, as any reader finds them.
  std::map<std::string, std::int64_t> trades() {
    std::map<std::string, std::int64_t> rows;
    std::set<DeletedRow> deleted;
    std::vector<ManifestEntry> data;
    const LoadedTable table = sqlite_->load_table({{"halocline"}, "trades"}).take();
    for (const ManifestFile& manifest : current_manifests(*warehouse_, *table.metadata).take()) {
      for (const ManifestEntry& entry : entries_of(*warehouse_, manifest).take()) {
        if (entry.status == EntryStatus::kDeleted) continue;
        if (!manifest.deletes) {
          data.push_back(entry);
          continue;
        }
        for (const DeletedRow& row : deleted_by(entry.file)) {
          EXPECT_TRUE(deleted.insert(row).second) << row.file << " " << row.position;
        }
      }
    }
    for (const ManifestEntry& entry : data) {
      const std::string bytes = warehouse_->read(entry.file.path, 1 << 30).take();
      const std::vector<std::string> ids = read_texts(bytes, 3).take();
      const std::vector<std::int64_t> versions = read_numbers(bytes, 4).take();
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (deleted.erase({entry.file.path, static_cast<std::int64_t>(i)}) != 0) continue;
        EXPECT_TRUE(rows.emplace(ids[i], versions[i]).second) << ids[i];
      }
    }
    EXPECT_TRUE(deleted.empty());  // of rows that are not there
    return rows;
  }

  // What another engine does that rewrites nothing: a snapshot with the same files.
  void commit_from_outside(const std::string& table) {
    const LoadedTable loaded = sqlite_->load_table({{"halocline"}, table}).take();
    Snapshot again = *loaded.metadata->current_snapshot();
    again.parent_snapshot_id = again.snapshot_id;
    again.snapshot_id = ++foreign_;
    ++again.sequence_number;
    again.summary = {{"operation", "replace"}};
    if (loaded.metadata->format_version >= 3) again.first_row_id = loaded.metadata->next_row_id, again.added_rows = 0;
    SnapshotRef main;
    main.snapshot_id = again.snapshot_id;
    ASSERT_TRUE(sqlite_->commit_table({{{"halocline"}, table}, {}, {AddSnapshot{again}, SetSnapshotRef{"main", main}}}).ok());
  }

  std::size_t ledger_files() {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ + "/warehouse")) {
      const std::string path = entry.path().string();
      if (path.ends_with(".parquet") && path.find("/trade_events-") != std::string::npos) ++files;
    }
    return files;
  }

  PosixDisk disk_;
  ManualClock clock_{1'764'115'200'000'000'000};  // 2025-11-26
  std::string directory_;
  std::unique_ptr<FolderWarehouse> warehouse_;
  std::unique_ptr<TableCatalog> sqlite_;
  std::unique_ptr<FaultyCatalog> catalog_;
  std::unique_ptr<FileJournal> journal_;
  std::unique_ptr<LenientBooks> books_;
  std::unique_ptr<HeadLog> heads_;
  std::unique_ptr<Follower> follower_;
  int trades_ = 0;
  std::map<std::string, std::uint32_t> versions_;
  std::int64_t foreign_ = 12'344;
};

TEST_F(FollowerTest, EachCommitIsSignedInTheTablesAndThenInTheWitnessFile) {
  const HeadLogPaths paths{directory_ + "/audit", directory_ + "/audit/witness"};
  heads_ = HeadLog::open(disk_, paths, journal_->id(), clock_.wall()).take();
  ASSERT_TRUE(open().ok());
  std::vector<std::string> lines;
  for (const Fault fault : {Fault::kNone, Fault::kLost, Fault::kRefused}) {
    ASSERT_TRUE(follower_->follow(journal(10)).ok());
    catalog_->next = fault;
    EXPECT_EQ(follower_->commit().ok(), fault != Fault::kRefused);
    const std::unique_ptr<WitnessText> witness = read_witness(disk_, paths.witness).take();
    if (fault == Fault::kRefused) {  // nothing is in the tables, so nothing is said to be
      EXPECT_EQ(witness->lines.back().text, lines.back());
      break;
    }
    lines.emplace_back(witness->lines.back().text);
    const TableMetadata& table = *ledger().metadata;
    EXPECT_EQ(table.current_snapshot()->summary.at(kSignedHeadKey), lines.back());
    EXPECT_EQ(table.property(kSignedHeadKey, ""), lines.back());
    const WitnessLine read = parse_witness_line(lines.back()).take();
    EXPECT_TRUE(read.signature_fits());
    ASSERT_NE(read.head(), nullptr);
    EXPECT_EQ(read.head()->kind, HeadKind::kTables);
    EXPECT_EQ(read.head()->size, follower_->committed_seq());
    EXPECT_EQ(hex(read.head()->root), table.current_snapshot()->summary.at(kMerkleRootKey));
    EXPECT_EQ(read.head()->chain, journal_->chain());
  }
  ASSERT_TRUE(follower_->commit().ok());
  EXPECT_NE(read_witness(disk_, paths.witness).take()->lines.back().text, lines.back());
}

TEST_F(FollowerTest, WhatTheJournalHasIsInTheTableOnce) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(follower_->commit().ok());
  EXPECT_EQ(ledger().metadata->current_snapshot(), nullptr);  // nothing to say yet
  Seq last = 0;
  for (int commit = 1; commit <= 5; ++commit) {
    last = journal(10);
    last = journal(7);
    ASSERT_TRUE(follower_->follow(last).ok());
    ASSERT_TRUE(follower_->commit().ok());
    EXPECT_EQ(follower_->committed_seq(), last);
    EXPECT_EQ(ledger_rows(), 17 * commit);
  }
  const LoadedTable table = ledger();
  const Snapshot& snapshot = *table.metadata->current_snapshot();
  EXPECT_EQ(snapshot.summary.at("operation"), "append");
  EXPECT_EQ(snapshot.summary.at(kFirstSeqKey), std::to_string(last - 18));
  EXPECT_EQ(snapshot.summary.at(kLastSeqKey), std::to_string(last));
  EXPECT_EQ(snapshot.summary.at(kStateDigestKey), "at " + std::to_string(last));
  EXPECT_EQ(snapshot.summary.at(kJournalChainKey), hex(journal_->chain()));
  EXPECT_EQ(snapshot.summary.at("added-records"), "17");
  EXPECT_EQ(snapshot.summary.at("total-records"), "85");
  EXPECT_EQ(snapshot.summary.at("total-data-files"), "5");
  EXPECT_EQ(table.metadata->property(kLastSeqKey, ""), std::to_string(last));
}

TEST_F(FollowerTest, AStartGoesOnBehindWhatWasCommitted) {
  for (int run = 0; run < 4; ++run) {
    ASSERT_TRUE(open().ok());
    const Seq last = journal(11);
    ASSERT_TRUE(follower_->follow(last).ok());
    if (run % 2 == 0) {  // else what was read is read again by the next
      ASSERT_TRUE(follower_->commit().ok());
    }
    EXPECT_EQ(follower_->read_seq(), last);
  }
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(follower_->follow(journal_->next_seq() - 1).ok());
  ASSERT_TRUE(follower_->commit().ok());
  EXPECT_EQ(ledger_rows(), 44);
}

TEST_F(FollowerTest, ACommitThatGoesWrongIsMadeOnce) {
  ASSERT_TRUE(open().ok());
  std::int64_t rows = 0;
  for (const Fault fault : {Fault::kLost, Fault::kLostBefore, Fault::kConflict, Fault::kRefused, Fault::kLost, Fault::kNone}) {
    ASSERT_TRUE(follower_->follow(journal(9)).ok());
    rows += 9;
    catalog_->next = fault;
    const Status committed = follower_->commit();
    EXPECT_EQ(committed.ok(), fault != Fault::kRefused) << static_cast<int>(fault);
    if (!committed.ok()) {
      ASSERT_TRUE(follower_->follow(journal(4)).ok());  // it goes on meanwhile
      rows += 4;
      ASSERT_TRUE(follower_->commit().ok());
      ASSERT_TRUE(follower_->commit().ok());  // what came meanwhile
    }
    EXPECT_EQ(ledger_rows(), rows);
  }
  EXPECT_EQ(follower_->rows(), 0);
  EXPECT_EQ(ledger_files(), 7u);  // none of an attempt that failed
  EXPECT_EQ(trades().size(), static_cast<std::size_t>(rows));
}

// A table that somebody dropped, or that an older program did not have, is brought to where the others are.
TEST_F(FollowerTest, ANewTableGetsWhatIsBehind) {
  ASSERT_TRUE(open().ok());
  Seq last = 0;
  for (int commit = 0; commit < 6; ++commit) {
    last = journal(5);  // with a price, and so an alert event, each
    ASSERT_TRUE(follower_->follow(last).ok());
    ASSERT_TRUE(follower_->commit().ok());
  }
  for (const std::int64_t full_bytes : {std::int64_t{64} << 20, std::int64_t{1}}) {  // the latter spills after each block
    for (const Fault fault : {Fault::kNone, Fault::kLost, Fault::kLostBefore, Fault::kConflict}) {
      SCOPED_TRACE(static_cast<int>(fault));
      for (const char* name : {"prices", "alerts", "trades", "limits"}) ASSERT_TRUE(sqlite_->drop_table({{"halocline"}, name}, true).ok());
      ASSERT_TRUE(open(2, full_bytes).ok());
      if (fault != Fault::kNone) last = journal(1);  // else there is nothing new, and yet something to commit
      while (follower_->read_seq() < last) {
        ASSERT_TRUE(follower_->follow(last).ok());
        if (!follower_->full() && follower_->read_seq() < last) continue;
        catalog_->next = fault;
        ASSERT_TRUE(follower_->commit().ok());
      }
      ASSERT_TRUE(follower_->commit().ok());
      const auto blocks = static_cast<std::int64_t>(last) - trades_;
      EXPECT_EQ(rows_of("prices"), blocks);
      EXPECT_EQ(rows_of("alerts"), blocks);
      EXPECT_EQ(ledger_rows(), trades_);
      EXPECT_EQ(trades().size(), static_cast<std::size_t>(trades_));
      EXPECT_EQ(follower_->committed_seq(), last);
      const std::uint64_t commits = follower_->commits();
      ASSERT_TRUE(follower_->commit().ok());
      EXPECT_EQ(follower_->commits(), commits);
    }
  }
}

TEST_F(FollowerTest, WithoutTheLedgerNothingIsWritten) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(follower_->follow(journal(5)).ok());
  ASSERT_TRUE(follower_->commit().ok());
  ASSERT_TRUE(sqlite_->drop_table({{"halocline"}, "trade_events"}, true).ok());
  EXPECT_EQ(open().code(), Code::kFailedPrecondition);
}

TEST_F(FollowerTest, ALostAnswerAndACrashLeaveNothingTwice) {
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE(open().ok());
    ASSERT_TRUE(follower_->follow(journal(5)).ok());
    catalog_->next = Fault::kLost;
    ASSERT_TRUE(follower_->commit().ok());
    ASSERT_TRUE(open().ok());  // as after a crash
    EXPECT_EQ(follower_->committed_seq(), journal_->next_seq() - 1);
  }
  EXPECT_EQ(ledger_rows(), 15);
}

TEST_F(FollowerTest, AForeignCommitIsBuiltUpon) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(follower_->follow(journal(5)).ok());
  ASSERT_TRUE(follower_->commit().ok());
  ASSERT_TRUE(follower_->follow(journal(5)).ok());
  catalog_->before_commit = [&] { commit_from_outside("trade_events"); };  // it is quicker
  ASSERT_TRUE(follower_->commit().ok());
  EXPECT_EQ(ledger_rows(), 10);
  EXPECT_EQ(ledger().metadata->current_snapshot()->parent_snapshot_id, foreign_);
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(follower_->committed_seq(), journal_->next_seq() - 1);
}

// Trades come, change and go, commits fail in every way, others commit in between, and now and then it all starts again.
class FollowerOfVersionTest : public FollowerTest, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Formats, FollowerOfVersionTest, testing::Values(2, 3));

TEST_P(FollowerOfVersionTest, TradesAreTheCurrentVersions) {
  const std::vector<std::uint64_t> seeds = GetParam() == 2 ? std::vector<std::uint64_t>{1, 2} : std::vector<std::uint64_t>{3, 4};
  for (const std::uint64_t seed : seeds) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::map<std::string, std::uint32_t> model;
    const std::string prefix = "s" + std::to_string(seed) + "-";
    ASSERT_TRUE(open(GetParam()).ok());
    const auto known = trades();
    for (int round = 0; round < 25; ++round) {
      std::vector<std::string> ids;
      std::vector<Trade> block;
      const std::size_t count = 1 + random() % 30;
      for (std::size_t i = 0; i < count; ++i) ids.push_back(prefix + std::to_string(random() % 60));
      for (const std::string& id : ids) {
        const bool cancels = model.contains(id) && random() % 10 == 0;
        const std::uint32_t version = ++versions_[id];
        block.push_back({"oms", id, version, cancels ? Action::kCancel : Action::kNew, "b", "t", "c", "i", Side::kBuy, 1, 2, 3, 4});
        if (cancels) model.erase(id);
        else model[id] = version;
      }
      ASSERT_TRUE(follower_->follow(journal(block)).ok());
      catalog_->next = static_cast<Fault>(random() % 5);
      if (random() % 3 == 0) catalog_->before_commit = [&] { commit_from_outside(random() % 2 == 0 ? "trades" : "trade_events"); };
      if (round == 0) catalog_->before_commit = nullptr;  // there is nothing yet to commit upon
      const Status committed = follower_->commit();
      catalog_->next = Fault::kNone;
      catalog_->before_commit = nullptr;
      if (random() % 4 == 0) {
        ASSERT_TRUE(open(GetParam()).ok());
        ASSERT_TRUE(follower_->follow(journal_->next_seq() - 1).ok());
      } else if (committed.ok()) {
        EXPECT_EQ(follower_->rows(), 0);
      }
      ASSERT_TRUE(follower_->commit().ok());
      std::map<std::string, std::int64_t> expected(known);
      for (const auto& [id, version] : model) expected[id] = version;
      ASSERT_EQ(trades(), expected) << "round " << round;
    }
  }
}

TEST_F(FollowerTest, ADayIsAFile) {
  ASSERT_TRUE(open().ok());
  journal(3);
  clock_.advance(Nanos{86'400} * 1'000'000'000);
  ASSERT_TRUE(follower_->follow(journal(4)).ok());
  ASSERT_TRUE(follower_->commit().ok());
  EXPECT_EQ(ledger_rows(), 7);
  const std::string data = ledger().metadata->location.substr(std::string("file://").size()) + "/data/knowledge_time_day=2025-11-2";
  EXPECT_TRUE(std::filesystem::exists(data + "6"));
  EXPECT_TRUE(std::filesystem::exists(data + "7"));
}

TEST_F(FollowerTest, ManyCommitsKeepFewManifests) {
  ASSERT_TRUE(open(3).ok());
  for (int commit = 0; commit < 100; ++commit) {
    ASSERT_TRUE(follower_->follow(journal(2)).ok());
    ASSERT_TRUE(follower_->commit().ok());
  }
  EXPECT_EQ(ledger_rows(), 200);
  const LoadedTable table = ledger();
  const std::vector<ManifestFile> manifests = current_manifests(*warehouse_, *table.metadata).take();
  EXPECT_LE(manifests.size(), ManifestSizes{}.least_merged + 1);
  // Row ids: every row has one of its own, also after manifests were merged.
  std::map<std::int64_t, std::int64_t> ids;
  for (const ManifestFile& manifest : manifests) {
    for (const ManifestEntry& entry : entries_of(*warehouse_, manifest).take()) {
      EXPECT_TRUE(ids.emplace(entry.file.first_row_id.value(), entry.file.record_count).second);
    }
  }
  std::int64_t next = 0;
  for (const auto& [first, rows] : ids) {
    EXPECT_GE(first, next);
    next = first + rows;
  }
  EXPECT_LE(next, table.metadata->next_row_id);
}

TEST_F(FollowerTest, AnotherJournalsTablesAreRefused) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(follower_->follow(journal(5)).ok());
  ASSERT_TRUE(follower_->commit().ok());
  EXPECT_EQ(follower_->follow(1).code(), Code::kFailedPrecondition);  // a journal put back
  ASSERT_TRUE(sqlite_->commit_table({{{"halocline"}, "trade_events"}, {}, {SetProperties{{{kJournalIdKey, "another"}}}}}).ok());
  EXPECT_EQ(open().code(), Code::kFailedPrecondition);
}

TEST_F(FollowerTest, TwoWritersOfOneHistoryAreToldSo) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(follower_->follow(journal(5)).ok());
  auto first = std::move(follower_);
  auto books = std::move(books_);
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(follower_->follow(journal_->next_seq() - 1).ok());
  journal(3);
  ASSERT_TRUE(follower_->commit().ok());
  ASSERT_TRUE(first->follow(journal_->next_seq() - 1).ok());
  EXPECT_EQ(first->commit().code(), Code::kFailedPrecondition);
  EXPECT_EQ(ledger_rows(), 5);
}

}  // namespace
}  // namespace halocline
