#include "history/avro/container.h"

#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "history/avro/codec.h"

namespace halocline::avro {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr std::size_t kSyncBytes = 16;
constexpr std::size_t kBlockFullAt = 64u << 10;

Status broken(const std::string& why) { return Status(Code::kDataLoss, "broken Avro file: " + why); }

}  // namespace

ContainerWriter::ContainerWriter(const std::string& schema, std::map<std::string, std::string> metadata) {
  Result<SchemaPtr> parsed = parse_schema(schema);
  CHECK(parsed.ok(), "%s", parsed.status().message().c_str());
  schema_ = parsed.take();
  metadata["avro.schema"] = schema;
  metadata["avro.codec"] = "deflate";
  file_ = kMagic;
  encode_long(static_cast<std::int64_t>(metadata.size()), file_);
  for (const auto& [key, value] : metadata) encode_bytes(key, file_), encode_bytes(value, file_);
  file_.push_back('\0');
  const Digest digest = sha256(std::as_bytes(std::span(file_)));
  sync_.assign(reinterpret_cast<const char*>(digest.data()), kSyncBytes);
  file_ += sync_;
}

void ContainerWriter::append(const Value& row) {
  encode(*schema_, row, block_);
  ++rows_;
  if (block_.size() >= kBlockFullAt) end_block();
}

void ContainerWriter::end_block() {
  if (rows_ == 0) return;
  encode_long(rows_, file_);
  encode_bytes(deflate(block_), file_);
  file_ += sync_;
  block_.clear();
  rows_ = 0;
}

std::string ContainerWriter::finish() {
  end_block();
  return std::move(file_);
}

Result<Container> read_container(std::string_view file) {
  if (!file.starts_with(kMagic)) return broken("it does not begin as one");
  Container container;
  Decoder in(file.substr(kMagic.size()));
  Schema texts{Kind::kMap, {}, {std::make_shared<Schema>(Schema{Kind::kBytes, {}, {}, 0})}, 0};
  Result<Value> header = in.read(texts);
  if (!header.ok()) return header.status();
  for (const Value& entry : *header.value().list()) container.metadata[*(*entry.list())[0].text()] = *(*entry.list())[1].text();
  Result<std::string_view> sync = in.read_raw(kSyncBytes);
  if (!sync.ok()) return sync.status();
  Result<SchemaPtr> schema = parse_schema(container.metadata["avro.schema"]);
  if (!schema.ok()) return broken(schema.status().message());
  container.schema = schema.take();
  const std::string codec = container.metadata["avro.codec"];
  while (!in.rest().empty()) {
    Result<std::int64_t> rows = in.read_long();
    if (!rows.ok()) return rows.status();
    Result<std::string_view> packed = in.read_bytes();
    if (!packed.ok()) return packed.status();
    Result<std::string_view> end = in.read_raw(kSyncBytes);
    if (!end.ok()) return end.status();
    if (end.value() != sync.value()) return broken("a block without its end");
    Result<std::string> plain = decompress(codec, packed.value(), kMaxBlockBytes);
    if (!plain.ok()) return plain.status();
    Decoder block(plain.value());
    for (std::int64_t i = 0; i < rows.value(); ++i) {
      const std::size_t before = block.rest().size();
      Result<Value> row = block.read(*container.schema);
      if (!row.ok()) return row.status();
      if (block.rest().size() == before) return broken("rows of nothing");
      container.rows.push_back(row.take());
    }
    if (!block.rest().empty()) return broken("a block with more than its rows");
  }
  return container;
}

}  // namespace halocline::avro
