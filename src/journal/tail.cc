#include "journal/tail.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "journal/block.h"

namespace halocline {
namespace {

constexpr std::size_t kChunk = 1u << 20;

bool all_zero(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  return bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

std::size_t written_length(std::span<const std::byte> bytes) {
  std::size_t length = bytes.size();
  while (length > 0 && bytes[length - 1] == std::byte{0}) --length;
  return length;
}

// What a whole block found at `at` says about the broken place at `from`; empty when a crash explains it.
std::string evidence_of(const BlockHeader& block, std::uint64_t at, const SegmentHeader& segment, std::uint64_t from,
                        Seq next_seq) {
  const std::string found = "the block at offset " + std::to_string(at);
  if (block.segment != segment.number || block.offset != at) {
    return found + " belongs in segment " + std::to_string(block.segment) + " at offset " +
           std::to_string(block.offset) + " (a misdirected write or a mixed-up copy)";
  }
  if (block.durable_end > from) {
    return found + " (seq " + std::to_string(block.first_seq) + ") was written when everything before offset " +
           std::to_string(block.durable_end) + " was durable";
  }
  if (block.first_seq < next_seq) {
    return found + " starts with seq " + std::to_string(block.first_seq) + ", which is before it";
  }
  return "";
}

}  // namespace

Result<Tail> scan_tail(File& file, const SegmentHeader& header, std::uint64_t offset, Seq next_seq) {
  Tail tail;
  tail.written_end = offset;
  std::vector<std::byte> chunk(std::min<std::uint64_t>(kChunk, header.segment_bytes - std::min(offset, header.segment_bytes)) +
                               sizeof kBlockMagic);  // so that a mark can be looked for at the very end
  std::vector<std::byte> whole;
  std::uint64_t pass = 0;  // blocks found so far end here
  for (std::uint64_t start = offset; start < header.segment_bytes; start += kChunk) {
    const std::size_t want = std::min<std::uint64_t>(kChunk, header.segment_bytes - start);
    Result<std::size_t> count = read_all(file, start, std::span(chunk).first(want));
    if (!count.ok()) return count.status();
    const auto bytes = std::span<const std::byte>(chunk).first(count.value());
    if (all_zero(bytes)) continue;
    const std::size_t length = written_length(bytes);
    tail.written_end = start + length;
    for (std::size_t i = 0; i < length; i += kBlockAlign) {
      BlockHeader block;
      if (start + i < pass || std::memcmp(bytes.data() + i, &kBlockMagic, sizeof kBlockMagic) != 0) continue;
      std::byte start_of_block[kBlockHeaderBytes];
      Result<std::size_t> got = read_all(file, start + i, start_of_block);
      if (!got.ok()) return got.status();
      if (got.value() < kBlockHeaderBytes) continue;
      std::memcpy(&block, start_of_block, kBlockHeaderBytes);
      if (!plausible(block, header.segment_bytes - (start + i)) || block.journal_tag != header.tag()) continue;
      whole.resize(block_bytes(block.payload_bytes));
      got = read_all(file, start + i, whole);
      if (!got.ok()) return got.status();
      const BlockCheck check = check_block(std::span<const std::byte>(whole).first(got.value()), header.tag());
      if (check.state != BlockState::kWhole) continue;
      const std::string evidence = evidence_of(check.header, start + i, header, offset, next_seq);
      if (!evidence.empty() && !tail.damage) {
        tail.damage = true;
        tail.evidence = evidence;
      }
      if (tail.first_block == 0 && check.header.segment == header.number && check.header.offset == start + i) {
        tail.first_block = start + i;
      }
      if (check.header.kind == BlockKind::kRecords) ++tail.blocks;
      tail.records += check.header.records;
      pass = start + i + whole.size();
    }
  }
  return tail;
}

}  // namespace halocline
