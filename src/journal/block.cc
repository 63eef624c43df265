#include "journal/block.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/check.h"
#include "base/crc32c.h"
#include "command/codec.h"
#include "journal/block_view.h"

namespace halocline {
namespace {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");
static_assert(std::is_trivially_copyable_v<BlockHeader>);
static_assert(kRecordFrameBytes == kRecordHeaderBytes, "the codec frames records as the journal keeps them");

constexpr std::size_t kUnderCrc = offsetof(BlockHeader, journal_tag);
constexpr std::size_t kUnderChain = offsetof(BlockHeader, chain) - kUnderCrc;

bool all_zero(std::span<const std::byte> bytes) {
  for (const std::byte b : bytes) {
    if (b != std::byte{0}) return false;
  }
  return true;
}

BlockCheck broken(const char* reason, const BlockHeader& header) {
  BlockCheck check;
  check.reason = reason;
  check.header = header;
  return check;
}

bool counts_fit(const BlockHeader& header) {
  if (header.kind == BlockKind::kRecords) return header.records > 0 && header.payload_bytes > 0;
  if (header.kind != BlockKind::kSeal && header.kind != BlockKind::kSegmentEnd) return false;
  return header.records == 0 && header.payload_bytes == 0;
}

}  // namespace

Digest next_chain(const Digest& previous, const BlockHeader& header, std::span<const std::byte> payload) {
  std::byte start[sizeof(Digest) + kUnderChain];
  std::memcpy(start, previous.data(), sizeof(Digest));
  std::memcpy(start + sizeof(Digest), &header.journal_tag, kUnderChain);
  Sha256 hash;
  hash.update(start);
  hash.update(payload);
  return hash.finish();
}

std::size_t encode_block(BlockHeader header, std::span<const std::byte> payload, std::span<std::byte> out) {
  const std::size_t bytes = block_bytes(payload.size());
  CHECK(out.size() >= bytes && header.payload_bytes == payload.size(), "a block of %zu bytes into %zu", bytes,
        out.size());
  std::memcpy(out.data(), &header, kBlockHeaderBytes);
  if (!payload.empty()) std::memcpy(out.data() + kBlockHeaderBytes, payload.data(), payload.size());
  const std::size_t used = kBlockHeaderBytes + payload.size();
  std::memset(out.data() + used, 0, bytes - used);
  const std::uint32_t crc = crc32c(out.first(bytes).subspan(kUnderCrc));
  std::memcpy(out.data() + offsetof(BlockHeader, crc), &crc, sizeof crc);
  return bytes;
}

bool plausible(const BlockHeader& header, std::size_t room) {
  return header.magic == kBlockMagic && header.payload_bytes <= limits::kMaxBlockBytes &&
         block_bytes(header.payload_bytes) <= room;
}

BlockCheck check_block(std::span<const std::byte> bytes, std::uint64_t journal_tag) {
  BlockHeader header;
  if (bytes.size() < kBlockHeaderBytes) {
    BlockCheck check = broken("the segment ends within a block's header", header);
    check.needed = kBlockHeaderBytes;
    return check;
  }
  std::memcpy(&header, bytes.data(), kBlockHeaderBytes);
  if (header.magic != kBlockMagic) {
    if (!all_zero(bytes.first(kBlockHeaderBytes))) return broken("there is no block's mark", header);
    BlockCheck check;
    check.state = BlockState::kFree;
    return check;
  }
  if (header.payload_bytes > limits::kMaxBlockBytes) return broken("the block's length is impossible", header);
  const std::size_t size = block_bytes(header.payload_bytes);
  if (size > bytes.size()) {
    BlockCheck check = broken("the block is longer than what is left of the segment", header);
    check.needed = size;
    return check;
  }
  if (crc32c(bytes.first(size).subspan(kUnderCrc)) != header.crc) return broken("the block's CRC is wrong", header);
  if (header.journal_tag != journal_tag) return broken("the block is of another journal", header);
  // From here on a writer, not a disk, would have been at fault: these bytes are as they were written.
  const auto payload = bytes.subspan(kBlockHeaderBytes, header.payload_bytes);
  const auto records = count_records(payload);
  if (header.flags != 0 || !counts_fit(header) || !records.has_value() || *records != header.records) {
    return broken("the block is of a kind this version does not know", header);
  }
  BlockCheck check;
  check.state = BlockState::kWhole;
  check.header = header;
  check.payload = payload;
  return check;
}

}  // namespace halocline
