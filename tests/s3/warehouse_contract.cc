// What src/history/warehouse.h promises, by a warehouse in a real S3, which the AWS_… variables name: s3_test.py runs it on a MinIO.
//
//   AWS_ENDPOINT_URL=http://127.0.0.1:9000 AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… warehouse_contract s3://bucket/prefix

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "history/catalog/sqlite_catalog.h"
#include "history/iceberg/schema.h"
#include "history/maintenance/orphans.h"
#include "history/s3/s3_warehouse.h"

namespace halocline {
namespace {

using namespace iceberg;

constexpr std::size_t kAny = 1u << 30;
constexpr int kMoreThanAPage = 1'050;  // S3 lists a thousand at a time
std::string place;                     // of the command line

class WarehouseContract : public testing::Test {
 protected:
  WarehouseContract() : warehouse_(open_warehouse(disk_, place + "/" + random_uuid(), {}).take()) {}

  std::string at(const std::string& name) const { return warehouse_->root() + "/" + name; }
  std::vector<std::string> listed(const std::string& name) const {
    std::vector<std::string> locations;
    for (WarehouseFile& file : warehouse_->list(at(name)).take()) locations.push_back(std::move(file.location));
    std::sort(locations.begin(), locations.end());
    return locations;
  }
  // So many small files below `folder`, by several hands.
  void fill(const std::string& folder, int files) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([this, folder, files, thread] {
        for (int i = thread; i < files; i += 8) ASSERT_TRUE(warehouse_->write(folder + "/" + std::to_string(i), "x").ok());
      });
    }
    for (std::thread& one : threads) one.join();
  }

  PosixDisk disk_;
  SystemClock clock_;
  std::unique_ptr<Warehouse> warehouse_;
};

TEST_F(WarehouseContract, AFileIsWrittenOnceAndRead) {
  const std::string name = at("t/data/day=2026-11-26/a b+c%.parquet");
  EXPECT_FALSE(warehouse_->exists(name).value());
  EXPECT_EQ(warehouse_->read(name, kAny).status().code(), Code::kNotFound);
  const Nanos before = clock_.wall();
  ASSERT_TRUE(warehouse_->write(name, "bytes").ok());
  EXPECT_TRUE(warehouse_->exists(name).value());
  EXPECT_EQ(warehouse_->read(name, kAny).value(), "bytes");
  EXPECT_EQ(warehouse_->read(name, 4).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(warehouse_->write(name, "others").code(), Code::kAlreadyExists);
  EXPECT_EQ(warehouse_->read(name, kAny).value(), "bytes");
  const std::vector<WarehouseFile> files = warehouse_->list(at("t")).value();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].location, name);
  EXPECT_GT(files[0].written, before - 60'000'000'000);  // by another's clock, of this machine
  EXPECT_TRUE(warehouse_->remove(name).ok());
  EXPECT_TRUE(warehouse_->remove(name).ok());
  EXPECT_FALSE(warehouse_->exists(name).value());
  EXPECT_EQ(listed("t"), std::vector<std::string>());
}

TEST_F(WarehouseContract, FilesOfAnySizeComeBackAsTheyWere) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{12} << 20, (std::size_t{25} << 20) + 7}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2'654'435'761u >> 13);
    const std::string name = at("sizes/" + std::to_string(size));
    ASSERT_TRUE(warehouse_->write(name, bytes).ok());
    EXPECT_TRUE(warehouse_->read(name, kAny).value() == bytes) << size;
  }
}

TEST_F(WarehouseContract, AFolderIsNoFile) {
  ASSERT_TRUE(warehouse_->write(at("t/a/b"), "x").ok());
  EXPECT_FALSE(warehouse_->exists(at("t/a")).value());
  EXPECT_EQ(warehouse_->read(at("t/a"), kAny).status().code(), Code::kNotFound);
  EXPECT_EQ(listed("nothing"), std::vector<std::string>());
  ASSERT_TRUE(warehouse_->write(at("t/ab"), "y").ok());
  EXPECT_EQ(listed("t/a"), std::vector<std::string>{at("t/a/b")});  // and nothing that only begins alike
  EXPECT_TRUE(warehouse_->remove_all(at("t/a")).ok());
  EXPECT_TRUE(warehouse_->remove_all(at("t/a")).ok());
  EXPECT_EQ(listed("t"), std::vector<std::string>{at("t/ab")});
}

TEST_F(WarehouseContract, AListingHasAllPages) {
  fill(at("many"), kMoreThanAPage);
  EXPECT_EQ(listed("many").size(), static_cast<std::size_t>(kMoreThanAPage));
  EXPECT_TRUE(warehouse_->remove_all(at("many")).ok());
  EXPECT_EQ(listed("many"), std::vector<std::string>());
}

// As the history's upkeep removes them, when they are of a time that is over; on an S3 nothing can be made to look old.
TEST_F(WarehouseContract, OrphansGoAndWhatATableNamesStays) {
  const std::unique_ptr<TableCatalog> catalog = open_sqlite_catalog(":memory:", *warehouse_, clock_).take();
  ASSERT_TRUE(catalog->create_namespace({"halocline"}, {}).ok());
  NewTable table;
  table.table = {{"halocline"}, "t"};
  table.draft.schema.fields = {required(1, "seq", primitive(TypeKind::kLong))};
  table.draft.properties["format-version"] = "2";
  const LoadedTable made = catalog->create_table(table).take();
  const std::string folder = made.metadata->location;
  fill(folder + "/data", kMoreThanAPage);
  EXPECT_EQ(remove_orphans(*warehouse_, made, clock_.wall() - 3'600'000'000'000).value(), 0u);  // they may be of a commit under way
  EXPECT_EQ(remove_orphans(*warehouse_, made, clock_.wall() + 3'600'000'000'000).value(), static_cast<std::size_t>(kMoreThanAPage));
  const std::vector<WarehouseFile> left = warehouse_->list(folder).value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].location, made.metadata_location);
  EXPECT_TRUE(catalog->load_table(table.table).ok());
  EXPECT_TRUE(catalog->drop_table(table.table, true).ok());
  EXPECT_EQ(warehouse_->list(folder).value().size(), 0u);
}

TEST_F(WarehouseContract, FailuresSayWhatAndWhy) {
  const std::unique_ptr<Warehouse> nowhere = open_warehouse(disk_, "s3://no-such-bucket-here/x", {}).take();
  const Status status = nowhere->write(nowhere->root() + "/a", "x");
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_NE(status.message().find("s3://no-such-bucket-here/x/a"), std::string::npos) << status.message();
  const std::unique_ptr<Warehouse> stranger = open_warehouse(disk_, place, {.credentials = {"nobody", "very-secret", ""}}).take();
  const Status refused = stranger->write(place + "/a", "x");
  EXPECT_EQ(refused.code(), Code::kIo);
  EXPECT_EQ(refused.message().find("very-secret"), std::string::npos) << refused.message();
}

}  // namespace
}  // namespace halocline

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2 || !halocline::is_s3(argv[1])) return std::fprintf(stderr, "warehouse_contract s3://bucket/prefix\n"), 2;
  halocline::place = argv[1];
  halocline::PosixDisk disk;
  const auto first = halocline::open_warehouse(disk, argv[1], {});  // that it is not the last one that a test ends with
  if (!first.ok()) return std::fprintf(stderr, "%s\n", first.status().message().c_str()), 2;
  return RUN_ALL_TESTS();
}
