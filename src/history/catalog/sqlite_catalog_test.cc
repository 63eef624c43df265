#include "history/catalog/sqlite_catalog.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "base/disk.h"
#include "history/iceberg/table_metadata_json.h"

namespace halocline::iceberg {
namespace {

namespace fs = std::filesystem;

// A disk that takes so many new files and then is full.
class RefusingDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Access access) override { return disk_.open(path, access); }
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    if (refuse_after_ == 0) return Status(Code::kResourceExhausted, "cannot create " + path + ": no space left on device");
    --refuse_after_;
    return disk_.create(path);
  }
  Status rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status sync_directory(const std::string& directory) override { return disk_.sync_directory(directory); }
  Status make_directory(const std::string& directory) override { return disk_.make_directory(directory); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return disk_.list(directory); }
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override { return disk_.lock(path); }

  void refuse_after(int files) { refuse_after_ = files; }

 private:
  PosixDisk disk_;
  int refuse_after_ = 1'000'000;
};

// A warehouse that stalls while a metadata file of a table is written, until it is told to go on; or from which no folder can be removed.
class StallingWarehouse final : public Warehouse {
 public:
  explicit StallingWarehouse(Warehouse& warehouse) : warehouse_(warehouse) {}
  std::latch stalled{1}, go_on{1};
  std::atomic<bool> stalls = false, keeps = false;

  const std::string& root() const override { return warehouse_.root(); }
  Result<std::string> canonical(std::string_view location) const override { return warehouse_.canonical(location); }
  Status write(const std::string& location, std::string_view bytes) override {
    if (location.find("/slow-") != std::string::npos && stalls.exchange(false)) stalled.count_down(), go_on.wait();
    return warehouse_.write(location, bytes);
  }
  Result<std::string> read(const std::string& location, std::size_t most) override { return warehouse_.read(location, most); }
  Result<bool> exists(const std::string& location) override { return warehouse_.exists(location); }
  Status remove(const std::string& location) override { return warehouse_.remove(location); }
  Result<std::vector<WarehouseFile>> list(const std::string& location) override { return warehouse_.list(location); }
  Status remove_all(const std::string& location) override {
    return keeps ? Status(Code::kIo, "cannot remove " + location) : warehouse_.remove_all(location);
  }

 private:
  Warehouse& warehouse_;
};

class SqliteCatalogTest : public testing::Test {
 protected:
  SqliteCatalogTest() {
    char name[] = "/tmp/halocline-catalog-XXXXXX";
    directory_ = mkdtemp(name);
    warehouse_ = std::make_unique<FolderWarehouse>(disk_, directory_ + "/warehouse");
    reopen();
  }
  ~SqliteCatalogTest() override {
    catalog_.reset();
    fs::remove_all(directory_);
  }

  void reopen() {
    catalog_.reset();
    Result<std::unique_ptr<TableCatalog>> opened = open_sqlite_catalog(directory_ + "/catalog.db", *warehouse_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    catalog_ = opened.take();
  }

  static NewTable draft(const std::string& name) {
    NewTable table;
    table.table = {{"risk"}, name};
    table.draft.schema.fields = {required(1, "id", primitive(TypeKind::kLong))};
    return table;
  }
  LoadedTable create(const std::string& name) {
    Result<LoadedTable> made = catalog_->create_table(draft(name));
    EXPECT_TRUE(made.ok()) << made.status().message();
    return made.take();
  }
  static TableCommit set(const std::string& name, const std::string& value, std::vector<Requirement> requirements = {}) {
    return {{{"risk"}, name}, std::move(requirements), {SetProperties{{{"value", value}}}}};
  }
  std::string value(const std::string& name) {
    const Result<LoadedTable> table = catalog_->load_table({{"risk"}, name});
    return table.ok() ? table.value().metadata->property("value", "none") : table.status().message();
  }
  // Of the whole warehouse, folders too.
  std::size_t things() {
    const fs::path folder = directory_ + "/warehouse/risk";
    return fs::exists(folder) ? static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(folder), {})) : 0;
  }
  std::size_t files_of(const LoadedTable& table) {
    const std::string folder = table.metadata->location.substr(std::string("file://").size()) + "/metadata";
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }

  std::string directory_;
  RefusingDisk disk_;
  ManualClock clock_{1'800'000'000'000'000'000};
  std::unique_ptr<FolderWarehouse> warehouse_;
  std::unique_ptr<TableCatalog> catalog_;
};

