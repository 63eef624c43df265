#include "history/iceberg/manifest.h"

#include <gtest/gtest.h>

#include "history/iceberg/manifest_list.h"
#include "history/iceberg/single_value.h"

namespace halocline::iceberg {
namespace {

Schema schema() {
  Schema schema;
  schema.fields = {required(1, "id", primitive(TypeKind::kLong)), optional(2, "at", primitive(TypeKind::kTimestamptz)),
                   optional(3, "amount", decimal(20, 8))};
  return schema;
}

PartitionSpec spec() { return {3, {{2, 1000, "at day", {"day"}}, {3, 1001, "amount", {"identity"}}}}; }

std::string fixed_nine(std::int64_t value) {  // decimal(20, 8) takes nine bytes
  std::string bytes(9, value < 0 ? '\xff' : '\0');
  for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(8 - i)] = static_cast<char>(value >> (8 * i));
  return bytes;
}

DataFile file(int number) {
  DataFile file;
  file.path = "file:///w/t/data/" + std::to_string(number) + ".parquet";
  file.partition = {avro::Value(20'000 + number), avro::Value(fixed_nine(number - 2))};
  file.record_count = 10 * number;
  file.file_size = 1'000 + number;
  file.column_sizes = {{1, 100}, {2, 200}};
  file.value_counts = {{1, 10 * number}};
  file.null_value_counts = {{1, 0}, {2, 3}};
  file.lower_bounds = {{1, long_bytes(-5)}};
  file.upper_bounds = {{1, long_bytes(number)}};
  file.split_offsets = {4, 5'000'000'000};
  file.sort_order_id = 1;
  return file;
}

class ManifestTest : public testing::TestWithParam<int> {
 protected:
  const Schema schema_ = schema();
  const PartitionSpec spec_ = spec();
  ManifestLayout layout(bool deletes = false) const { return {GetParam(), deletes, &schema_, &spec_}; }
};

TEST_P(ManifestTest, AddedFilesInheritTheirNumbers) {
  const std::vector<ManifestEntry> entries = {{EntryStatus::kAdded, 77, {}, {}, file(1)}, {EntryStatus::kAdded, {}, {}, {}, file(2)}};
  ManifestFile manifest = describe_manifest(entries, layout());
  EXPECT_EQ(manifest.added_files, 2);
  EXPECT_EQ(manifest.added_rows, 30);
  EXPECT_EQ(manifest.spec_id, 3);
  ASSERT_EQ(manifest.partitions.size(), 2u);
  EXPECT_EQ(manifest.partitions[0].lower, int_bytes(20'001));
  EXPECT_EQ(manifest.partitions[0].upper, int_bytes(20'002));
  EXPECT_EQ(manifest.partitions[1].lower, "\xff");  // -1 before 0, although its bytes are not
  EXPECT_EQ(manifest.partitions[1].upper, std::string(1, '\0'));
  manifest.sequence_number = 9;
  manifest.added_snapshot_id = 55;
  if (GetParam() >= 3) manifest.first_row_id = 1'000;
  const Result<std::vector<ManifestEntry>> read = read_manifest(manifest_bytes(entries, layout()), manifest);
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read.value().size(), 2u);
  for (int i = 0; i < 2; ++i) {
    const ManifestEntry& entry = read.value()[static_cast<std::size_t>(i)];
    const DataFile expected = file(i + 1);
    EXPECT_EQ(entry.snapshot_id, i == 0 ? 77 : 55);
    EXPECT_EQ(entry.sequence_number, 9);
    EXPECT_EQ(entry.file_sequence_number, 9);
    EXPECT_EQ(entry.file.path, expected.path);
    EXPECT_EQ(entry.file.partition, expected.partition);
    EXPECT_EQ(entry.file.record_count, expected.record_count);
    EXPECT_EQ(entry.file.file_size, expected.file_size);
    EXPECT_EQ(entry.file.column_sizes, expected.column_sizes);
    EXPECT_EQ(entry.file.value_counts, expected.value_counts);
    EXPECT_EQ(entry.file.null_value_counts, expected.null_value_counts);
    EXPECT_TRUE(entry.file.nan_value_counts.empty());
    EXPECT_EQ(entry.file.lower_bounds, expected.lower_bounds);
    EXPECT_EQ(entry.file.upper_bounds, expected.upper_bounds);
    EXPECT_EQ(entry.file.split_offsets, expected.split_offsets);
    EXPECT_EQ(entry.file.sort_order_id, 1);
    EXPECT_EQ(entry.file.first_row_id, GetParam() < 3 ? std::nullopt : std::optional<std::int64_t>(i == 0 ? 1'000 : 1'010));
  }
}

TEST_P(ManifestTest, ExistingFilesKeepTheirNumbers) {
  ManifestEntry entry{EntryStatus::kExisting, 5, 2, 3, file(1)};
  entry.file.content = FileContent::kPositionDeletes;
  entry.file.partition = {avro::Value(), avro::Value()};
  entry.file.referenced_data_file = "file:///w/t/data/0.parquet";
  const ManifestFile manifest = describe_manifest(std::vector{entry}, layout(true));
  EXPECT_TRUE(manifest.deletes);
  EXPECT_EQ(manifest.existing_files, 1);
  EXPECT_TRUE(manifest.partitions[0].contains_null);
  EXPECT_FALSE(manifest.partitions[0].lower.has_value());
  const Result<std::vector<ManifestEntry>> read = read_manifest(manifest_bytes(std::vector{entry}, layout(true)), manifest);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read.value()[0].sequence_number, 2);
  EXPECT_EQ(read.value()[0].file_sequence_number, 3);
  EXPECT_EQ(read.value()[0].file.content, FileContent::kPositionDeletes);
  EXPECT_EQ(read.value()[0].file.referenced_data_file, entry.file.referenced_data_file);
}

TEST_P(ManifestTest, ListsAreReadAgain) {
  Snapshot snapshot;
  snapshot.snapshot_id = 4;
  snapshot.sequence_number = 6;
  std::vector<ManifestFile> manifests;
  for (int i = 0; i < 3; ++i) {
    ManifestFile manifest = describe_manifest(std::vector<ManifestEntry>{{EntryStatus::kAdded, 4, {}, {}, file(i)}}, layout(i == 2));
    manifest.path = "file:///w/t/metadata/" + std::to_string(i) + ".avro";
    manifest.length = 3'000 + i;
    manifest.sequence_number = 6;
    manifest.min_sequence_number = i;
    manifest.added_snapshot_id = 4;
    if (GetParam() >= 3 && i < 2) manifest.first_row_id = i * 100;
    manifests.push_back(manifest);
  }
  const Result<std::vector<ManifestFile>> read = read_manifest_list(manifest_list_bytes(manifests, snapshot, GetParam()));
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read.value().size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const ManifestFile &a = read.value()[i], &b = manifests[i];
    EXPECT_EQ(a.path, b.path);
    EXPECT_EQ(a.length, b.length);
    EXPECT_EQ(a.deletes, i == 2);
    EXPECT_EQ(a.min_sequence_number, b.min_sequence_number);
    EXPECT_EQ(a.added_rows, b.added_rows);
    EXPECT_EQ(a.first_row_id, b.first_row_id);
    ASSERT_EQ(a.partitions.size(), 2u);
    EXPECT_EQ(a.partitions[0].lower, b.partitions[0].lower);
    EXPECT_EQ(a.partitions[0].contains_nan, false);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, ManifestTest, testing::Values(2, 3));

TEST(SingleValue, DecimalsTakeTheFewestBytes) {
  EXPECT_EQ(decimal_bytes(0), std::string(1, '\0'));
  EXPECT_EQ(decimal_bytes(-1), "\xff");
  EXPECT_EQ(decimal_bytes(127), "\x7f");
  EXPECT_EQ(decimal_bytes(128), std::string("\x00\x80", 2));
  EXPECT_EQ(decimal_bytes(-128), "\x80");
  EXPECT_EQ(decimal_bytes(-129), "\xff\x7f");
  EXPECT_EQ(decimal_bytes(1420), "\x05\x8c");  // 14.20, an example of the specification's
}

TEST(SingleValue, BoundsOfTextsAreShortAndHold) {
  const std::string long_text = "abcdefghijklmnopqrst";
  EXPECT_EQ(lower_text_bound(long_text), "abcdefghijklmnop");
  EXPECT_EQ(upper_text_bound(long_text), "abcdefghijklmnoq");
  EXPECT_EQ(upper_text_bound("short"), "short");
  const std::string high = std::string(15, 'a') + "\xC3\xA9" + "more";  // é raised away: the character before it is
  EXPECT_EQ(lower_text_bound(high), std::string(15, 'a') + "\xC3\xA9");
  EXPECT_EQ(upper_text_bound(high), std::string(14, 'a') + "b");
  std::string accents;
  for (int i = 0; i < 20; ++i) accents += "\xC3\xA9";
  EXPECT_EQ(upper_text_bound(accents), std::nullopt);
}

}  // namespace
}  // namespace halocline::iceberg
