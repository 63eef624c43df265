#include "journal/segment.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/crc32c.h"

namespace halocline {
namespace {

constexpr char kMagic[8] = {'H', 'A', 'L', 'O', 'J', 'R', 'N', 'L'};

// The first fields of the page; the rest is zero. `magic`, `version` and `crc` keep their places and meaning in every
// future version, so that an old program can tell a newer format from a damaged page.
struct Page {
  char magic[8];
  std::uint32_t version;
  std::uint32_t crc;  // of the whole page, with this field as 0
  JournalId id;
  std::uint32_t number;
  std::uint32_t zero;
  std::uint64_t segment_bytes;
  std::uint64_t first_seq;
  std::int64_t created;
  Digest previous_chain;
};
static_assert(sizeof(Page) == 96);

constexpr char kPrefix[] = "journal-";
constexpr std::size_t kPrefixLength = sizeof kPrefix - 1;
constexpr std::size_t kDigits = 10;

std::string name_of(std::uint32_t number, const char* suffix) {
  char name[40];
  std::snprintf(name, sizeof name, "%s%010u%s", kPrefix, number, suffix);
  return name;
}

std::optional<std::uint32_t> number_in(const std::string& name, const std::string& suffix) {
  if (name.size() != kPrefixLength + kDigits + suffix.size() || name.compare(0, kPrefixLength, kPrefix) != 0 ||
      name.compare(kPrefixLength + kDigits, suffix.size(), suffix) != 0) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (std::size_t i = kPrefixLength; i < kPrefixLength + kDigits; ++i) {
    if (name[i] < '0' || name[i] > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(name[i] - '0');
  }
  if (number == 0 || number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

Status damaged(const File& file, const std::string& what) {
  return Status(Code::kDataLoss, file.path() + ": the segment header at offset 0 " + what +
                                     ": restore this file from a copy; nothing was changed");
}

}  // namespace

std::uint64_t SegmentHeader::tag() const {
  std::uint64_t value;
  std::memcpy(&value, id.data(), sizeof value);
  return value;
}

Digest first_chain(const JournalId& id) {
  Sha256 hash;
  hash.update("halocline journal");
  const std::uint32_t version = kJournalVersion;
  hash.update(std::as_bytes(std::span(&version, 1)));
  hash.update(id);
  return hash.finish();
}

std::string segment_name(std::uint32_t number) { return name_of(number, ".seg"); }
std::string prepared_name(std::uint32_t number) { return name_of(number, ".new"); }
std::optional<std::uint32_t> segment_number(const std::string& name) { return number_in(name, ".seg"); }
bool is_prepared_name(const std::string& name) { return number_in(name, ".new").has_value(); }

std::array<std::byte, kSegmentHeaderBytes> encode_segment_header(const SegmentHeader& header) {
  Page page{};
  std::memcpy(page.magic, kMagic, sizeof kMagic);
  page.version = kJournalVersion;
  page.id = header.id;
  page.number = header.number;
  page.segment_bytes = header.segment_bytes;
  page.first_seq = header.first_seq;
  page.created = header.created;
  page.previous_chain = header.previous_chain;
  std::array<std::byte, kSegmentHeaderBytes> bytes{};
  std::memcpy(bytes.data(), &page, sizeof page);
  page.crc = crc32c(bytes);
  std::memcpy(bytes.data(), &page, sizeof page);
  return bytes;
}

Result<std::optional<SegmentHeader>> read_segment_header(File& file, std::uint32_t number) {
  std::array<std::byte, kSegmentHeaderBytes> bytes{};
  Result<std::size_t> count = read_all(file, 0, bytes);
  if (!count.ok()) return count.status();
  if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; })) {
    return std::optional<SegmentHeader>();
  }
  Page page;
  std::memcpy(&page, bytes.data(), sizeof page);
  if (std::memcmp(page.magic, kMagic, sizeof kMagic) != 0) {
    return Status(Code::kUnsupported,
                  file.path() + " does not start with the mark of a Halocline journal segment: it is another "
                                "program's file (move it away) or damaged (restore it from a copy)");
  }
  if (count.value() < bytes.size()) return damaged(file, "is cut off after " + std::to_string(count.value()) + " bytes");
  const std::uint32_t crc = page.crc;
  page.crc = 0;
  std::memcpy(bytes.data(), &page, sizeof page);
  if (crc32c(bytes) != crc) return damaged(file, "has a wrong CRC");
  if (page.version != kJournalVersion) {
    return Status(Code::kUnsupported, file.path() + " has journal format " + std::to_string(page.version) +
                                          ", this program knows format " + std::to_string(kJournalVersion) +
                                          ": use the version of halocline that wrote it, or a newer one");
  }
  if (page.number != number) return damaged(file, "says it is segment " + std::to_string(page.number));
  Result<std::uint64_t> size = file.size();
  if (!size.ok()) return size.status();
  if (size.value() != page.segment_bytes || page.segment_bytes > kMaxSegmentBytes ||
      page.segment_bytes < kMinSegmentBytes) {
    return damaged(file, "says the file has " + std::to_string(page.segment_bytes) + " bytes, but it has " +
                             std::to_string(size.value()));
  }
  SegmentHeader header;
  header.id = page.id;
  header.number = page.number;
  header.segment_bytes = page.segment_bytes;
  header.first_seq = page.first_seq;
  header.created = page.created;
  header.previous_chain = page.previous_chain;
  return std::optional<SegmentHeader>(header);
}

}  // namespace halocline