TEST_F(SqliteCatalogTest, NamespacesNest) {
  EXPECT_EQ(catalog_->create_namespace({"a", "b"}, {}).message(), "Namespace does not exist: a");
  ASSERT_TRUE(catalog_->create_namespace({"a"}, {{"owner", "risk"}}).ok());
  ASSERT_TRUE(catalog_->create_namespace({"a", "b"}, {}).ok());
  ASSERT_TRUE(catalog_->create_namespace({"ab"}, {}).ok());
  EXPECT_EQ(catalog_->create_namespace({"a"}, {}).code(), Code::kAlreadyExists);
  EXPECT_EQ(catalog_->list_namespaces({}, {}).value().items, (std::vector<Namespace>{{"a"}, {"ab"}}));
  EXPECT_EQ(catalog_->list_namespaces({"a"}, {}).value().items, (std::vector<Namespace>{{"a", "b"}}));
  EXPECT_EQ(catalog_->list_namespaces({"x"}, {}).status().code(), Code::kNotFound);
  EXPECT_EQ(catalog_->drop_namespace({"a"}).message(), "Namespace is not empty: a");
  ASSERT_TRUE(catalog_->drop_namespace({"a", "b"}).ok());
  ASSERT_TRUE(catalog_->drop_namespace({"a"}).ok());
  EXPECT_EQ(catalog_->load_namespace({"a"}).status().message(), "Namespace does not exist: a");
}

TEST_F(SqliteCatalogTest, NamesAreBounded) {
  for (const Namespace& bad : {Namespace{}, Namespace{""}, Namespace{"a\x1f"}, Namespace{std::string(256, 'x')}, Namespace(17, "a"),
                               Namespace{"\xff"}}) {
    EXPECT_EQ(catalog_->create_namespace(bad, {}).code(), Code::kInvalidArgument);
  }
}

TEST_F(SqliteCatalogTest, PropertiesOfANamespaceChange) {
  ASSERT_TRUE(catalog_->create_namespace({"a"}, {{"x", "1"}, {"y", "2"}}).ok());
  const Result<NamespaceChange> change = catalog_->update_namespace({"a"}, {"x", "z"}, {{"y", "3"}});
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change.value().removed, std::vector<std::string>{"x"});
  EXPECT_EQ(change.value().missing, std::vector<std::string>{"z"});
  EXPECT_EQ(change.value().updated, std::vector<std::string>{"y"});
  reopen();
  EXPECT_EQ(catalog_->load_namespace({"a"}).value(), (Properties{{"y", "3"}}));
}

TEST_F(SqliteCatalogTest, TablesLiveThroughARestart) {
  EXPECT_EQ(catalog_->create_table(draft("t")).status().message(), "Namespace does not exist: risk");
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const LoadedTable made = create("t");
  EXPECT_EQ(catalog_->create_table(draft("t")).status().message(), "Table already exists: risk.t");
  const Result<LoadedTable> committed = catalog_->commit_table(set("t", "1"));
  ASSERT_TRUE(committed.ok()) << committed.status().message();
  EXPECT_NE(committed.value().metadata_location.find("/metadata/00001-"), std::string::npos);
  reopen();
  const Result<LoadedTable> loaded = catalog_->load_table({{"risk"}, "t"});
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ(loaded.value().metadata_location, committed.value().metadata_location);
  EXPECT_EQ(table_metadata_text(*loaded.value().metadata), table_metadata_text(*committed.value().metadata));
  EXPECT_EQ(loaded.value().metadata->metadata_log.back().metadata_file, made.metadata_location);
}

