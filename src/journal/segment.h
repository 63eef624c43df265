// A segment file's name and its header page (docs/formats/journal.md, "Segment"). The page is written and synced before
// the file gets its name, and never again: a named segment without a whole header is not the work of a crash, except
// for one that is empty.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/disk.h"
#include "base/sha256.h"
#include "base/status.h"
#include "command/command.h"

namespace halocline {

inline constexpr std::size_t kSegmentHeaderBytes = 4096;  // a page, so that no block's write ever touches it
inline constexpr std::uint32_t kJournalVersion = 1;
inline constexpr std::uint64_t kMinSegmentBytes = 8192;
inline constexpr std::uint64_t kMaxSegmentBytes = 1u << 30;  // offsets are u32

using JournalId = std::array<std::byte, 16>;

struct SegmentHeader {
  JournalId id{};
  std::uint32_t number = 0;         // from 1, without gaps
  std::uint64_t segment_bytes = 0;  // the file's length
  Seq first_seq = 0;                // of the first record that will stand here
  Nanos created = 0;                // the time of the block that made it necessary
  Digest previous_chain{};          // the hash chain before the first block

  std::uint64_t tag() const;        // what blocks carry of the id
};

// The chain before the first block of a journal.
Digest first_chain(const JournalId& id);

// "journal-0000000001.seg"; sorts by number. "journal-0000000001.new" is one being prepared.
std::string segment_name(std::uint32_t number);
std::string prepared_name(std::uint32_t number);
// The number in a segment's name; nothing for any other name.
std::optional<std::uint32_t> segment_number(const std::string& name);
bool is_prepared_name(const std::string& name);

std::array<std::byte, kSegmentHeaderBytes> encode_segment_header(const SegmentHeader& header);

// Reads and checks the header of segment `number`. Nothing: the page is empty (a file of no bytes, or zeros).
// kUnsupported: a foreign file or a newer format. kDataLoss: a damaged header, or one of another number. kIo.
Result<std::optional<SegmentHeader>> read_segment_header(File& file, std::uint32_t number);

}  // namespace halocline
