// The compression of Avro's blocks. Avro 1.11 specification, "Required Codecs" and "Optional Codecs". Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace halocline::avro {

// RFC 1951, without a frame.
std::string deflate(std::string_view plain);

// `codec`: "" or "null", "deflate", "snappy", "zstandard"; any other is kUnsupported. kDataLoss: the bytes are broken, or come to
// more than `most`.
Result<std::string> decompress(std::string_view codec, std::string_view packed, std::size_t most);

}  // namespace halocline::avro