TEST_F(SqliteCatalogTest, OfTwoCommittersOneIsToldToLookAgain) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  create("t");
  // Each thread commits only on what it has read: every commit that succeeds adds one to the number of files.
  std::atomic<int> won{0}, lost{0};
  const auto commit = [&](int thread) {
    for (int i = 0; i < 50; ++i) {
      const LoadedTable table = catalog_->load_table({{"risk"}, "t"}).take();
      Schema schema = table.metadata->current_schema();
      schema.fields.push_back(optional(table.metadata->last_column_id + 1, "c" + std::to_string(thread) + "_" + std::to_string(i),
                                       primitive(TypeKind::kInt)));
      const Result<LoadedTable> done = catalog_->commit_table(
          {{{"risk"}, "t"}, {AssertLastAssignedFieldId{table.metadata->last_column_id}}, {AddSchema{schema}, SetCurrentSchema{}}});
      EXPECT_TRUE(done.ok() || done.status().code() == Code::kFailedPrecondition) << done.status().message();
      (done.ok() ? won : lost).fetch_add(1);
    }
  };
  std::thread other(commit, 1);
  commit(0);
  other.join();
  const LoadedTable last = catalog_->load_table({{"risk"}, "t"}).take();
  EXPECT_EQ(won + lost, 100);
  EXPECT_EQ(last.metadata->last_column_id, 1 + won);
  EXPECT_EQ(last.metadata->current_schema().fields.size(), 1u + static_cast<std::size_t>(won));
  EXPECT_EQ(files_of(last), 1u + static_cast<std::size_t>(won));
}

TEST_F(SqliteCatalogTest, AWarehouseThatStallsHoldsUpNoOtherTable) {
  StallingWarehouse warehouse(*warehouse_);
  catalog_.reset();
  catalog_ = open_sqlite_catalog(directory_ + "/catalog.db", warehouse, clock_).take();
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const LoadedTable slow = create("slow");
  create("quick"), create("doomed");
  warehouse.stalls = true;
  std::thread first([&] { EXPECT_TRUE(catalog_->commit_table(set("slow", "1")).ok()); });
  warehouse.stalled.wait();
  // Those who read it find what was committed; other tables are made, changed and dropped.
  EXPECT_EQ(value("slow"), "none");
  EXPECT_EQ(catalog_->list_tables({"risk"}, {}).value().items.size(), 3u);
  EXPECT_TRUE(catalog_->commit_table(set("quick", "1")).ok());
  EXPECT_EQ(value("quick"), "1");
  create("new");
  EXPECT_TRUE(catalog_->drop_table({{"risk"}, "doomed"}, true).ok());
  EXPECT_TRUE(catalog_->rename_table({{"risk"}, "new"}, {{"risk"}, "newer"}).ok());
  EXPECT_EQ(catalog_->drop_namespace({"risk"}).code(), Code::kFailedPrecondition);
  // A second one of the same table comes after it, and is right still.
  std::thread second([&] {
    const Result<LoadedTable> done = catalog_->commit_table({{{"risk"}, "slow"}, {}, {SetProperties{{{"more", "2"}}}}});
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(done.value().metadata->property("value", ""), "1");
  });
  warehouse.go_on.count_down();
  first.join(), second.join();
  EXPECT_EQ(value("slow"), "1");
  EXPECT_EQ(files_of(slow), 3u);
  catalog_.reset();  // before its warehouse
}

// While the files of a table are being written it is in no listing yet: what it is in must stay all the same.
TEST_F(SqliteCatalogTest, WhatATableThatIsBeingMadeNeedsStays) {
  StallingWarehouse warehouse(*warehouse_);
  catalog_.reset();
  catalog_ = open_sqlite_catalog(directory_ + "/catalog.db", warehouse, clock_).take();
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  ASSERT_TRUE(catalog_->create_namespace({"other"}, {}).ok());
  const LoadedTable around = create("around");
  NewTable within = draft("within");
  within.table.space = {"other"};
  within.draft.location = around.metadata->location + "/slow-one";
  warehouse.stalls = true;
  std::thread maker([&] { EXPECT_EQ(catalog_->create_table(within).status().message(), "Namespace does not exist: other"); });
  warehouse.stalled.wait();
  EXPECT_EQ(catalog_->drop_table({{"risk"}, "around"}, true).code(), Code::kInvalidArgument);
  EXPECT_TRUE(catalog_->drop_namespace({"other"}).ok());  // of which nobody knew that it would be in it
  warehouse.go_on.count_down();
  maker.join();
  EXPECT_TRUE(catalog_->drop_table({{"risk"}, "around"}, true).ok());
  EXPECT_EQ(catalog_->list_tables({"risk"}, {}).value().items.size(), 0u);
  catalog_.reset();
}

