#include "history/maintenance/upkeep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "history/catalog/sqlite_catalog.h"
#include "history/iceberg/deletion_vectors.h"
#include "history/iceberg/table_change.h"
#include "history/maintenance/orphans.h"
#include "history/parquet/parquet_columns.h"
#include "history/tables/append_table.h"
#include "history/tables/live_deletes.h"
#include "history/tables/table_set.h"
#include "history/tables/upsert_table.h"

namespace halocline {
namespace {

using namespace iceberg;

constexpr Nanos kDay = 86'400'000'000'000;
constexpr Nanos kMinute = 60'000'000'000;

TableDefinition fills() {
  TableDefinition table;
  table.name = "fills";
  table.day_of = 2;
  table.sorted_by = {1};
  table.schema.fields = {required(1, "seq", primitive(TypeKind::kLong)), required(2, "time", primitive(TypeKind::kTimestamptz)),
                         optional(3, "venue", primitive(TypeKind::kString)), optional(4, "price", decimal(20, 8)),
                         optional(5, "maker", primitive(TypeKind::kBoolean)),
                         required(6, "quantity", primitive(TypeKind::kLong))};
  return table;
}

TableDefinition orders() {
  TableDefinition table;
  table.name = "orders";
  table.sorted_by = {1};
  table.schema.fields = {required(1, "number", primitive(TypeKind::kLong)), required(2, "version", primitive(TypeKind::kLong))};
  table.schema.identifier_field_ids = {1};
  return table;
}

// Of tables of format version 2 and 3.
class UpkeepTest : public testing::TestWithParam<int> {
 protected:
  UpkeepTest() {
    char name[] = "/tmp/halocline-upkeep-XXXXXX";
    directory_ = mkdtemp(name);
    warehouse_ = std::make_unique<FolderWarehouse>(disk_, directory_ + "/warehouse");
    Result<std::unique_ptr<TableCatalog>> opened = open_sqlite_catalog(directory_ + "/catalog.db", *warehouse_, clock_);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    catalog_ = opened.take();
    UpkeepOptions options;
    options.compaction.least_files = 3;
    upkeep_ = std::make_unique<Upkeep>(*catalog_, *warehouse_, clock_, options);
  }
  ~UpkeepTest() override {
    tables_.reset(), upkeep_.reset(), catalog_.reset();
    std::filesystem::remove_all(directory_);
  }

  void open() { open(GetParam()); }
  void open(int version) {
    fills_ = std::make_unique<AppendTable>(fills());
    orders_ = std::make_unique<UpsertTable>(orders());
    tables_ = std::make_unique<TableSet>(*catalog_, *warehouse_, clock_, TableSetOptions{"halocline", version, "journal"});
    tables_->add(*fills_), tables_->add(*orders_);
    const Status opened = tables_->open();
    ASSERT_TRUE(opened.ok()) << opened.message();
  }

  // A commit of a fill and of these orders, a minute after the one before.
  void commit(const std::map<std::uint64_t, std::int64_t>& versions, const std::set<std::uint64_t>& removed = {}) {
    clock_.advance(kMinute);
    ParquetRows& fill = fills_->row(clock_.wall());
    fill.number(0, static_cast<std::int64_t>(++seq_)), fill.number(1, clock_.wall() / 1'000);
    if (seq_ % 3 == 0) fill.null(2);
    else fill.text(2, "venue " + std::to_string(seq_));
    fill.decimal(3, -static_cast<Int128>(seq_)), fill.flag(4, seq_ % 2 == 0);
    fill.number(5, 100 * static_cast<std::int64_t>(seq_));
    ASSERT_TRUE(fills_->end_row().ok());
    for (const auto& [number, version] : versions) {
      ParquetRows& row = orders_->row(number);
      row.number(0, static_cast<std::int64_t>(number)), row.number(1, version);
      ASSERT_TRUE(orders_->end_row().ok());
      wanted_[static_cast<std::int64_t>(number)] = version;
    }
    for (const std::uint64_t number : removed) orders_->remove(number), wanted_.erase(static_cast<std::int64_t>(number));
    ASSERT_TRUE(tables_->begin({seq_, "digest", "chain", "root", "head"}).ok());
    const Status finished = tables_->finish();
    ASSERT_TRUE(finished.ok()) << finished.message();
  }

  LoadedTable load(const std::string& table) { return catalog_->load_table({{"halocline"}, table}).take(); }
  std::vector<LiveFile> live(const std::string& table) { return live_files(*warehouse_, *load(table).metadata).take(); }

  // Rows that are not deleted: the number in column 1 -> that in `column`, each number once.
  std::map<std::int64_t, std::int64_t> rows(const std::string& table, std::int32_t column) {
    std::map<std::int64_t, std::int64_t> found;
    const std::vector<LiveFile> files = live(table);
    LiveDeletes deleted = read_live_deletes(*warehouse_, files).take();
    for (const LiveFile& one : files) {
      if (one.file.content != FileContent::kData) continue;
      const std::string bytes = warehouse_->read(one.file.path, 1 << 30).take();
      const std::vector<std::int64_t> numbers = read_numbers(bytes, 1).take(), values = read_numbers(bytes, column).take();
      const std::vector<std::int64_t>& gone = deleted.positions[one.file.path];
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (std::find(gone.begin(), gone.end(), static_cast<std::int64_t>(i)) != gone.end()) continue;
        EXPECT_TRUE(found.emplace(numbers[i], values[i]).second) << numbers[i];
      }
    }
    return found;
  }
  std::size_t count(const std::string& table, FileContent content) {
    const std::vector<LiveFile> files = live(table);
    return static_cast<std::size_t>(
        std::count_if(files.begin(), files.end(), [&](const LiveFile& one) { return one.file.content == content; }));
  }

