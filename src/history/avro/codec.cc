#include "history/avro/codec.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include <arrow/result.h>
#include <arrow/util/compression.h>

#include "base/check.h"

namespace halocline::avro {
namespace {

constexpr int kRawWindow = -15;  // of zlib: no header
constexpr std::size_t kStep = 256u << 10;

Status broken(std::string_view codec) { return Status(Code::kDataLoss, "broken Avro file: a block that is no " + std::string(codec)); }
Status too_large(std::size_t most) {
  return Status(Code::kDataLoss, "broken Avro file: a block of more than " + std::to_string(most) + " bytes");
}

Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

Result<std::string> inflate_raw(std::string_view packed, std::size_t most) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, kRawWindow) == Z_OK, "zlib has no memory");
  stream.next_in = bytes_of(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  int state = Z_OK;
  while (state == Z_OK && plain.size() <= most) {
    const std::size_t before = plain.size();
    plain.resize(before + kStep);
    stream.next_out = bytes_of(plain) + before;
    stream.avail_out = kStep;
    state = ::inflate(&stream, Z_NO_FLUSH);
    plain.resize(plain.size() - stream.avail_out);
    if (state == Z_OK && plain.size() == before) state = Z_DATA_ERROR;  // it wants more and there is none
  }
  inflateEnd(&stream);
  if (plain.size() > most) return too_large(most);
  if (state != Z_STREAM_END || stream.avail_in != 0) return broken("deflate");
  return plain;
}

// The length stands in front, seven bits a byte; a CRC-32 of the plain bytes, most significant first, behind.
Result<std::string> unsnap(std::string_view packed, std::size_t most) {
  if (packed.size() < 5) return broken("snappy");
  const std::string_view body = packed.substr(0, packed.size() - 4);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < body.size() && i < 5; ++i) {
    length |= static_cast<std::uint64_t>(body[i] & 0x7f) << (7 * i);
    if ((body[i] & 0x80) == 0) break;
  }
  if (length > most) return too_large(most);
  auto codec = arrow::util::Codec::Create(arrow::Compression::SNAPPY);
  if (!codec.ok()) return Status(Code::kInternal, codec.status().ToString());
  std::string plain(length, '\0');
  const auto written = (*codec)->Decompress(static_cast<std::int64_t>(body.size()), bytes_of(body),
                                            static_cast<std::int64_t>(plain.size()), bytes_of(plain));
  if (!written.ok() || static_cast<std::uint64_t>(*written) != length) return broken("snappy");
  std::uint32_t said = 0;
  for (const char byte : packed.substr(packed.size() - 4)) said = said << 8 | static_cast<unsigned char>(byte);
  if (said != ::crc32(0, bytes_of(plain), static_cast<uInt>(plain.size()))) return broken("snappy");
  return plain;
}

Result<std::string> unzstd(std::string_view packed, std::size_t most) {
  auto codec = arrow::util::Codec::Create(arrow::Compression::ZSTD);
  if (!codec.ok()) return Status(Code::kInternal, codec.status().ToString());
  auto made = (*codec)->MakeDecompressor();
  if (!made.ok()) return Status(Code::kInternal, made.status().ToString());
  std::string plain;
  while (!(*made)->IsFinished()) {
    const std::size_t before = plain.size();
    plain.resize(before + kStep);
    const auto step = (*made)->Decompress(static_cast<std::int64_t>(packed.size()), bytes_of(packed),
                                          static_cast<std::int64_t>(kStep), bytes_of(plain) + before);
    if (!step.ok()) return broken("zstandard");
    packed.remove_prefix(static_cast<std::size_t>(step->bytes_read));
    plain.resize(before + static_cast<std::size_t>(step->bytes_written));
    if (plain.size() > most) return too_large(most);
    if (step->bytes_read == 0 && step->bytes_written == 0) return broken("zstandard");
  }
  if (!packed.empty()) return broken("zstandard");
  return plain;
}

}  // namespace

std::string deflate(std::string_view plain) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib has no memory");
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = bytes_of(plain);
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = bytes_of(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(::deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib did not end");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Result<std::string> decompress(std::string_view codec, std::string_view packed, std::size_t most) {
  if (codec.empty() || codec == "null") return packed.size() > most ? Result<std::string>(too_large(most)) : std::string(packed);
  if (codec == "deflate") return inflate_raw(packed, most);
  if (codec == "snappy") return unsnap(packed, most);
  if (codec == "zstandard") return unzstd(packed, most);
  return Status(Code::kUnsupported, "Avro codec " + std::string(codec) + " is not known");
}

}  // namespace halocline::avro
