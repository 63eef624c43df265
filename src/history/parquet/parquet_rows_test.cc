#include "history/parquet/parquet_rows.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

#include "history/iceberg/single_value.h"

namespace halocline::iceberg {
namespace {

Schema schema() {
  Schema schema;
  schema.fields = {required(1, "seq", primitive(TypeKind::kLong)),   optional(2, "name", primitive(TypeKind::kString)),
                   required(3, "amount", decimal(20, 8)),            optional(4, "at", primitive(TypeKind::kTimestamptz)),
                   required(5, "flag", primitive(TypeKind::kBoolean)), optional(6, "day", primitive(TypeKind::kDate)),
                   optional(7, "small", decimal(9, 2)),              optional(8, "unused", primitive(TypeKind::kString)),
                   required(9, "id", primitive(TypeKind::kString))};
  return schema;
}

// Row i of ours: every third name is missing, amounts go from negative to positive.
void fill(ParquetRows& rows, int i, int count) {
  rows.number(0, 1'000 + i);
  if (i % 3 == 0) rows.null(1);
  else rows.text(1, i % 3 == 1 ? "alpha" : "omega, a name with more than sixteen characters");
  rows.decimal(2, (Int128{i} - count / 2) * 300'000'000);
  rows.number(3, -5 + i);
  rows.flag(4, i % 2 == 0);
  rows.number(5, 20'000 + i);
  rows.decimal(6, i - 150);
  rows.null(7);
  rows.text(8, "id-" + std::to_string(i));
  ASSERT_TRUE(rows.end_row().ok());
}

std::shared_ptr<arrow::Table> read_back(const std::string& bytes) {
  auto source = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  auto reader = parquet::arrow::OpenFile(source, arrow::default_memory_pool());
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  auto table = (*reader)->ReadTable();
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return (*table)->CombineChunks().ValueOrDie();
}

// 300 rows in row groups of 100 (the last file takes one more), and the same again in a second file.
TEST(ParquetRows, RowsAreReadBackAndDescribed) {
  ParquetRows rows(schema(), {.distinct = {"id"}, .row_group_rows = 100});
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < 300; ++i) fill(rows, i, 300);
    EXPECT_EQ(rows.rows(), 300);
    const Result<ParquetFile> file = rows.finish();
    ASSERT_TRUE(file.ok()) << file.status().message();
    EXPECT_EQ(rows.rows(), 0);
    const DataFile& said = file.value().file;
    EXPECT_EQ(said.record_count, 300);
    EXPECT_EQ(said.file_size, static_cast<std::int64_t>(file.value().bytes.size()));
    ASSERT_EQ(said.split_offsets.size(), 3u);
    EXPECT_EQ(said.split_offsets[0], 4);
    EXPECT_LT(said.split_offsets[1], said.split_offsets[2]);
    EXPECT_EQ(said.value_counts.at(2), 300);
    EXPECT_EQ(said.null_value_counts, (ColumnCounts{{1, 0}, {2, 100}, {3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 300}, {9, 0}}));
    EXPECT_EQ(said.lower_bounds.at(1), long_bytes(1'000));
    EXPECT_EQ(said.upper_bounds.at(1), long_bytes(1'299));
    EXPECT_EQ(said.lower_bounds.at(2), "alpha");
    EXPECT_EQ(said.upper_bounds.at(2), "omega, a name wj");
    EXPECT_FALSE(said.lower_bounds.contains(3) || said.upper_bounds.contains(3));  // more than 18 digits
    EXPECT_EQ(said.lower_bounds.at(4), long_bytes(-5));
    EXPECT_EQ(said.lower_bounds.at(5), std::string(1, '\0'));
    EXPECT_EQ(said.upper_bounds.at(5), std::string(1, '\1'));
    EXPECT_EQ(said.upper_bounds.at(6), int_bytes(20'299));
    EXPECT_EQ(said.lower_bounds.at(7), decimal_bytes(-150));
    EXPECT_EQ(said.upper_bounds.at(7), decimal_bytes(149));
    EXPECT_FALSE(said.lower_bounds.contains(8));
    EXPECT_EQ(said.upper_bounds.at(9), "id-99");

    const auto table = read_back(file.value().bytes);
    ASSERT_EQ(table->num_rows(), 300);
    const auto names = std::static_pointer_cast<arrow::StringArray>(table->column(1)->chunk(0));
    const auto amounts = std::static_pointer_cast<arrow::Decimal128Array>(table->column(2)->chunk(0));
    const auto ids = std::static_pointer_cast<arrow::StringArray>(table->column(8)->chunk(0));
    for (int i = 0; i < 300; ++i) {
      EXPECT_EQ(names->IsNull(i), i % 3 == 0);
      EXPECT_TRUE(i % 3 != 1 || names->GetView(i) == "alpha");
      EXPECT_EQ(amounts->FormatValue(i), arrow::Decimal128((i - 150) * std::int64_t{300'000'000}).ToString(8));
      EXPECT_EQ(ids->GetView(i), "id-" + std::to_string(i));
    }
    auto source = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(file.value().bytes));
    const auto plain = parquet::ParquetFileReader::Open(source);
    for (int i = 0; i < 9; ++i) EXPECT_EQ(plain->metadata()->schema()->Column(i)->schema_node()->field_id(), i + 1);
    EXPECT_EQ(plain->metadata()->RowGroup(0)->ColumnChunk(0)->compression(), arrow::Compression::ZSTD);
  }
}

TEST(ParquetRows, WhatIsNoUtf8IsReplaced) {
  Schema one;
  one.fields = {required(1, "text", primitive(TypeKind::kString))};
  ParquetRows rows(one);
  rows.text(0, "a\xff"
               "b\xC3\xA9\xC3");
  ASSERT_TRUE(rows.end_row().ok());
  rows.text(0, "a\xff"
               "b\xC3\xA9\xC3");
  ASSERT_TRUE(rows.end_row().ok());
  const auto table = read_back(rows.finish().value().bytes);
  for (int row = 0; row < 2; ++row) {
    EXPECT_EQ(std::static_pointer_cast<arrow::StringArray>(table->column(0)->chunk(0))->GetString(row),
              "a\xEF\xBF\xBD"
              "b\xC3\xA9\xEF\xBF\xBD");
  }
}

// Texts of 0 to 40 bytes that differ in one byte, or in how many zeros they end with; each comes in three row groups of two files.
TEST(ParquetRows, EachTextIsTheOneThatWasGiven) {
  std::vector<std::string> texts;
  for (std::size_t size = 0; size <= 40; ++size) {
    texts.push_back(std::string(size, '\0'));
    for (std::size_t at = 0; at < size; ++at) {
      texts.push_back(std::string(size, 'x'));
      texts.back()[at] = 'y';
    }
  }
  Schema one;
  one.fields = {required(1, "text", primitive(TypeKind::kString))};
  const auto count = static_cast<std::int64_t>(texts.size());
  ParquetOptions options;
  options.row_group_rows = count;
  ParquetRows rows(one, options);
  for (int file = 0; file < 2; ++file) {
    for (std::size_t group = 0; group < 3; ++group) {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        rows.text(0, texts[(i / 2 * (group + 1) + file) % texts.size()]);  // each twice, one after the other
        ASSERT_TRUE(rows.end_row().ok());
      }
    }
    const auto table = read_back(rows.finish().value().bytes);
    ASSERT_EQ(table->num_rows(), 3 * count);
    const auto read = std::static_pointer_cast<arrow::StringArray>(table->column(0)->chunk(0));
    for (std::size_t group = 0; group < 3; ++group) {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        ASSERT_EQ(read->GetString(static_cast<std::int64_t>(group * texts.size() + i)), texts[(i / 2 * (group + 1) + file) % texts.size()]);
      }
    }
  }
}

TEST(ParquetRows, AFileWithoutRowsIsOne) {
  ParquetRows rows(schema());
  const Result<ParquetFile> file = rows.finish();
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file.value().file.record_count, 0);
  EXPECT_EQ(read_back(file.value().bytes)->num_rows(), 0);
}

// libparquet carries an OpenSSL; ours is the system's.
TEST(ParquetRows, OpensslIsTheSystems) {
  Dl_info where{};
  ASSERT_NE(dladdr(reinterpret_cast<void*>(dlsym(RTLD_DEFAULT, "EVP_DigestInit_ex")), &where), 0);
  EXPECT_NE(std::string(where.dli_fname).find("libcrypto"), std::string::npos) << where.dli_fname;
}

}  // namespace
}  // namespace halocline::iceberg
