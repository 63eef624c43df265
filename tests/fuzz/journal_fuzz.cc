// Fuzz target of the journal's readers: a directory whose first segment holds the input's bytes.
//
// The first byte chooses: even, the bytes are the image of a whole segment file; odd, they are edits (offset, value) of a
// good journal of a few blocks, with the CRCs of headers and blocks put right again where the edit asks for it, so that
// what lies behind the CRC is reached too. Recovery, repair, a reader and the inspection must take anything, agree on
// whether the journal is good, and leave a journal that opens again.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "base/crc32c.h"
#include "journal/faulty_disk_test.h"
#include "journal/file_journal.h"
#include "journal/inspect.h"
#include "journal/journal_reader.h"

namespace halocline {
namespace {

constexpr char kDirectory[] = "/journal";
constexpr std::size_t kSegment = 8192;

std::string first_path() { return std::string(kDirectory) + "/" + segment_name(1); }

FileJournalOptions options() {
  FileJournalOptions result;
  result.directory = kDirectory;
  result.segment_bytes = kSegment;
  result.background = false;
  result.crash_at = "";
  return result;
}

// A good segment of twelve blocks, with a fixed id so that a finding can be run again.
FaultyDisk::Bytes good_segment() {
  SegmentHeader header;
  header.number = 1;
  header.segment_bytes = kSegment;
  header.first_seq = 1;
  header.previous_chain = first_chain(header.id);
  const auto page = encode_segment_header(header);
  FaultyDisk::Bytes bytes(page.begin(), page.end());
  bytes.resize(kSegment);
  std::size_t offset = kSegmentHeaderBytes;
  Digest chain = header.previous_chain;
  for (std::uint32_t i = 0; i < 12; ++i) {
    std::array<std::byte, 2 * (8 + 40)> payload{};
    payload[0] = payload[48] = std::byte{40};
    BlockHeader block;
    block.segment = 1;
    block.offset = static_cast<std::uint32_t>(offset);
    block.payload_bytes = payload.size();
    block.records = 2;
    block.first_seq = 1 + 2 * i;
    block.time = i;
    block.durable_end = static_cast<std::uint32_t>(offset);
    chain = block.chain = next_chain(chain, block, payload);
    offset += encode_block(block, payload, std::span(bytes).subspan(offset));
  }
  return bytes;
}

// Makes the CRC of the header page, and of every plausible block in its place, right.
void fix_crcs(FaultyDisk::Bytes& bytes) {
  std::memset(bytes.data() + 12, 0, 4);
  const std::uint32_t page = crc32c(std::span<const std::byte>(bytes).first(kSegmentHeaderBytes));
  std::memcpy(bytes.data() + 12, &page, 4);
  for (std::size_t at = kSegmentHeaderBytes; at + kBlockHeaderBytes <= bytes.size(); at += kBlockAlign) {
    BlockHeader block;
    std::memcpy(&block, bytes.data() + at, sizeof block);
    if (!plausible(block, bytes.size() - at)) continue;
    const auto covered = std::span<const std::byte>(bytes).subspan(at + 8, block_bytes(block.payload_bytes) - 8);
    const std::uint32_t crc = crc32c(covered);
    std::memcpy(bytes.data() + at + 4, &crc, 4);
  }
}

FaultyDisk::Bytes image(std::span<const std::byte> input) {
  const auto how = std::to_integer<unsigned>(input[0]);
  input = input.subspan(1);
  if (how % 2 == 0) return FaultyDisk::Bytes(input.begin(), input.end());
  FaultyDisk::Bytes bytes = good_segment();
  for (; input.size() >= 3; input = input.subspan(3)) {
    const std::size_t offset = std::to_integer<std::size_t>(input[0]) | std::to_integer<std::size_t>(input[1]) << 8;
    bytes[offset % bytes.size()] = input[2];
  }
  if (how & 2) fix_crcs(bytes);
  return bytes;
}

}  // namespace
}  // namespace halocline

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace halocline;
  if (size == 0) return 0;
  FaultyDisk disk(1);
  disk.put(first_path(), image(std::as_bytes(std::span(data, size))));

  // Every record handed out is touched: a view beyond its block shows under ASan.
  std::uint64_t touched = 0;
  Seq read_to = 0;
  const auto touch = [&](const BlockView& block) {
    for (const Record record : block.contents()) {
      for (const std::byte b : record.payload) touched += std::to_integer<unsigned>(b);
    }
    read_to = block.last_seq();
    return ok_status();
  };

  const auto report = verify_journal(disk, kDirectory);
  CHECK(report.ok(), "verify: %s", report.status().to_string().c_str());
  auto reader = JournalReader::open(disk, kDirectory, 1);
  while (reader.ok()) {
    const auto block = reader.value()->next();
    if (!block.ok() || !block.value().has_value()) break;
    static_cast<void>(touch(*block.value()).ok());
  }
  const Seq reader_to = read_to;
  read_to = 0;
  bool recovered = false;
  {
    auto journal = FileJournal::open(disk, options(), touch);
    recovered = journal.ok();
    CHECK(recovered == report.value().ok(), "open says %s, verify finds %zu problems",
          journal.status().to_string().c_str(), report.value().problems.size());
    if (recovered) {
      CHECK(journal.value()->next_seq() == read_to + 1, "recovery read to %llu", static_cast<unsigned long long>(read_to));
      CHECK(!reader.ok() || reader_to == read_to, "a reader got to %llu", static_cast<unsigned long long>(reader_to));
    }
  }
  if (!recovered) return 0;
  const auto again = FileJournal::open(disk, options(), touch);
  CHECK(again.ok(), "after repair: %s", again.status().to_string().c_str());
  volatile std::uint64_t sink = touched;  // so that the touching isn't optimised away
  static_cast<void>(sink);
  return 0;
}
