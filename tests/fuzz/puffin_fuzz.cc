// Any bytes as a Puffin file, a deletion vector and a Roaring bitmap. The first byte says which.
// What must hold beside the sanitizers: a failure says what is wrong; what is read is written to something that reads the same; no more
// positions come out than were said to be there.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "history/iceberg/deletion_vectors.h"
#include "history/iceberg/puffin.h"
#include "history/iceberg/roaring.h"

namespace {

using namespace halocline;

constexpr std::int64_t kMostPositions = 1 << 20;

void check(const Result<std::vector<std::int64_t>>& positions) {
  CHECK(positions.ok() || !positions.status().message().empty());
  if (!positions.ok()) return;
  CHECK(std::is_sorted(positions.value().begin(), positions.value().end()));
  CHECK(iceberg::read_roaring(iceberg::roaring_bytes(positions.value()), kMostPositions).value() == positions.value());
}

// Each blob of the file as the deletion vector that the file says it is.
void read_file(std::string_view bytes) {
  const Result<std::vector<iceberg::PuffinBlob>> blobs = iceberg::read_puffin_footer(bytes);
  CHECK(blobs.ok() || !blobs.status().message().empty());
  if (!blobs.ok()) return;
  for (const iceberg::PuffinBlob& blob : blobs.value()) {
    iceberg::DataFile entry;
    const auto data_file = blob.properties.find("referenced-data-file");
    entry.referenced_data_file = data_file == blob.properties.end() ? "" : data_file->second;
    entry.content_offset = blob.offset, entry.content_size = blob.length;
    entry.record_count = 3;
    const iceberg::DataFile* entries[] = {&entry};
    const Result<std::vector<iceberg::DeletionVector>> vectors = iceberg::read_deletion_vectors(bytes, entries);
    CHECK(vectors.ok() || !vectors.status().message().empty());
    if (vectors.ok()) CHECK(vectors.value()[0].positions.size() == 3);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: read_file(bytes); break;
    case 1: check(iceberg::read_deletion_vector(bytes, 3)); break;
    case 2: check(iceberg::read_roaring(bytes, kMostPositions)); break;
  }
  return 0;
}
