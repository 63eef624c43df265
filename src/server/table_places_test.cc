#include "server/table_places.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace halocline {
namespace {

class TablePlacesTest : public testing::Test {
 protected:
  TablePlacesTest() {
    char name[] = "/tmp/halocline-places-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~TablePlacesTest() override { std::filesystem::remove_all(directory_); }

  PosixDisk disk_;
  std::string directory_;
};

TEST_F(TablePlacesTest, EachTableHasItsFolder) {
  TablePlaces places(disk_, {}, nullptr);
  const std::string trades = "file://" + directory_ + "/halocline/trades", prices = directory_ + "/elsewhere/prices";
  EXPECT_EQ(places.write(trades + "/data/a", "x").code(), Code::kInvalidArgument);  // not loaded yet
  ASSERT_TRUE(places.add(trades, {}).ok());
  ASSERT_TRUE(places.add(prices, {}).ok());  // a catalog that writes plain paths
  EXPECT_TRUE(places.write(trades + "/data/a", "x").ok());
  EXPECT_TRUE(places.write(prices + "/data/b", "y").ok());
  EXPECT_EQ(places.read("file:" + prices + "/data/b", 10).value(), "y");
  EXPECT_TRUE(places.exists(trades + "/data/a").value());
  EXPECT_EQ(places.canonical(prices + "/").value(), "file://" + prices);
  ASSERT_EQ(places.list(trades).value().size(), 1u);
  EXPECT_EQ(places.list(trades).value()[0].location, trades + "/data/a");
  const std::string others = directory_ + "/halocline/other/data/a";
  for (const std::string& outside : {others, trades + "2/data/a", trades + "/../other", std::string("/etc/x")}) {
    EXPECT_EQ(places.write(outside, "z").code(), Code::kInvalidArgument) << outside;
  }
  EXPECT_TRUE(places.remove(trades + "/data/a").ok());
  EXPECT_TRUE(places.remove_all(prices).ok());
  EXPECT_FALSE(places.exists(prices + "/data/b").value());
}

TEST_F(TablePlacesTest, APlaceThatCouldHoldMoreThanATableIsRefused) {
  TablePlaces places(disk_, {}, nullptr);
  for (const char* location : {"", "/", "file:///", "/srv", "file:///srv/", "relative/t", "file://host/a/b", "gs://bucket/t",
                               "s3://bucket", "s3://bucket/"}) {
    const Status refused = places.add(location, {});
    EXPECT_EQ(refused.code(), Code::kInvalidArgument) << location;
  }
}

TEST_F(TablePlacesTest, AnS3IsReachedAsTheCatalogSays) {
  TablePlaces places(disk_, {.endpoint = "http://127.0.0.1:1", .credentials = {"ours", "secret", ""}}, nullptr);
  const std::string table = "s3://books/halocline/trades";
  ASSERT_TRUE(places.add(table, {}).ok());
  EXPECT_EQ(places.canonical("s3a://books/halocline/trades/data/a").value(), table + "/data/a");
  // Other keys are taken; what is no address is told.
  EXPECT_TRUE(places.add(table, {{"s3.access-key-id", "theirs"}, {"s3.secret-access-key", "x"}, {"s3.session-token", "y"}}).ok());
  EXPECT_EQ(places.add(table, {{"s3.endpoint", "nowhere"}}).code(), Code::kInvalidArgument);
  EXPECT_EQ(places.canonical(table).value(), table);
}

}  // namespace
}  // namespace halocline