TEST_F(SqliteCatalogTest, ATransactionHappensInAllTablesOrNone) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const LoadedTable a = create("a");
  create("b");
  EXPECT_TRUE(catalog_->commit_transaction({set("a", "1"), set("b", "1")}).ok());
  const Status failed = catalog_->commit_transaction({set("a", "2"), set("b", "2", {AssertCurrentSchemaId{7}})});
  EXPECT_EQ(failed.code(), Code::kFailedPrecondition);
  EXPECT_EQ(value("a") + value("b"), "11");
  EXPECT_EQ(catalog_->commit_transaction({set("a", "2"), set("c", "2")}).message(), "Table does not exist: risk.c");
  EXPECT_EQ(catalog_->commit_transaction({set("a", "2"), set("a", "3")}).message(),
            "table risk.a stands twice in the transaction");
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(files_of(a), 2u);
}

TEST_F(SqliteCatalogTest, WhenTheDiskIsFullNothingHappenedAndNothingIsLeft) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const LoadedTable a = create("a");
  create("b");
  disk_.refuse_after(1);  // the file of the first table is written, that of the second is not
  EXPECT_EQ(catalog_->commit_transaction({set("a", "1"), set("b", "1")}).code(), Code::kResourceExhausted);
  EXPECT_EQ(value("a") + value("b"), "nonenone");
  EXPECT_EQ(files_of(a), 1u);
  disk_.refuse_after(2);
  EXPECT_TRUE(catalog_->commit_transaction({set("a", "1"), set("b", "1")}).ok());
  EXPECT_EQ(value("a") + value("b"), "11");
}

TEST_F(SqliteCatalogTest, AStagedTableIsMadeByItsCommit) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  NewTable staged = draft("t");
  staged.staged = true;
  const LoadedTable table = catalog_->create_table(staged).take();
  EXPECT_EQ(table.metadata_location, "");
  EXPECT_EQ(value("t"), "Table does not exist: risk.t");
  const TableMetadata& metadata = *table.metadata;
  const TableCommit commit{{{"risk"}, "t"},
                           {AssertCreate{}},
                           {AssignUuid{metadata.table_uuid}, AddSchema{metadata.current_schema()}, SetCurrentSchema{},
                            AddPartitionSpec{metadata.default_spec()}, SetDefaultSpec{}, AddSortOrder{metadata.default_sort_order()},
                            SetDefaultSortOrder{}, SetLocation{metadata.location}}};
  ASSERT_TRUE(catalog_->commit_table(commit).ok());
  EXPECT_EQ(catalog_->commit_table(commit).status().message(), "Requirement failed: table already exists");
  EXPECT_EQ(catalog_->load_table({{"risk"}, "t"}).value().metadata->table_uuid, metadata.table_uuid);
}

TEST_F(SqliteCatalogTest, TablesAreRenamedDroppedAndRegisteredAgain) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const LoadedTable table = create("t");
  create("u");
  EXPECT_EQ(catalog_->rename_table({{"risk"}, "t"}, {{"risk"}, "u"}).code(), Code::kAlreadyExists);
  EXPECT_EQ(catalog_->rename_table({{"risk"}, "t"}, {{"none"}, "u"}).code(), Code::kFailedPrecondition);
  EXPECT_EQ(catalog_->rename_table({{"risk"}, "x"}, {{"risk"}, "y"}).code(), Code::kNotFound);
  ASSERT_TRUE(catalog_->rename_table({{"risk"}, "t"}, {{"risk"}, "v"}).ok());
  EXPECT_EQ(value("v"), "none");
  EXPECT_NE(create("t").metadata->location, table.metadata->location);
  ASSERT_TRUE(catalog_->drop_table({{"risk"}, "v"}, false).ok());
  EXPECT_EQ(catalog_->drop_table({{"risk"}, "v"}, false).message(), "Table does not exist: risk.v");
  const Result<LoadedTable> again = catalog_->register_table({{"risk"}, "w"}, table.metadata_location, false);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again.value().metadata->table_uuid, table.metadata->table_uuid);
  EXPECT_EQ(catalog_->register_table({{"risk"}, "u"}, table.metadata_location, false).status().code(), Code::kAlreadyExists);
  EXPECT_TRUE(catalog_->register_table({{"risk"}, "u"}, table.metadata_location, true).ok());
  EXPECT_EQ(catalog_->register_table({{"risk"}, "z"}, warehouse_->root() + "/none.json", false).status().code(), Code::kOutOfRange);
}