  std::optional<Rewrite> compact(const TableDefinition& table) {
    Result<std::optional<Rewrite>> made = upkeep_->compact(table);
    EXPECT_TRUE(made.ok()) << made.status().message();
    return made.ok() ? made.take() : std::nullopt;
  }
  std::set<std::string> files_there() {
    std::set<std::string> files;
    for (const WarehouseFile& file : warehouse_->list(warehouse_->root() + "/halocline").take()) files.insert(file.location);
    return files;
  }

  PosixDisk disk_;
  ManualClock clock_{1'764'115'200'000'000'000};  // 2025-11-26
  std::string directory_;
  std::unique_ptr<FolderWarehouse> warehouse_;
  std::unique_ptr<TableCatalog> catalog_;
  std::unique_ptr<Upkeep> upkeep_;
  std::unique_ptr<AppendTable> fills_;
  std::unique_ptr<UpsertTable> orders_;
  std::unique_ptr<TableSet> tables_;
  Seq seq_ = 0;
  std::map<std::int64_t, std::int64_t> wanted_;  // of orders: number -> version
};

INSTANTIATE_TEST_SUITE_P(Formats, UpkeepTest, testing::Values(2, 3));

TEST_P(UpkeepTest, SmallFilesOfADayBecomeOne) {
  open();
  for (int i = 0; i < 5; ++i) commit({});
  clock_.advance(kDay);
  for (int i = 0; i < 2; ++i) commit({});
  const auto before = rows("fills", 6);
  const std::optional<Rewrite> made = compact(fills());
  ASSERT_TRUE(made.has_value());
  ASSERT_TRUE(tables_->replace(*made).ok());
  EXPECT_EQ(rows("fills", 6), before);
  EXPECT_EQ(count("fills", FileContent::kData), 3u);  // one of the first day, two of the next
  const Snapshot& snapshot = *load("fills").metadata->current_snapshot();
  EXPECT_EQ(snapshot.summary.at("operation"), "replace");
  EXPECT_EQ(snapshot.summary.at(kLastSeqKey), "7");
  EXPECT_EQ(snapshot.summary.at(kStateDigestKey), "digest");
  EXPECT_EQ(snapshot.summary.count(kFirstSeqKey), 0u);
  EXPECT_EQ(snapshot.summary.at("deleted-data-files"), "5");
  EXPECT_EQ(snapshot.summary.at("total-data-files"), "3");
  EXPECT_EQ(snapshot.summary.at("total-records"), "7");
  std::int64_t size = 0;
  for (const LiveFile& one : live("fills")) {
    size += one.file.file_size;
    EXPECT_EQ(one.file.sort_order_id, 1);
    EXPECT_NE(one.file.path.find("/time_day=2025-11-2"), std::string::npos);
    const std::string bytes = warehouse_->read(one.file.path, 1 << 30).take();
    const std::vector<std::int64_t> seqs = read_numbers(bytes, 1).take();
    EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end()));
  }
  EXPECT_EQ(snapshot.summary.at("total-files-size"), std::to_string(size));
  EXPECT_FALSE(compact(fills()).has_value());  // there is nothing more to do
  commit({});
  EXPECT_EQ(rows("fills", 6).size(), 8u);
}

