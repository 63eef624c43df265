// Puffin files: blobs one after the other, and a footer that says what each is. Iceberg's Puffin spec, "File structure" and "Footer".
//
//   PuffinWriter writer;
//   PuffinBlob blob = writer.add(bytes, {.type = "deletion-vector-v1", .fields = {kPosition}});
//   std::string file = writer.finish();
//   Result<std::vector<PuffinBlob>> blobs = read_puffin_footer(file);
//
// A blob is not compressed here, nor is a footer. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "history/iceberg/table_metadata.h"

namespace halocline::iceberg {

// "BlobMetadata".
struct PuffinBlob {
  std::string type;
  std::vector<std::int64_t> fields;     // ids of the fields it was computed from
  std::int64_t snapshot_id = -1;        // -1: not known when it was written
  std::int64_t sequence_number = -1;
  std::int64_t offset = 0, length = 0;  // where in the file it is
  std::string compression_codec;        // empty: it is not compressed
  Properties properties;
};

class PuffinWriter {
 public:
  PuffinWriter();
  // The blob as it is in the file, at its place there.
  const PuffinBlob& add(std::string_view bytes, PuffinBlob blob);
  // The whole file; nothing can be added any more.
  std::string finish();

 private:
  std::string file_;
  std::vector<PuffinBlob> blobs_;
};

// What the footer says, each blob within the part of the file that is before it. kDataLoss: it is no Puffin file. kUnsupported: its footer
// is compressed.
Result<std::vector<PuffinBlob>> read_puffin_footer(std::string_view file);

}  // namespace halocline::iceberg