TEST_F(SqliteCatalogTest, PurgeRemovesATablesFilesAndNoOthers) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const LoadedTable table = create("t");
  const std::string folder = table.metadata->location.substr(7);
  ASSERT_TRUE(catalog_->register_table({{"risk"}, "twin"}, table.metadata_location, false).ok());
  EXPECT_EQ(catalog_->drop_table({{"risk"}, "t"}, true).message(),
            "Cannot purge risk.t: table risk.twin has files in the same folder; drop it without purge");
  ASSERT_TRUE(catalog_->drop_table({{"risk"}, "twin"}, false).ok());
  EXPECT_TRUE(fs::exists(folder));
  ASSERT_TRUE(catalog_->drop_table({{"risk"}, "t"}, true).ok());
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(SqliteCatalogTest, WhatADeathInMakingATableLeavesGoesAtTheNextStart) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  NewTable placed = draft("t");
  placed.draft.location = warehouse_->root() + "/risk/chosen";
  for (const NewTable& table : {draft("t"), placed}) {
    for (const char* point : {"in_file:1", "after_file:1", "before_pointers:1", "in_pointers:1"}) {
      catalog_.reset();
      const auto die = [&] {
        FolderWarehouse warehouse(disk_, directory_ + "/warehouse");
        const bool armed = warehouse.crash_at(point).ok();
        auto catalog = open_sqlite_catalog(directory_ + "/catalog.db", warehouse, clock_, point).take();
        std::exit(armed && catalog->create_table(table).ok() ? 0 : 1);
      };
      EXPECT_EXIT(die(), testing::KilledBySignal(SIGKILL), "") << point;
      reopen();
      EXPECT_GE(things(), 3u) << point;  // the table's folder, its metadata's, and the file
      ASSERT_TRUE(catalog_->remove_unfinished().ok());
      // A folder that the client chose may hold what the client put there.
      EXPECT_EQ(things(), table.draft.location.empty() ? 0u : 2u) << point;
    }
  }
  EXPECT_EQ(files_of(create("t")), 1u);
  ASSERT_TRUE(catalog_->remove_unfinished().ok());
  EXPECT_EQ(value("t"), "none");
}

TEST_F(SqliteCatalogTest, WhatCouldNotBeRemovedGoesBeforeAnotherTableOfThatName) {
  StallingWarehouse warehouse(*warehouse_);
  catalog_.reset();
  catalog_ = open_sqlite_catalog(directory_ + "/catalog.db", warehouse, clock_).take();
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  create("t");
  warehouse.keeps = true;
  ASSERT_TRUE(catalog_->drop_table({{"risk"}, "t"}, true).ok());  // the table is gone, its files are not
  EXPECT_EQ(things(), 3u);
  EXPECT_EQ(catalog_->create_table(draft("t")).status().code(), Code::kIo);
  EXPECT_EQ(catalog_->remove_unfinished().code(), Code::kIo);
  create("other");
  warehouse.keeps = false;
  create("t");
  EXPECT_EQ(things(), 6u);
  catalog_.reset();
}

TEST_F(SqliteCatalogTest, WhatBecameATablesIsNotRemoved) {
  StallingWarehouse warehouse(*warehouse_);
  catalog_.reset();
  catalog_ = open_sqlite_catalog(directory_ + "/catalog.db", warehouse, clock_).take();
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const LoadedTable table = create("t");
  warehouse.keeps = true;
  ASSERT_TRUE(catalog_->drop_table({{"risk"}, "t"}, true).ok());
  ASSERT_TRUE(catalog_->register_table({{"risk"}, "back"}, table.metadata_location, false).ok());
  warehouse.keeps = false;
  ASSERT_TRUE(catalog_->remove_unfinished().ok());
  EXPECT_EQ(value("back"), "none");
  ASSERT_TRUE(catalog_->drop_table({{"risk"}, "back"}, false).ok());
  ASSERT_TRUE(catalog_->remove_unfinished().ok());  // it was forgotten, and is whoever's who has dropped it
  EXPECT_EQ(things(), 3u);
  catalog_.reset();
}

