// A block as it stands in a segment file (docs/formats/journal.md, "Block"): encoding, and the check that tells a whole
// block from free space and from broken bytes. Pure functions over memory; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/limits.h"
#include "base/sha256.h"
#include "command/command.h"

namespace halocline {

inline constexpr std::size_t kBlockAlign = 64;
inline constexpr std::uint32_t kBlockMagic = 0x314B4C48;  // "HLK1"

enum class BlockKind : std::uint16_t {
  kRecords = 1,
  kSeal = 2,        // written by a graceful close: everything before it is durable, and nothing was under way
  kSegmentEnd = 3,  // the next segment exists, durably, and the journal goes on there
};

// Little-endian, in this order. Everything from `journal_tag` to the end of the padding is under the CRC.
struct BlockHeader {
  std::uint32_t magic = kBlockMagic;
  std::uint32_t crc = 0;
  std::uint64_t journal_tag = 0;    // the first 8 bytes of the journal's id: whose block it is
  std::uint32_t segment = 0;        // where it was meant to be written: its segment's number …
  std::uint32_t offset = 0;         // … and its offset there
  std::uint32_t payload_bytes = 0;
  std::uint32_t records = 0;
  std::uint64_t first_seq = 0;      // of a block without records: the seq that comes next
  std::int64_t time = 0;
  std::uint32_t durable_end = 0;    // everything in this segment before it was synced when this was written
  BlockKind kind = BlockKind::kRecords;
  std::uint16_t flags = 0;          // 0
  std::uint64_t reserved = 0;       // 0
  Digest chain{};                   // after this block; of a block without records: unchanged
};
inline constexpr std::size_t kBlockHeaderBytes = 96;
static_assert(sizeof(BlockHeader) == kBlockHeaderBytes);

// What a block takes in the file: header, payload, zeros to the next multiple of kBlockAlign.
constexpr std::size_t block_bytes(std::size_t payload_bytes) {
  return (kBlockHeaderBytes + payload_bytes + kBlockAlign - 1) / kBlockAlign * kBlockAlign;
}
inline constexpr std::size_t kMaxStoredBlockBytes = block_bytes(limits::kMaxBlockBytes);
inline constexpr std::size_t kEmptyBlockBytes = block_bytes(0);

// SHA-256(previous chain || header from journal_tag to reserved || payload).
Digest next_chain(const Digest& previous, const BlockHeader& header, std::span<const std::byte> payload);

// Writes the header (with its CRC), the payload and the padding to the start of `out`; returns the bytes used. `chain`
// must be set. `out` must have block_bytes(payload.size()).
std::size_t encode_block(BlockHeader header, std::span<const std::byte> payload, std::span<std::byte> out);

// Whether the whole block of this header (checked by nothing so far) may stand in `room` bytes.
bool plausible(const BlockHeader& header, std::size_t room);

enum class BlockState {
  kWhole,   // complete, its CRC is right, it is of this journal
  kFree,    // not a byte of a header has been written here
  kBroken,  // anything else
};

struct BlockCheck {
  BlockState state = BlockState::kBroken;
  const char* reason = "";             // of kBroken, for a person
  std::size_t needed = 0;              // more than bytes.size(): come again with so many (if the file has them)
  BlockHeader header;                  // as read, if there were enough bytes
  std::span<const std::byte> payload;  // of kWhole
};

// Looks at the bytes at one place. It does not compare segment, offset, seq or chain with what is expected there: a
// whole block in the wrong place means something else than a broken one.
BlockCheck check_block(std::span<const std::byte> bytes, std::uint64_t journal_tag);

}  // namespace halocline
