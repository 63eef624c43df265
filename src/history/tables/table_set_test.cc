#include "history/tables/table_set.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "history/catalog/sqlite_catalog.h"
#include "history/parquet/parquet_columns.h"
#include "history/tables/append_table.h"

namespace halocline {
namespace {

using namespace iceberg;

// "fills", with as many of the columns seq, venue and liquidity as a program of its time knew.
TableDefinition fills(std::size_t columns) {
  TableDefinition table;
  table.name = "fills";
  table.sorted_by = {1};
  table.schema.fields = {required(1, "seq", primitive(TypeKind::kLong)), required(2, "venue", primitive(TypeKind::kString)),
                         optional(3, "liquidity", primitive(TypeKind::kString))};
  table.schema.fields.resize(columns);
  return table;
}

class TableSetTest : public testing::Test {
 protected:
  TableSetTest() {
    char name[] = "/tmp/halocline-table-set-XXXXXX";
    directory_ = mkdtemp(name);
    warehouse_ = std::make_unique<FolderWarehouse>(disk_, directory_ + "/warehouse");
    Result<std::unique_ptr<TableCatalog>> opened = open_sqlite_catalog(directory_ + "/catalog.db", *warehouse_, clock_);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    catalog_ = opened.take();
  }
  ~TableSetTest() override {
    tables_.reset(), catalog_.reset();
    std::filesystem::remove_all(directory_);
  }

  // As a program that knows so many columns.
  Status open(std::size_t columns) {
    fills_ = std::make_unique<AppendTable>(fills(columns));
    tables_ = std::make_unique<TableSet>(*catalog_, *warehouse_, clock_, TableSetOptions{"halocline", 2, "journal"});
    tables_->add(*fills_);
    return tables_->open();
  }
  void commit(Seq seq, std::size_t columns) {
    ParquetRows& row = fills_->row(0);
    row.number(0, static_cast<std::int64_t>(seq));
    if (columns > 1) row.text(1, "venue");
    if (columns > 2) row.text(2, "maker");
    ASSERT_TRUE(fills_->end_row().ok());
    ASSERT_TRUE(tables_->begin({seq, "digest", "chain", "root", "head"}).ok());
    const Status finished = tables_->finish();
    ASSERT_TRUE(finished.ok()) << finished.message();
  }
  LoadedTable load() { return catalog_->load_table({{"halocline"}, "fills"}).take(); }
  // Another engine's change of the schema.
  void set_schema(const Schema& schema) {
    ASSERT_TRUE(catalog_->commit_table({{{"halocline"}, "fills"}, {}, {AddSchema{schema}, SetCurrentSchema{}}}).ok());
  }

  PosixDisk disk_;
  ManualClock clock_{1'764'115'200'000'000'000};
  std::string directory_;
  std::unique_ptr<FolderWarehouse> warehouse_;
  std::unique_ptr<TableCatalog> catalog_;
  std::unique_ptr<AppendTable> fills_;
  std::unique_ptr<TableSet> tables_;
};

TEST_F(TableSetTest, ATableGrowsByTheColumnsItLacks) {
  ASSERT_TRUE(open(1).ok());
  commit(1, 1);
  ASSERT_TRUE(open(3).ok());
  const Schema grown = load().metadata->current_schema();
  ASSERT_EQ(grown.fields.size(), 3u);
  EXPECT_TRUE(grown.find(1)->required);
  EXPECT_FALSE(grown.find(2)->required);  // the first row has no venue
  EXPECT_EQ(grown.find(3)->name, "liquidity");
  EXPECT_NE(load().metadata->property("schema.name-mapping.default", "").find("liquidity"), std::string::npos);
  commit(2, 3);
  EXPECT_EQ(load().metadata->current_snapshot()->schema_id, load().metadata->current_schema_id);
  EXPECT_EQ(load().metadata->current_snapshot()->summary.at("total-records"), "2");
  ASSERT_TRUE(open(3).ok());
  EXPECT_EQ(load().metadata->schemas.size(), 2u);  // once is enough
}

TEST_F(TableSetTest, AnOlderProgramWritesWhatItKnows) {
  ASSERT_TRUE(open(3).ok());
  commit(1, 3);
  Schema lax = load().metadata->current_schema();
  lax.fields[1].required = false;
  set_schema(lax);
  ASSERT_TRUE(open(1).ok());
  commit(2, 1);
  EXPECT_EQ(load().metadata->current_schema().fields.size(), 3u);
  EXPECT_EQ(load().metadata->current_snapshot()->summary.at("total-records"), "2");
}

TEST_F(TableSetTest, AColumnThatWasDroppedComesBack) {
  ASSERT_TRUE(open(3).ok());
  commit(1, 3);
  Schema cut = load().metadata->current_schema();
  cut.fields.pop_back();
  set_schema(cut);
  ASSERT_TRUE(open(3).ok());
  EXPECT_EQ(load().metadata->current_schema().find(3)->name, "liquidity");
  commit(2, 3);
}

TEST_F(TableSetTest, AnotherColumnUnderTheIdIsRefused) {
  ASSERT_TRUE(open(2).ok());
  commit(1, 2);
  Schema wide = load().metadata->current_schema();
  wide.fields.push_back(optional(3, "comment", primitive(TypeKind::kLong)));
  set_schema(wide);
  const Status refused = open(3);
  EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
  EXPECT_NE(refused.message().find("\"comment\""), std::string::npos) << refused.message();
  EXPECT_TRUE(open(2).ok());
}

}  // namespace
}  // namespace halocline
