// Avro container files: a header with the schema and other metadata, then compressed blocks of rows. Avro 1.11 specification,
// "Object Container Files".
//
//   ContainerWriter writer(schema_text, {{"content", "data"}});
//   writer.append(row);
//   std::string file = writer.finish();
//   Result<Container> read = read_container(file);
//
// Whole files in memory: manifests are small. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "history/avro/schema.h"
#include "history/avro/value.h"

namespace halocline::avro {

inline constexpr std::size_t kMaxBlockBytes = 16u << 20;  // decompressed

// Writes with the codec "deflate", which every reader has.
class ContainerWriter {
 public:
  // `schema` is a schema of ours (CHECKed). Metadata keys that begin with "avro." are the format's own.
  ContainerWriter(const std::string& schema, std::map<std::string, std::string> metadata);

  void append(const Value& row);
  // The whole file. The writer is used up.
  std::string finish();

 private:
  void end_block();

  SchemaPtr schema_;
  std::string sync_;   // between the blocks: of the schema and the metadata, so that the same rows give the same file
  std::string file_;
  std::string block_;
  std::int64_t rows_ = 0;
};

struct Container {
  std::map<std::string, std::string> metadata;
  SchemaPtr schema;
  std::vector<Value> rows;
};

// Codecs: null, deflate, snappy, zstandard. kDataLoss: it is no such file, or a broken one. kUnsupported: another codec.
Result<Container> read_container(std::string_view file);

}  // namespace halocline::avro
