// Sets of row positions as 64-bit Roaring bitmaps in the portable format: what a deletion vector holds. RoaringFormatSpec, "General
// layout" and "Extension for 64-bit implementations" (the second of its two); Iceberg's Puffin spec, "deletion-vector-v1 blob type".
//
//   std::string bytes = roaring_bytes(positions);
//   Result<std::vector<std::int64_t>> read = read_roaring(bytes, 1'000'000);
//
// Of our own and not CRoaring's: the version Debian has (0.2.66) takes what it reads on trust beyond its length, and here a count that is
// a lie must be an error, and many positions in few bytes no way to fill the memory. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace halocline::iceberg {

// Positions are ascending, each once, none negative (CHECKed). Each run of 65,536 of them is written in the smallest of the three ways.
std::string roaring_bytes(std::span<const std::int64_t> positions);

// The positions, ascending. kDataLoss: the bytes are no such set, to the last one, or it has more than `most` positions, which is also
// the bound of the memory taken.
Result<std::vector<std::int64_t>> read_roaring(std::string_view bytes, std::int64_t most);

}  // namespace halocline::iceberg
