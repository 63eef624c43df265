#include "history/iceberg/deletion_vectors.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "history/iceberg/puffin.h"
#include "history/iceberg/roaring.h"

namespace halocline::iceberg {
namespace {

constexpr char kBlobType[] = "deletion-vector-v1";
constexpr char kReferencedDataFile[] = "referenced-data-file", kCardinality[] = "cardinality";
constexpr std::int32_t kPositionFieldId = 2'147'483'645;  // `_pos`: "Reserved Field IDs"
constexpr std::string_view kMagic = "\xD1\xD3\x39\x64";
constexpr std::size_t kNumberBytes = 4;  // of the length and of the CRC

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int i = 3; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

std::string crc_of(std::string_view bytes) {
  return big_endian(static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size())));
}

Status wrong(const std::string& why) { return Status(Code::kDataLoss, "no deletion vector: " + why); }

// The vector of one entry. `blobs` is what the file says itself.
Result<DeletionVector> read_one(std::string_view file, const std::vector<PuffinBlob>& blobs, const DataFile& entry) {
  if (!entry.referenced_data_file.has_value() || !entry.content_offset.has_value() || !entry.content_size.has_value()) {
    return wrong("its manifest entry does not say of which data file it is, or where it lies");
  }
  const auto blob = std::find_if(blobs.begin(), blobs.end(), [&](const PuffinBlob& one) {
    return one.offset == *entry.content_offset && one.length == *entry.content_size;
  });
  if (blob == blobs.end() || blob->type != kBlobType || !blob->compression_codec.empty()) {
    return wrong("there is none at " + std::to_string(*entry.content_offset));
  }
  const auto data_file = blob->properties.find(kReferencedDataFile);
  if (data_file == blob->properties.end() || data_file->second != *entry.referenced_data_file) {
    return wrong("the one at " + std::to_string(*entry.content_offset) + " is not of " + *entry.referenced_data_file);
  }
  Result<std::vector<std::int64_t>> positions =
      read_deletion_vector(file.substr(static_cast<std::size_t>(blob->offset), static_cast<std::size_t>(blob->length)), entry.record_count);
  if (!positions.ok()) return positions.status();
  return DeletionVector{*entry.referenced_data_file, entry.partition, positions.take()};
}

}  // namespace

std::string deletion_vector_bytes(std::span<const std::int64_t> positions) {
  const std::string content = std::string(kMagic) + roaring_bytes(positions);
  CHECK(content.size() <= INT32_MAX - 2 * kNumberBytes);
  return big_endian(static_cast<std::uint32_t>(content.size())) + content + crc_of(content);
}

Result<std::vector<std::int64_t>> read_deletion_vector(std::string_view blob, std::int64_t cardinality) {
  if (blob.size() < 2 * kNumberBytes + kMagic.size()) return wrong("it is cut short");
  const std::string_view content = blob.substr(kNumberBytes, blob.size() - 2 * kNumberBytes);
  if (content.size() > INT32_MAX || blob.substr(0, kNumberBytes) != big_endian(static_cast<std::uint32_t>(content.size()))) {
    return wrong("its length is another than it says");
  }
  if (!content.starts_with(kMagic)) return wrong("its magic is another");
  if (blob.substr(blob.size() - kNumberBytes) != crc_of(content)) return wrong("its CRC-32 does not fit");
  if (cardinality < 0) return wrong("a negative number of rows is said to be deleted");
  Result<std::vector<std::int64_t>> positions = read_roaring(content.substr(kMagic.size()), cardinality);
  if (!positions.ok()) return positions.status();
  if (static_cast<std::int64_t>(positions.value().size()) != cardinality) {
    return wrong("it has " + std::to_string(positions.value().size()) + " positions and should have " + std::to_string(cardinality));
  }
  return positions;
}

DeletionVectorFile deletion_vector_file(std::span<const DeletionVector> vectors) {
  CHECK(!vectors.empty());
  DeletionVectorFile made;
  PuffinWriter writer;
  for (const DeletionVector& vector : vectors) {
    const auto count = static_cast<std::int64_t>(vector.positions.size());
    const PuffinBlob& blob = writer.add(deletion_vector_bytes(vector.positions),
                                        {.type = kBlobType,
                                         .fields = {kPositionFieldId},
                                         .compression_codec = {},
                                         .properties = {{kReferencedDataFile, vector.data_file}, {kCardinality, std::to_string(count)}}});
    DataFile& file = made.files.emplace_back();
    file.content = FileContent::kPositionDeletes;
    file.format = "PUFFIN";
    file.partition = vector.partition;
    file.record_count = count;
    file.referenced_data_file = vector.data_file;
    file.content_offset = blob.offset;
    file.content_size = blob.length;
  }
  made.bytes = writer.finish();
  for (DataFile& file : made.files) file.file_size = static_cast<std::int64_t>(made.bytes.size());
  return made;
}

Result<std::vector<DeletionVector>> read_deletion_vectors(std::string_view file, std::span<const DataFile* const> entries) {
  Result<std::vector<PuffinBlob>> blobs = read_puffin_footer(file);
  if (!blobs.ok()) return blobs.status();
  std::vector<DeletionVector> vectors;
  for (const DataFile* entry : entries) {
    Result<DeletionVector> vector = read_one(file, blobs.value(), *entry);
    if (!vector.ok()) return vector.status();
    vectors.push_back(vector.take());
  }
  return vectors;
}

bool is_deletion_vector(const DataFile& file) { return file.content == FileContent::kPositionDeletes && file.format == "PUFFIN"; }

}  // namespace halocline::iceberg
