#include "history/iceberg/puffin.h"

#include <utility>

#include "history/iceberg/json.h"

namespace halocline::iceberg {
namespace {

constexpr std::string_view kMagic = "PFA1";
constexpr std::size_t kTailBytes = 4 + 4 + 4;  // size of the payload, flags, magic
constexpr unsigned kFooterCompressed = 1;      // bit of the first byte of the flags

Json to_json(const PuffinBlob& blob) {
  return {{"type", blob.type}, {"fields", blob.fields}, {"snapshot-id", blob.snapshot_id}, {"sequence-number", blob.sequence_number},
          {"offset", blob.offset}, {"length", blob.length}, {"properties", blob.properties}};
}

Status wrong(const std::string& why) { return Status(Code::kDataLoss, "no Puffin file: " + why); }

}  // namespace

PuffinWriter::PuffinWriter() : file_(kMagic) {}

const PuffinBlob& PuffinWriter::add(std::string_view bytes, PuffinBlob blob) {
  blob.offset = static_cast<std::int64_t>(file_.size());
  blob.length = static_cast<std::int64_t>(bytes.size());
  file_ += bytes;
  return blobs_.emplace_back(std::move(blob));
}

std::string PuffinWriter::finish() {
  Json blobs = Json::array();
  for (const PuffinBlob& blob : blobs_) blobs.push_back(to_json(blob));
  const std::string payload = json_text({{"blobs", blobs}, {"properties", {{"created-by", "halocline"}}}});
  file_ += kMagic;
  file_ += payload;
  for (int i = 0; i < 4; ++i) file_.push_back(static_cast<char>(payload.size() >> (8 * i)));
  file_.append(4, '\0');
  file_ += kMagic;
  return std::exchange(file_, {});
}

Result<std::vector<PuffinBlob>> read_puffin_footer(std::string_view file) {
  if (file.size() < 2 * kMagic.size() + kTailBytes || !file.starts_with(kMagic) || !file.ends_with(kMagic)) {
    return wrong("its first and last four bytes are not PFA1");
  }
  const std::string_view tail = file.substr(file.size() - kTailBytes);
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= static_cast<std::uint32_t>(static_cast<unsigned char>(tail[i])) << (8 * i);
  const std::size_t most = file.size() - 2 * kMagic.size() - kTailBytes;
  if (size > most) return wrong("its footer is larger than the file");
  if ((static_cast<unsigned char>(tail[4]) & kFooterCompressed) != 0) {
    return Status(Code::kUnsupported, "a Puffin file with a compressed footer");
  }
  const std::size_t payload = file.size() - kTailBytes - size, footer = payload - kMagic.size();
  if (file.substr(footer, kMagic.size()) != kMagic) return wrong("its footer does not begin with PFA1");
  Result<Json> json = parse_json(file.substr(payload, size), "the footer of a Puffin file");
  if (!json.ok()) return wrong(json.status().message());
  Status first;
  std::vector<PuffinBlob> blobs;
  for (const Json& one : ObjectReader(json.value(), "FileMetadata", first).array("blobs")) {
    ObjectReader in(one, "BlobMetadata", first);
    PuffinBlob& blob = blobs.emplace_back();
    blob.type = in.text("type");
    blob.fields = in.maybe_number_list("fields");
    blob.snapshot_id = in.number("snapshot-id");
    blob.sequence_number = in.number("sequence-number");
    blob.offset = in.number("offset");
    blob.length = in.number("length");
    blob.compression_codec = in.maybe_text("compression-codec").value_or("");
    blob.properties = in.maybe_texts("properties");
    const auto end = static_cast<std::int64_t>(footer);
    const bool within = blob.offset >= static_cast<std::int64_t>(kMagic.size()) && blob.length >= 0 && blob.offset <= end &&
                        blob.length <= end - blob.offset;
    if (first.ok() && !within) in.fail("it lies outside of the blobs");
  }
  if (!first.ok()) return wrong(first.message());
  return blobs;
}

}  // namespace halocline::iceberg
