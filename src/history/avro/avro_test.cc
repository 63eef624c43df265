#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "history/avro/codec.h"
#include "history/avro/container.h"

namespace halocline::avro {
namespace {

const char kSchema[] = R"({"type":"record","name":"all","fields":[
  {"name":"flag","type":"boolean","field-id":1}, {"name":"small","type":"int","field-id":2}, {"name":"large","type":"long","field-id":3},
  {"name":"real","type":"float"}, {"name":"wide","type":"double"}, {"name":"raw","type":"bytes"}, {"name":"text","type":"string"},
  {"name":"four","type":{"type":"fixed","name":"four","size":4}}, {"name":"again","type":"four"},
  {"name":"colour","type":{"type":"enum","name":"colour","symbols":["red","green"]}},
  {"name":"maybe","type":["null","long"],"default":null,"field-id":9},
  {"name":"list","type":{"type":"array","items":"int","element-id":10}},
  {"name":"pairs","type":["null",{"type":"map","values":"string"}]},
  {"name":"inner","type":{"type":"record","name":"inner","fields":[{"name":"x","type":"long","field-id":12}]}}]})";

using List = std::vector<Value>;

Value row(std::int64_t number) {
  Value maybe;
  if (number % 2 == 0) maybe = Value(number);
  return List{number % 3 == 0, static_cast<std::int32_t>(number), -number * 1'000'003, 0.5, -2.25, std::string("\0\xff", 2), "text",
              "abcd", "wxyz", std::int64_t{1}, maybe, List{1, 2, 3}, List{List{"k", "v"}}, List{INT64_MIN + number}};
}

std::string file_of(int rows) {
  ContainerWriter writer(kSchema, {{"content", "data"}});
  for (int i = 0; i < rows; ++i) writer.append(row(i));
  return writer.finish();
}

TEST(Avro, WhatIsWrittenIsReadAgain) {
  for (const int rows : {0, 1, 7, 5'000}) {
    const Result<Container> read = read_container(file_of(rows));
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(read.value().metadata.at("content"), "data");
    ASSERT_EQ(read.value().rows.size(), static_cast<std::size_t>(rows));
    for (int i = 0; i < rows; ++i) ASSERT_EQ(read.value().rows[static_cast<std::size_t>(i)], row(i)) << i;
  }
}

// The examples of the specification, "Binary Encoding".
TEST(Avro, BytesAreThoseOfTheSpecification) {
  const std::vector<std::pair<std::int64_t, std::string>> numbers = {
      {0, std::string(1, '\0')}, {-1, "\x01"}, {1, "\x02"}, {-2, "\x03"}, {-64, "\x7f"}, {64, "\x80\x01"}};
  for (const auto& [number, bytes] : numbers) {
    std::string out;
    encode_long(number, out);
    EXPECT_EQ(out, bytes) << number;
  }
  std::string out;
  encode_bytes("foo", out);
  EXPECT_EQ(out, "\x06"
                 "foo");
  const Result<SchemaPtr> longs = parse_schema(R"({"type":"array","items":"long"})");
  out.clear();
  encode(*longs.value(), List{std::int64_t{3}, std::int64_t{27}}, out);
  EXPECT_EQ(out, std::string("\x04\x06\x36\x00", 4));
}

TEST(Avro, FieldIdsAreKept) {
  const Result<SchemaPtr> schema = parse_schema(kSchema);
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(schema.value()->fields[0].id, 1);
  EXPECT_EQ(schema.value()->fields[3].id, -1);
}

TEST(Avro, BrokenSchemasAreRefused) {
  std::string deep = "\"int\"";
  for (int i = 0; i < 100; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  for (const std::string text : {"", "{}", "[]", R"("unknown")", R"({"type":"record","name":"r"})", R"({"type":"array"})",
                                 R"({"type":"fixed","name":"f","size":-1})", R"([["null"]])", R"({"type":"fixed","name":"f","size":1e9})",
                                 R"({"type":"record","name":"r","fields":[{"name":"self","type":"r"}]})"}) {
    EXPECT_FALSE(parse_schema(text).ok()) << text;
  }
  EXPECT_EQ(parse_schema(deep).status().code(), Code::kUnsupported);
}

TEST(Avro, AFileCutShortIsDamage) {
  const std::string file = file_of(20);
  std::size_t whole = 0;
  for (std::size_t length = 0; length < file.size(); ++length) {
    const Result<Container> read = read_container(std::string_view(file).substr(0, length));
    if (read.ok()) ++whole;  // only the header, without a block
  }
  EXPECT_EQ(whole, 1u);
}

TEST(Avro, AFlippedByteIsNoCrash) {
  const std::string file = file_of(20);
  std::mt19937_64 random(7);
  for (std::size_t at = 0; at < file.size(); ++at) {
    std::string broken = file;
    broken[at] = static_cast<char>(broken[at] ^ static_cast<char>(1 + random() % 255));
    const Result<Container> read = read_container(broken);
    EXPECT_TRUE(!read.ok() || read.value().rows.size() <= 20);
  }
}

TEST(Avro, ListsOfNothingAndEndlessCountsAreRefused) {
  const Result<SchemaPtr> nulls = parse_schema(R"({"type":"array","items":"null"})");
  std::string bytes;
  encode_long(INT64_MAX, bytes);
  EXPECT_EQ(Decoder(bytes).read(*nulls.value()).status().code(), Code::kDataLoss);
  bytes.clear();
  encode_long(INT64_MIN, bytes);
  EXPECT_EQ(Decoder(bytes).read(*nulls.value()).status().code(), Code::kDataLoss);
}

TEST(Avro, Codecs) {
  const std::string text(100'000, 'x');
  const std::string packed = deflate(text);
  EXPECT_LT(packed.size(), 1'000u);
  EXPECT_EQ(decompress("deflate", packed, text.size()).value(), text);
  EXPECT_EQ(decompress("deflate", packed, text.size() - 1).status().code(), Code::kDataLoss);
  EXPECT_EQ(decompress("deflate", packed.substr(0, packed.size() - 2), text.size()).status().code(), Code::kDataLoss);
  // zlib.compress(data)[2:-1], as PyIceberg has it.
  EXPECT_EQ(decompress("deflate", packed + "\x01\x02\x03", text.size()).value(), text);
  EXPECT_EQ(decompress("deflate", packed + "\x01\x02\x03\x04\x05", text.size()).status().code(), Code::kDataLoss);
  EXPECT_EQ(decompress("null", "abc", 3).value(), "abc");
  // Of a snappy block: the length, one literal of three bytes, the CRC-32 of "abc".
  EXPECT_EQ(decompress("snappy", std::string("\x03\x08"
                                             "abc\x35\x24\x41\xc2", 9), 3).value(), "abc");
  EXPECT_EQ(decompress("snappy", std::string("\x03\x08"
                                             "abd\x35\x24\x41\xc2", 9), 3).status().code(), Code::kDataLoss);
  // A zstandard frame of one raw block: magic, descriptor, size 3, block header (last, raw, 3).
  EXPECT_EQ(decompress("zstandard", std::string("\x28\xb5\x2f\xfd\x20\x03\x19\x00\x00"
                                                "abc", 12), 3).value(), "abc");
  EXPECT_EQ(decompress("zstandard", "nonsense", 100).status().code(), Code::kDataLoss);
  EXPECT_EQ(decompress("lz4", "", 1).status().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace halocline::avro