TEST_P(UpkeepTest, RowsThatChangeMeanwhileAreAsTheyBecame) {
  open();
  commit({{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  commit({{1, 2}, {4, 1}});
  commit({{2, 2}, {5, 1}}, {4});
  const std::optional<Rewrite> made = compact(orders());
  ASSERT_TRUE(made.has_value());
  commit({{0, 2}, {6, 1}}, {5});  // rows of its files are replaced and removed
  ASSERT_TRUE(tables_->replace(*made).ok());
  EXPECT_EQ(rows("orders", 2), wanted_);
  EXPECT_EQ(count("orders", FileContent::kData), 2u);
  commit({{0, 3}, {1, 3}, {3, 3}, {6, 3}});  // their places are known
  EXPECT_EQ(rows("orders", 2), wanted_);
  open();  // … and are found in the table
  commit({{0, 4}, {2, 4}, {3, 4}}, {6});
  EXPECT_EQ(rows("orders", 2), wanted_);
}

// A file of position deletes for each commit, which become one; of deletion vectors there is one a data file from the beginning.
TEST_P(UpkeepTest, DeletesOfFilesThatStayAreKeptInOneFile) {
  open();
  std::map<std::uint64_t, std::int64_t> many;
  for (std::uint64_t number = 0; number < 1'000; ++number) many[number] = 1;
  commit(many);
  UpkeepOptions options;
  options.compaction.least_files = 3;
  options.compaction.equal_bytes = 1'000;  // the first one is a large file
  upkeep_ = std::make_unique<Upkeep>(*catalog_, *warehouse_, clock_, options);
  for (std::uint64_t i = 0; i < 3; ++i) commit({{i, 2}, {2'000 + i, 1}});
  EXPECT_EQ(count("orders", FileContent::kPositionDeletes), GetParam() >= 3 ? 1u : 3u);
  const std::optional<Rewrite> made = compact(orders());
  ASSERT_TRUE(made.has_value());
  ASSERT_TRUE(tables_->replace(*made).ok());
  EXPECT_EQ(count("orders", FileContent::kPositionDeletes), 1u);
  EXPECT_EQ(rows("orders", 2), wanted_);
  commit({{0, 9}, {1, 9}, {500, 9}, {2'001, 9}});
  EXPECT_EQ(rows("orders", 2), wanted_);
}

TEST_P(UpkeepTest, ARewriteThatDoesNotFitAnyMoreIsRefusedWhole) {
  open();
  for (int i = 0; i < 3; ++i) commit({{0, i}});
  const std::optional<Rewrite> made = compact(orders()), other = compact(orders());
  ASSERT_TRUE(made.has_value() && other.has_value());
  ASSERT_TRUE(tables_->replace(*made).ok());
  EXPECT_EQ(tables_->replace(*other).code(), Code::kFailedPrecondition);
  discard(*warehouse_, *other);
  EXPECT_EQ(rows("orders", 2), wanted_);
  for (const LiveFile& one : live("orders")) EXPECT_TRUE(warehouse_->exists(one.file.path).value());
}

TEST_P(UpkeepTest, ACommitFromOutsideIsNoticed) {
  open();
  for (int i = 0; i < 3; ++i) commit({{0, i}, {1, i}});
  const auto from_outside = [&](const TableChange& change) {
    Result<PreparedChange> prepared = prepare_change(*warehouse_, {{"halocline"}, "orders"}, load("orders"), change, 0);
    ASSERT_TRUE(prepared.ok()) << prepared.status().message();
    ASSERT_TRUE(catalog_->commit_table(prepared.value().commit).ok());
  };
  std::optional<Rewrite> made = compact(orders());
  ASSERT_TRUE(made.has_value());
  TableChange properties;
  properties.properties = {{"owner", "desk"}};
  from_outside(properties);
  ASSERT_TRUE(tables_->replace(*made).ok());
  EXPECT_EQ(load("orders").metadata->property("owner", ""), "desk");

  for (int i = 3; i < 6; ++i) commit({{0, i}, {1, i}});
  made = compact(orders());
  ASSERT_TRUE(made.has_value());
  // Another engine makes one of the files anew: ours does not fit any more, and where the rows are is found out again.
  TableChange moved;
  moved.same_rows = true;
  for (const LiveFile& one : live("orders")) {
    if (one.file.content != FileContent::kData || !moved.data.empty()) continue;
    moved.removed = {one.file.path};
    moved.data = {one.file};
    moved.data.front().path = one.file.path + "-moved.parquet";
    ASSERT_TRUE(warehouse_->write(moved.data.front().path, warehouse_->read(one.file.path, 1 << 30).take()).ok());
  }
  // It is the newest: no row of it is deleted, so no delete has its old name.
  from_outside(moved);
  EXPECT_EQ(rows("orders", 2), wanted_);
  EXPECT_EQ(tables_->replace(*made).code(), Code::kFailedPrecondition);
  discard(*warehouse_, *made);
  commit({{0, 7}, {1, 7}, {2, 7}});
  EXPECT_EQ(rows("orders", 2), wanted_);
}

// "Deletion Vectors": one a data file, which each commit makes anew with what it deletes.
TEST_P(UpkeepTest, FromVersion3EachDataFileHasOneVectorAtMost) {
  open(3);
  commit({{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  commit({{1, 2}, {4, 1}});
  commit({{2, 2}, {1, 3}, {5, 1}}, {4});
  const Properties summary = load("orders").metadata->current_snapshot()->summary;
  EXPECT_EQ(summary.at("added-dvs"), "2");    // of the first file and of the second
  EXPECT_EQ(summary.at("removed-dvs"), "1");  // that of the first
  EXPECT_EQ(summary.at("added-position-deletes"), "4");
  EXPECT_EQ(summary.at("removed-position-deletes"), "1");
  EXPECT_EQ(summary.at("total-delete-files"), "2");
  EXPECT_EQ(summary.at("total-position-deletes"), "4");
  EXPECT_EQ(summary.count("added-position-delete-files") + summary.count("removed-position-delete-files"), 0u);
  std::map<std::string, std::int64_t> vectors;
  for (const LiveFile& one : live("orders")) {
    if (one.file.content == FileContent::kData) continue;
    EXPECT_TRUE(is_deletion_vector(one.file));
    EXPECT_EQ(one.sequence_number, 3);
    EXPECT_TRUE(vectors.emplace(one.file.referenced_data_file.value(), one.file.record_count).second);
  }
  EXPECT_EQ(vectors.size(), 2u);
  EXPECT_EQ(rows("orders", 2), wanted_);
  open(3);  // from the table
  commit({{0, 2}, {3, 2}, {5, 2}});
  EXPECT_EQ(rows("orders", 2), wanted_);
  EXPECT_EQ(count("orders", FileContent::kPositionDeletes), 3u);
}

// "Position Delete Files": those of an upgraded table go into the vectors, or with their data files.
TEST_P(UpkeepTest, ATableThatIsUpgradedKeepsItsDeletes) {
  open(2);
  std::map<std::uint64_t, std::int64_t> many;
  for (std::uint64_t number = 0; number < 1'000; ++number) many[number] = 1;
  commit(many);
  commit({{0, 2}, {1'000, 1}, {1'001, 1}});
  commit({{1, 2}, {1'000, 2}});  // one file of deletes of two data files
  if (GetParam() >= 3) {
    ASSERT_TRUE(catalog_->commit_table({{{"halocline"}, "orders"}, {}, {UpgradeFormatVersion{3}}}).ok());
    commit({{2, 2}});  // a vector of the first file, with what was deleted before
    EXPECT_EQ(rows("orders", 2), wanted_);
    std::size_t files = 0;
    for (const LiveFile& one : live("orders")) {
      if (one.file.content == FileContent::kData) continue;
      EXPECT_EQ(one.file.record_count, is_deletion_vector(one.file) ? 3 : 2);
      ++files;
    }
    EXPECT_EQ(files, 2u);  // that of the first file alone is gone
    open(3);
    commit({{1'001, 2}});
    UpkeepOptions options;
    options.compaction.least_files = 1;
    upkeep_ = std::make_unique<Upkeep>(*catalog_, *warehouse_, clock_, options);
    const std::optional<Rewrite> made = compact(orders());
    ASSERT_TRUE(made.has_value());
    ASSERT_TRUE(tables_->replace(*made).ok());
    for (const LiveFile& one : live("orders")) EXPECT_TRUE(one.file.content == FileContent::kData || is_deletion_vector(one.file));
  }
  EXPECT_EQ(rows("orders", 2), wanted_);
  commit({{0, 3}, {2, 3}, {1'001, 3}});
  EXPECT_EQ(rows("orders", 2), wanted_);
}

// What others leave of a data file that they took out.
TEST_P(UpkeepTest, VectorsOfNoDataFileGo) {
  open(3);
  for (int i = 0; i < 4; ++i) commit({{0, i}, {1, i}, {static_cast<std::uint64_t>(2 + i), i}});
  LoadedTable table = load("orders");
  std::vector<ManifestFile> manifests = current_manifests(*warehouse_, *table.metadata).take();
  std::erase_if(manifests, [&](const ManifestFile& manifest) {  // with the first commit's data file: rows 2 and (deleted) 0 and 1
    return !manifest.deletes && manifest.added_snapshot_id == table.metadata->snapshots.front().snapshot_id;
  });
  Snapshot snapshot = *table.metadata->current_snapshot();
  snapshot.parent_snapshot_id = snapshot.snapshot_id;
  snapshot.snapshot_id = 7, ++snapshot.sequence_number;
  snapshot.first_row_id = table.metadata->next_row_id, snapshot.added_rows = 0;
  snapshot.manifest_list = table.metadata->location + "/metadata/theirs.avro";
  ASSERT_TRUE(warehouse_->write(snapshot.manifest_list, manifest_list_bytes(manifests, snapshot, 3)).ok());
  const SetSnapshotRef main{"main", {7, true, {}, {}, {}}};
  ASSERT_TRUE(catalog_->commit_table({{{"halocline"}, "orders"}, {}, {AddSnapshot{snapshot}, main}}).ok());
  wanted_.erase(2);
  EXPECT_EQ(rows("orders", 2), wanted_);
  EXPECT_EQ(count("orders", FileContent::kPositionDeletes), 3u);
  const std::optional<Rewrite> made = compact(orders());
  ASSERT_TRUE(made.has_value());
  ASSERT_TRUE(tables_->replace(*made).ok());
  EXPECT_EQ(count("orders", FileContent::kPositionDeletes), 0u);
  EXPECT_EQ(rows("orders", 2), wanted_);
}

// "Row Lineage": what moves keeps its id and when it was changed.
TEST_P(UpkeepTest, RowsKeepTheirLineage) {
  constexpr std::int32_t kRowId = 2'147'483'540, kLastUpdated = 2'147'483'539;
  open(3);
  for (int i = 0; i < 4; ++i) commit({});
  for (int round = 0; round < 2; ++round) {
    const std::optional<Rewrite> made = compact(fills());
    ASSERT_TRUE(made.has_value());
    ASSERT_TRUE(tables_->replace(*made).ok());
    const auto ids = rows("fills", kRowId), updated = rows("fills", kLastUpdated);
    ASSERT_EQ(ids.size(), 4u);
    for (std::int64_t seq = 1; seq <= 4; ++seq) {
      EXPECT_EQ(ids.at(seq), seq - 1);
      EXPECT_EQ(updated.at(seq), seq);
    }
    if (round == 0) {
      UpkeepOptions options;
      options.compaction.least_files = 1;  // the one that was made, once more
      upkeep_ = std::make_unique<Upkeep>(*catalog_, *warehouse_, clock_, options);
    }
  }
}

// Manifests that somebody else filled with every other day are made anew in the order of days; the files in them stay what they are.
TEST_P(UpkeepTest, ManifestsAreInTheOrderOfDays) {
  open();
  for (int day = 0; day < 12; ++day) {
    commit({});
    clock_.advance(kDay);
  }
  EXPECT_FALSE(upkeep_->order_manifests(fills()).take().has_value());
  LoadedTable table = load("fills");
  const TableMetadata& metadata = *table.metadata;
  std::vector<ManifestEntry> mixed[2];
  for (const ManifestFile& manifest : current_manifests(*warehouse_, metadata).take()) {
    for (ManifestEntry& entry : entries_of(*warehouse_, manifest).take()) {
      entry.status = EntryStatus::kExisting;
      mixed[*entry.file.partition.front().number() % 2].push_back(std::move(entry));
    }
  }
  Snapshot snapshot = *metadata.current_snapshot();
  snapshot.parent_snapshot_id = snapshot.snapshot_id;
  snapshot.snapshot_id = 7, ++snapshot.sequence_number;
  if (GetParam() >= 3) snapshot.first_row_id = metadata.next_row_id, snapshot.added_rows = 0;
  std::vector<ManifestFile> theirs;
  const ManifestLayout layout{GetParam(), false, &metadata.current_schema(), &metadata.default_spec()};
  for (const std::vector<ManifestEntry>& entries : mixed) {
    ManifestFile& manifest = theirs.emplace_back(describe_manifest(entries, layout));
    const std::string bytes = manifest_bytes(entries, layout);
    manifest.path = metadata.location + "/metadata/theirs-" + std::to_string(theirs.size()) + ".avro";
    manifest.length = static_cast<std::int64_t>(bytes.size());
    manifest.sequence_number = snapshot.sequence_number, manifest.min_sequence_number = 1, manifest.added_snapshot_id = 7;
    if (GetParam() >= 3) manifest.first_row_id = 0;
    ASSERT_TRUE(warehouse_->write(manifest.path, bytes).ok());
  }
  snapshot.manifest_list = metadata.location + "/metadata/theirs.avro";
  ASSERT_TRUE(warehouse_->write(snapshot.manifest_list, manifest_list_bytes(theirs, snapshot, GetParam())).ok());
  const std::int64_t target = theirs.front().length + 10;
  ASSERT_TRUE(catalog_->commit_table({{{"halocline"}, "fills"}, {},
                                      {AddSnapshot{snapshot}, SetSnapshotRef{"main", {7, true, {}, {}, {}}},
                                       SetProperties{{{"commit.manifest.target-size-bytes", std::to_string(target)}}}}}).ok());

  const auto numbers = [&] {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> found;  // of each file: sequence number, first row id
    for (const LiveFile& one : live("fills")) found[one.file.path] = {one.sequence_number, one.file.first_row_id.value_or(-1)};
    return found;
  };
  const auto numbers_before = numbers();
  const auto rows_before = rows("fills", 6);
  const std::int64_t next_row_id = load("fills").metadata->next_row_id;
  const std::optional<Rewrite> made = upkeep_->order_manifests(fills()).take();
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->manifests.size(), 2u);
  const Status replaced = tables_->replace(*made);
  ASSERT_TRUE(replaced.ok()) << replaced.message();
  EXPECT_EQ(numbers(), numbers_before);
  EXPECT_EQ(rows("fills", 6), rows_before);
  table = load("fills");
  EXPECT_EQ(table.metadata->next_row_id, next_row_id);
  const Properties& summary = table.metadata->current_snapshot()->summary;
  EXPECT_EQ(summary.at("operation"), "replace");
  EXPECT_EQ(summary.at("entries-processed"), "12");
  EXPECT_EQ(summary.at("manifests-replaced"), "2");
  EXPECT_EQ(summary.at("total-data-files"), "12");
  EXPECT_EQ(summary.at(kLastSeqKey), "12");
  std::vector<std::vector<std::int64_t>> days;
  for (const ManifestFile& manifest : current_manifests(*warehouse_, *table.metadata).take()) {
    EXPECT_LE(manifest.length, target);
    EXPECT_EQ(manifest.existing_files, 6);
    for (days.emplace_back(); const ManifestEntry& entry : entries_of(*warehouse_, manifest).take()) {
      days.back().push_back(*entry.file.partition.front().number());
    }
    EXPECT_TRUE(std::is_sorted(days.back().begin(), days.back().end()));
  }
  ASSERT_EQ(days.size(), 2u);
  EXPECT_LT(days[0].back(), days[1].front());
  EXPECT_FALSE(upkeep_->order_manifests(fills()).take().has_value());  // there is nothing more to do
  EXPECT_EQ(tables_->replace(*made).code(), Code::kFailedPrecondition);
  commit({});
  EXPECT_EQ(rows("fills", 6).size(), 13u);
}

// What a commit removes stands in manifests of it, none of which is larger than those it had been in.
TEST_P(UpkeepTest, ManifestsStaySmallOverManyCommits) {
  open();
  for (const char* name : {"fills", "orders"}) {
    ASSERT_TRUE(catalog_->commit_table({{{"halocline"}, name}, {},
                                        {SetProperties{{{"commit.manifest.target-size-bytes", "40000"},
                                                        {"commit.manifest.min-count-to-merge", "4"}}}}}).ok());
  }
  for (std::uint64_t i = 0; i < 60; ++i) {
    commit({{i, 1}, {i / 2, static_cast<std::int64_t>(2 + i)}});
    if (i % 20 == 19) clock_.advance(kDay);
    if (i % 6 == 5) {
      const std::optional<Rewrite> made = compact(orders());
      if (made.has_value()) {
        ASSERT_TRUE(tables_->replace(*made).ok());
      }
    }
    for (const char* name : {"fills", "orders"}) {
      const std::vector<ManifestFile> manifests = current_manifests(*warehouse_, *load(name).metadata).take();
      ASSERT_LE(manifests.size(), 12u) << name << " after " << i;
      for (const ManifestFile& manifest : manifests) ASSERT_LE(manifest.length, 40'000);
    }
  }
  EXPECT_EQ(rows("orders", 2), wanted_);
  EXPECT_EQ(rows("fills", 6).size(), 60u);
}

TEST(ChooseFiles, TheSmallOnesUpToOneLargerThanAllBefore) {
  CompactionOptions options;
  options.full_bytes = 1'000, options.equal_bytes = 10, options.least_files = 3, options.most_files = 6;
  const auto chosen = [&](std::vector<std::int64_t> sizes, std::map<std::string, std::int64_t> deleted = {}) {
    std::vector<LiveFile> files;
    for (const std::int64_t size : sizes) {
      LiveFile& one = files.emplace_back();
      one.file.path = std::to_string(size) + "/" + std::to_string(files.size());
      one.file.file_size = size, one.file.record_count = 100;
    }
    std::vector<std::int64_t> taken;
    for (const LiveFile& one : choose_files(files, deleted, options)) taken.push_back(one.file.file_size);
    return taken;
  };
  using Sizes = std::vector<std::int64_t>;
  EXPECT_EQ(chosen({}), Sizes());
  EXPECT_EQ(chosen({5, 5}), Sizes());
  EXPECT_EQ(chosen({8, 5, 9}), Sizes({5, 8, 9}));
  EXPECT_EQ(chosen({5, 5, 5, 200}), Sizes({5, 5, 5}));
  EXPECT_EQ(chosen({5, 5, 5, 15, 30, 900}), Sizes({5, 5, 5, 15, 30}));
  EXPECT_EQ(chosen({5, 50, 500}), Sizes());
  EXPECT_EQ(chosen({800, 900, 1'000, 1'200}), Sizes());                            // full ones
  EXPECT_EQ(chosen({1, 11, 30, 70, 150, 320, 700}), Sizes({1, 11, 30}));           // too many
  EXPECT_EQ(chosen({5, 5, 900}, {{"900/3", 30}}), Sizes({900}));                   // too much of it is deleted
  EXPECT_EQ(chosen({5, 5, 900}, {{"900/3", 10}}), Sizes());
}

TEST(OldSnapshots, WhatABranchOrTagNeedsStays) {
  TableMetadata table;
  for (std::int64_t id = 1; id <= 6; ++id) {
    Snapshot& snapshot = table.snapshots.emplace_back();
    snapshot.snapshot_id = id, snapshot.timestamp_ms = 1'000 * id;
    if (id > 1) snapshot.parent_snapshot_id = id - 1;
  }
  table.refs["main"] = {6, true, {}, {}, {}};
  table.current_snapshot_id = 6;
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(old_snapshots(table, {.keep_ms = 2'500}, 7'000), Ids({1, 2, 3, 4}));
  EXPECT_EQ(old_snapshots(table, {.keep_ms = 0}, 100'000), Ids({1, 2, 3, 4, 5}));
  table.refs["main"].min_snapshots_to_keep = 3;
  EXPECT_EQ(old_snapshots(table, {.keep_ms = 0}, 100'000), Ids({1, 2, 3}));
  table.refs["main"].max_snapshot_age_ms = 98'500;
  EXPECT_EQ(old_snapshots(table, {.keep_ms = 0}, 100'000), Ids({1}));
  table.refs["main"] = {6, true, {}, {}, {}};
  table.refs["month-end"] = {2, false, {}, {}, {}};
  EXPECT_EQ(old_snapshots(table, {.keep_ms = 0}, 100'000), Ids({1, 3, 4, 5}));
  table.refs["audit"] = {4, true, {}, {}, {}};
  EXPECT_EQ(old_snapshots(table, {.keep_ms = 0}, 100'000), Ids({5}));
  EXPECT_EQ(old_snapshots(table, {.keep_ms = 1'000'000}, 100'000), Ids());
}

TEST_P(UpkeepTest, OldSnapshotsGoWithTheFilesOnlyTheyHad) {
  open();
  for (int i = 0; i < 4; ++i) commit({{0, i}, {1, i}});
  const std::int64_t tagged = *load("orders").metadata->current_snapshot_id;
  for (int i = 4; i < 8; ++i) commit({{0, i}, {2, i}});
  ASSERT_TRUE(tables_->replace(*compact(orders())).ok());
  ASSERT_TRUE(catalog_->commit_table({{{"halocline"}, "orders"}, {}, {SetSnapshotRef{"kept", {tagged, false, {}, {}, {}}}}}).ok());
  const std::set<std::string> before = files_there();
  clock_.advance(kDay);
  commit({{0, 9}});
  ASSERT_TRUE(upkeep_->expire(orders()).ok());
  const LoadedTable table = load("orders");
  EXPECT_EQ(table.metadata->snapshots.size(), 2u);  // the current one and the tagged one
  std::vector<const Snapshot*> snapshots;
  for (const Snapshot& snapshot : table.metadata->snapshots) snapshots.push_back(&snapshot);
  const std::set<std::string> needed = files_of(*warehouse_, snapshots).take();
  std::set<std::string> there;
  for (const std::string& file : files_there()) {
    if (file.find("/orders-") != std::string::npos && !file.ends_with(".json")) there.insert(file);
  }
  EXPECT_EQ(there, needed);  // what they need and nothing else
  EXPECT_EQ(rows("orders", 2), wanted_);
  ASSERT_TRUE(catalog_->commit_table({{{"halocline"}, "orders"}, {}, {RemoveSnapshotRef{"kept"}}}).ok());
  ASSERT_TRUE(upkeep_->expire(orders()).ok());
  EXPECT_EQ(load("orders").metadata->snapshots.size(), 1u);
  commit({{0, 10}});
  EXPECT_EQ(rows("orders", 2), wanted_);
  // Without a tag it is one line, which is looked at from its first kept one on.
  const std::size_t least = files_there().size();
  for (int i = 0; i < 6; ++i) commit({{0, 11 + i}, {1, 11 + i}});
  ASSERT_TRUE(tables_->replace(*compact(orders())).ok());
  clock_.advance(kDay);
  commit({{0, 20}});
  ASSERT_TRUE(upkeep_->expire(orders()).ok());
  EXPECT_EQ(rows("orders", 2), wanted_);
  snapshots = {load("orders").metadata->current_snapshot()};
  EXPECT_EQ(load("orders").metadata->snapshots.size(), 1u);
  EXPECT_GE(files_there().size(), least);
}

// Somebody who tags an old snapshot and the expiry that found none there: one of them comes second, and is told so.
TEST_P(UpkeepTest, ATagThatComesBetweenIsKept) {
  open();
  for (int i = 0; i < 3; ++i) commit({{0, i}});
  clock_.advance(kDay);
  const LoadedTable before = load("orders");
  const std::int64_t oldest = before.metadata->snapshots.front().snapshot_id;
  const std::vector<std::int64_t> old = old_snapshots(*before.metadata, {}, clock_.wall() / 1'000'000);
  ASSERT_EQ(old.size(), 2u);
  const TableName name{{"halocline"}, "orders"};
  ASSERT_TRUE(catalog_->commit_table({name, {}, {SetSnapshotRef{"audited", {oldest, false, {}, {}, {}}}}}).ok());
  const std::set<std::string> files = files_there();
  EXPECT_EQ(expire(*catalog_, *warehouse_, name, before, old).code(), Code::kFailedPrecondition);
  EXPECT_EQ(load("orders").metadata->snapshots.size(), 3u);
  EXPECT_EQ(files_there(), files);
  ASSERT_TRUE(upkeep_->expire(orders()).ok());  // which looks again
  EXPECT_EQ(load("orders").metadata->snapshots.size(), 2u);
  EXPECT_EQ(load("orders").metadata->ref("audited")->snapshot_id, oldest);
  const std::int64_t gone = old.back() == oldest ? old.front() : old.back();
  const TableCommit late{name, {}, {SetSnapshotRef{"late", {gone, false, {}, {}, {}}}}};
  EXPECT_EQ(catalog_->commit_table(late).status().code(), Code::kInvalidArgument);
}

TEST_P(UpkeepTest, WhatNothingNamesGoesWhenItIsOldEnough) {
  open();
  for (int i = 0; i < 3; ++i) commit({{0, i}});
  const LoadedTable table = load("orders");
  const std::set<std::string> before = files_there();
  const std::string folder = table.metadata->location.substr(std::string("file://").size());
  std::ofstream(folder + "/data/lost.parquet") << "half a fi";
  std::ofstream(folder + "/metadata/just-written.avro") << "of a commit under way";
  namespace fs = std::filesystem;
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(100);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename() != "just-written.avro") fs::last_write_time(entry.path(), long_ago);
  }
  SystemClock clock;
  const Result<std::size_t> none = remove_orphans(*warehouse_, table, clock.wall() - 120 * 60 * kMinute);
  ASSERT_TRUE(none.ok()) << none.status().message();
  EXPECT_EQ(none.value(), 0u);
  EXPECT_EQ(remove_orphans(*warehouse_, table, clock.wall() - 72 * 60 * kMinute).value(), 1u);
  std::set<std::string> wanted = before;
  wanted.insert(table.metadata->location + "/metadata/just-written.avro");
  EXPECT_EQ(files_there(), wanted);
  // Nothing goes while it cannot be said what is needed.
  std::ofstream(folder + "/data/lost.parquet") << "again";
  fs::last_write_time(folder + "/data/lost.parquet", long_ago);
  ASSERT_TRUE(warehouse_->remove(table.metadata->current_snapshot()->manifest_list).ok());
  EXPECT_FALSE(remove_orphans(*warehouse_, table, clock.wall()).ok());
  EXPECT_TRUE(fs::exists(folder + "/data/lost.parquet"));
}

TEST_P(UpkeepTest, FilesOfATableInTheSameFolderAreLeftAlone) {
  open();
  commit({{0, 1}});
  const LoadedTable table = load("orders");
  const std::string folder = table.metadata->location.substr(std::string("file://").size());
  std::ofstream(folder + "/data/lost.parquet") << "half a fi";
  namespace fs = std::filesystem;
  fs::last_write_time(folder + "/data/lost.parquet", fs::file_time_type::clock::now() - std::chrono::hours(24 * 10'000));
  NewTable guest;
  guest.table = {{"research", "marks"}, "guest"};
  guest.draft.schema = orders().schema;
  guest.draft.location = table.metadata->location + "/guest";
  ASSERT_TRUE(catalog_->create_namespace({"research"}, {}).ok());
  ASSERT_TRUE(catalog_->create_namespace({"research", "marks"}, {}).ok());
  ASSERT_TRUE(catalog_->create_table(guest).ok());
  EXPECT_EQ(upkeep_->remove_orphans(orders(), std::nullopt).status().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(folder + "/data/lost.parquet"));
  EXPECT_EQ(upkeep_->remove_orphans(fills(), std::nullopt).value(), 0u);
  ASSERT_TRUE(catalog_->drop_table(guest.table, false).ok());
  EXPECT_EQ(upkeep_->remove_orphans(orders(), 0).value(), 0u);  // a commit under way might need it
  EXPECT_EQ(upkeep_->remove_orphans(orders(), std::nullopt).value(), 1u);
}

}  // namespace
}  // namespace halocline
