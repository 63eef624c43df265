#include "history/iceberg/manifest_packing.h"

#include <gtest/gtest.h>

#include <utility>

#include "history/iceberg/single_value.h"

namespace halocline::iceberg {
namespace {

using Bins = std::vector<std::vector<std::size_t>>;

TEST(ManifestPacking, TheNewestWaitUntilTheyAreMany) {
  const ManifestSizes sizes{1'000, 4, true};
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{}, sizes), Bins());
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{10, 10, 10}, sizes), Bins());
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{10, 10, 10, 10}, sizes), (Bins{{0, 1, 2, 3}}));
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{10, 10, 10, 700}, sizes), (Bins{{0, 1, 2, 3}}));
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{10, 10, 10, 10}, {1'000, 4, false}), Bins());
}

TEST(ManifestPacking, NoneGrowsBeyondTheTarget) {
  const ManifestSizes sizes{1'000, 3, true};
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{10, 10, 1'000, 5'000}, sizes), Bins());  // full, or larger: left alone
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{400, 400, 400, 400, 400}, sizes), (Bins{{3, 4}, {1, 2}}));
  EXPECT_EQ(bins_to_merge(std::vector<std::int64_t>{10, 10, 991, 600, 400}, sizes), (Bins{{3, 4}}));  // the newest go on waiting
}

// Of one that grows by small ones, each entry is written about as often as the bin takes to fill.
TEST(ManifestPacking, OverManyCommitsTheyStayFew) {
  const ManifestSizes sizes{100'000, 32, true};
  std::vector<std::int64_t> lengths;
  std::int64_t written = 0;
  constexpr int kCommits = 10'000;
  for (int i = 0; i < kCommits; ++i) {
    for (const std::vector<std::size_t>& bin : bins_to_merge(lengths, sizes)) {
      std::int64_t sum = 0;
      for (const std::size_t one : bin) sum += std::exchange(lengths[one], 0);
      ASSERT_LE(sum, sizes.target_bytes);
      lengths[bin.front()] = sum;
      written += sum;
    }
    std::erase(lengths, 0);
    lengths.insert(lengths.begin(), 500);
    ASSERT_LE(lengths.size(), 32u + 1 + static_cast<std::size_t>(i) * 500 / (sizes.target_bytes / 2));
  }
  EXPECT_LE(written / kCommits / 500, sizes.target_bytes / 500 / 32);
}

class UntidyManifests : public testing::Test {
 protected:
  UntidyManifests() {
    TableDraft draft;
    draft.location = "file:///w/t";
    draft.schema.fields = {required(1, "id", primitive(TypeKind::kLong)), required(2, "at", primitive(TypeKind::kTimestamptz))};
    draft.spec.fields = {{2, 0, "at_day", {"day"}}};
    draft.properties = {{"commit.manifest.target-size-bytes", "8000"}};
    table_ = new_table_metadata(draft, "u", 0).take();
  }
  void add(const std::string& path, std::int64_t length, std::int32_t from, std::int32_t to, std::int64_t live = 10,
           std::int64_t deleted = 0) {
    ManifestFile& one = manifests_.emplace_back();
    one.path = path, one.length = length, one.existing_files = live, one.deleted_files = deleted;
    one.partitions = {{false, {}, int_bytes(from), int_bytes(to)}};
  }
  std::set<std::string> untidy() const { return untidy_manifests(manifests_, table_); }

  TableMetadata table_;
  std::vector<ManifestFile> manifests_;
};

TEST_F(UntidyManifests, ThoseThatSpreadOverTheSamePartitions) {
  add("old", 5'000, 100, 110), add("later", 5'000, 110, 120), add("today", 5'000, 120, 120), add("today too", 5'000, 120, 120);
  EXPECT_EQ(untidy(), std::set<std::string>());  // what one ends with another may begin with
  add("across", 2'000, 105, 106);
  EXPECT_EQ(untidy(), std::set<std::string>());  // would fit into one
  add("far across", 2'000, 105, 115);
  EXPECT_EQ(untidy(), (std::set<std::string>{"old", "later", "across", "far across"}));
  manifests_.back().spec_id = 7;
  manifests_[4].partitions.clear();
  EXPECT_EQ(untidy(), std::set<std::string>());
}

TEST_F(UntidyManifests, ThoseThatMostlyListWhatIsDeleted) {
  add("half", 6'000, 100, 100, 10, 10), add("none", 6'000, 100, 100), add("nobody needs", 6'000, 100, 100, 0, 10);
  EXPECT_EQ(untidy(), std::set<std::string>());
  add("few", 1'000, 100, 100, 2, 8);
  EXPECT_EQ(untidy(), std::set<std::string>());  // not worth it
  add("more", 1'000, 100, 100, 2, 8);
  EXPECT_EQ(untidy(), (std::set<std::string>{"few", "more"}));
}

TEST_F(UntidyManifests, PropertiesThatAreNoNumbersAreAsIfNotThere) {
  EXPECT_EQ(manifest_sizes(table_).target_bytes, 8'000);
  table_.properties = {{"commit.manifest.target-size-bytes", "much"}, {"commit.manifest.min-count-to-merge", "0"},
                       {"commit.manifest-merge.enabled", "false"}};
  const ManifestSizes sizes = manifest_sizes(table_);
  EXPECT_EQ(sizes.target_bytes, 8 << 20);
  EXPECT_EQ(sizes.least_merged, 2u);
  EXPECT_FALSE(sizes.merge);
}

}  // namespace
}  // namespace halocline::iceberg
