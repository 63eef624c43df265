#include "history/avro/codec.h"

#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <memory>

#include "base/check.h"

namespace halocline::avro {
namespace {

constexpr int kRawWindow = -15;     // of zlib: no header
constexpr uInt kChecksumBytes = 4;  // of zlib's Adler-32
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
  // Python's writers, PyIceberg's too, make the block of zlib's by cutting off its head and leave a part of its check sum behind it.
  if (state != Z_STREAM_END || stream.avail_in > kChecksumBytes) return broken("deflate");
  return plain;
}

// A CRC-32 of the plain bytes, most significant byte first, stands behind.
Result<std::string> unsnap(std::string_view packed, std::size_t most) {
  if (packed.size() < 5) return broken("snappy");
  const std::string_view body = packed.substr(0, packed.size() - 4);
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &length)) return broken("snappy");
  if (length > most) return too_large(most);
  std::string plain;
  if (!snappy::Uncompress(body.data(), body.size(), &plain)) return broken("snappy");
  std::uint32_t said = 0;
  for (const char byte : packed.substr(packed.size() - 4)) said = said << 8 | static_cast<unsigned char>(byte);
  if (said != ::crc32(0, bytes_of(plain), static_cast<uInt>(plain.size()))) return broken("snappy");
  return plain;
}

Result<std::string> unzstd(std::string_view packed, std::size_t most) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> stream(ZSTD_createDCtx(), ZSTD_freeDCtx);
  CHECK(stream != nullptr, "zstd has no memory");
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::string plain;
  std::size_t more = 1;  // 0: the frame is whole
  while (more != 0) {
    const std::size_t before = plain.size(), read = in.pos;
    plain.resize(before + kStep);
    ZSTD_outBuffer out{plain.data() + before, kStep, 0};
    more = ZSTD_decompressStream(stream.get(), &out, &in);
    if (ZSTD_isError(more)) return broken("zstandard");
    plain.resize(before + out.pos);
    if (plain.size() > most) return too_large(most);
    if (more != 0 && in.pos == read && out.pos == 0) return broken("zstandard");  // it wants more and there is none
  }
  if (in.pos != in.size) return broken("zstandard");
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