TEST_F(SqliteCatalogTest, LocationsOutsideOfTheWarehouseAreRefused) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  for (const std::string& location : {std::string("file:///etc"), std::string("/etc"), std::string("s3://b/t"), warehouse_->root(),
                                      warehouse_->root() + "/../x", std::string("file://host/w"), directory_ + "/warehouse2/t"}) {
    NewTable table = draft("t");
    table.draft.location = location;
    EXPECT_EQ(catalog_->create_table(table).status().code(), Code::kInvalidArgument) << location;
  }
  create("t");
  EXPECT_EQ(catalog_->commit_table({{{"risk"}, "t"}, {}, {SetLocation{"file:///etc"}}}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(catalog_->commit_table({{{"risk"}, "t"}, {}, {SetProperties{{{"write.metadata.path", "/etc"}}}}}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(catalog_->register_table({{"risk"}, "p"}, "/etc/passwd", false).status().code(), Code::kInvalidArgument);
  NewTable table = draft("u");
  table.draft.location = directory_ + "/warehouse/mine/u/";
  EXPECT_TRUE(catalog_->create_table(table).ok());
}

TEST_F(SqliteCatalogTest, ListingsComeInPages) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  for (const char* name : {"e", "a", "c", "b", "d"}) create(name);
  std::string names;
  PageRequest request{"", 2};
  do {
    const Page<TableName> page = catalog_->list_tables({"risk"}, request).take();
    for (const TableName& table : page.items) names += table.name;
    names += "|";
    request.after = page.next;
  } while (!request.after.empty());
  EXPECT_EQ(names, "ab|cd|e|");
  EXPECT_EQ(catalog_->list_tables({"risk"}, {}).value().items.size(), 5u);
}

TEST_F(SqliteCatalogTest, OldMetadataGoesWhenTheTableWishesSo) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  create("t");
  const SetProperties keep_two{{{kMetadataLogLength, "2"}, {kRemoveOldMetadata, "true"}}};
  ASSERT_TRUE(catalog_->commit_table({{{"risk"}, "t"}, {}, {keep_two}}).ok());
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(catalog_->commit_table(set("t", std::to_string(i))).ok());
  EXPECT_EQ(files_of(catalog_->load_table({{"risk"}, "t"}).value()), 3u);  // the current one and two before it
}

TEST_F(SqliteCatalogTest, ADatabaseThatIsInUseDamagedOrNewerIsRefused) {
  EXPECT_EQ(open_sqlite_catalog(directory_ + "/catalog.db", *warehouse_, clock_).status().message(),
            directory_ + "/catalog.db is in use by another process");
  std::ofstream(directory_ + "/bad.db") << std::string(4'096, 'x');
  EXPECT_EQ(open_sqlite_catalog(directory_ + "/bad.db", *warehouse_, clock_).status().code(), Code::kDataLoss);
  catalog_.reset();
  {  // the version's place in the file: SQLite's file format, header, offset 60
    std::fstream file(directory_ + "/catalog.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(63);
    file.put(9);
  }
  EXPECT_EQ(open_sqlite_catalog(directory_ + "/catalog.db", *warehouse_, clock_).status().code(), Code::kUnsupported);
}

TEST_F(SqliteCatalogTest, AMissingOrDamagedMetadataFileIsDataLoss) {
  ASSERT_TRUE(catalog_->create_namespace({"risk"}, {}).ok());
  const std::string path = create("t").metadata_location.substr(7);
  reopen();  // nothing is in memory
  std::ofstream(path, std::ios::trunc) << "{\"format-version\":2";
  EXPECT_EQ(catalog_->load_table({{"risk"}, "t"}).status().code(), Code::kDataLoss);
  fs::remove(path);
  EXPECT_EQ(catalog_->load_table({{"risk"}, "t"}).status().message(), "Failed to open input stream for file: file://" + path);
  EXPECT_EQ(catalog_->commit_table(set("t", "1")).status().code(), Code::kOutOfRange);
  EXPECT_TRUE(catalog_->drop_table({{"risk"}, "t"}, false).ok());
}

}  // namespace
}  // namespace halocline::iceberg
