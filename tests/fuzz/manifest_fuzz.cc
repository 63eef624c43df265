// Any bytes as an Avro file, a manifest and a manifest list. The first byte says which; a file that some writer made reaches far, so
// the corpus has whole ones.
// What must hold beside the sanitizers: a failure says what is wrong; what deflate gives is inflated to the same again.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "history/avro/codec.h"
#include "history/iceberg/manifest.h"
#include "history/iceberg/manifest_list.h"

namespace {

using namespace halocline;

constexpr std::size_t kMostBytes = 1u << 16;  // decompressed

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: {
      const Result<std::vector<iceberg::ManifestFile>> manifests = iceberg::read_manifest_list(bytes);
      CHECK(manifests.ok() || !manifests.status().message().empty());
      break;
    }
    case 1: {
      iceberg::ManifestFile manifest;
      manifest.first_row_id = 7;
      const Result<std::vector<iceberg::ManifestEntry>> entries = iceberg::read_manifest(bytes, manifest);
      CHECK(entries.ok() || !entries.status().message().empty());
      break;
    }
    case 2: {
      const Result<std::string> plain = avro::decompress("deflate", bytes, kMostBytes);
      if (plain.ok()) CHECK(avro::decompress("deflate", avro::deflate(plain.value()), kMostBytes).value() == plain.value());
      break;
    }
    case 3: static_cast<void>(avro::decompress("snappy", bytes, kMostBytes).ok()); break;
    case 4: static_cast<void>(avro::decompress("zstandard", bytes, kMostBytes).ok()); break;
    case 5: static_cast<void>(avro::parse_schema(bytes).ok()); break;
  }
  return 0;
}
