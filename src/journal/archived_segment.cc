#include "journal/archived_segment.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include <zstd.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "journal/segment_reader.h"

namespace halocline {
namespace {

constexpr char kMark[8] = {'H', 'A', 'L', 'O', 'A', 'R', 'C', 'H'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kChunkBytes = 1u << 20;  // unpacked; the first chunk is the segment's header page alone
constexpr int kLevel = 3;

struct ChunkEntry {
  std::uint32_t stored_bytes;
  std::uint32_t crc;  // of the stored bytes
};
static_assert(sizeof(ChunkEntry) == 8);

// Little-endian, as it stands at the end of the file.
struct Footer {
  char mark[8];
  std::uint32_t version;
  std::uint32_t crc;  // of the chunk entries, and of the footer with this field as 0
  JournalId journal;
  std::uint32_t number;
  std::uint32_t chunks;
  std::uint64_t segment_bytes;
  std::uint64_t stored_bytes;
  std::uint64_t first_seq;
  Digest content;
  std::uint64_t reserved[4];
};
static_assert(sizeof(Footer) == 128);

constexpr std::uint64_t chunks_of(std::uint64_t segment_bytes) {
  return 1 + (segment_bytes - kSegmentHeaderBytes + kChunkBytes - 1) / kChunkBytes;
}
// Where a chunk begins in the segment, and which one holds a place.
constexpr std::uint64_t chunk_begin(std::uint64_t chunk) { return chunk == 0 ? 0 : kSegmentHeaderBytes + (chunk - 1) * kChunkBytes; }
constexpr std::uint64_t chunk_at(std::uint64_t offset) {
  return offset < kSegmentHeaderBytes ? 0 : 1 + (offset - kSegmentHeaderBytes) / kChunkBytes;
}

std::uint32_t crc_of(std::span<const ChunkEntry> entries, Footer footer) {
  footer.crc = 0;
  return crc32c(std::as_bytes(std::span(&footer, 1)), crc32c(std::as_bytes(entries)));
}

Status damage(const std::string& path, const std::string& what) {
  return Status(Code::kDataLoss, path + " is damaged: " + what + "; restore the file from a copy");
}

Status given_up() { return Status(Code::kUnavailable, "stopping"); }

class Reader final : public ArchivedSegment {
 public:
  Reader(std::unique_ptr<File> stored, std::string path, const Footer& footer, std::vector<ChunkEntry> entries)
      : stored_(std::move(stored)), path_(std::move(path)),
        header_{footer.journal, footer.number, footer.segment_bytes, footer.stored_bytes, footer.first_seq, footer.content},
        entries_(std::move(entries)) {
    offsets_.reserve(entries_.size());
    std::uint64_t offset = 0;
    for (const ChunkEntry& entry : entries_) {
      offsets_.push_back(offset);
      offset += entry.stored_bytes;
    }
  }

  const ArchivedHeader& header() const override { return header_; }

  Result<std::size_t> pread(std::uint64_t offset, std::span<std::byte> into) override {
    if (offset >= header_.segment_bytes || into.empty()) return std::size_t{0};
    const std::lock_guard lock(mutex_);
    const std::uint64_t chunk = chunk_at(offset);
    if (Status status = unpack(chunk); !status.ok()) return status;
    const std::uint64_t skip = offset - chunk_begin(chunk);
    const std::size_t count = std::min<std::uint64_t>(into.size(), chunk_.size() - skip);
    std::memcpy(into.data(), chunk_.data() + skip, count);
    return count;
  }
  Result<std::uint64_t> size() override { return header_.segment_bytes; }
  const std::string& path() const override { return path_; }

  Result<std::size_t> pwrite(std::uint64_t, std::span<const std::byte>) override { return read_only(); }
  Status preallocate(std::uint64_t) override { return read_only(); }
  Status sync_data() override { return read_only(); }

 private:
  Status read_only() const { return Status(Code::kFailedPrecondition, path_ + " is archived: it can be read only"); }

  // The chunk into chunk_.
  Status unpack(std::uint64_t chunk) {
    if (chunk == unpacked_) return ok_status();
    unpacked_ = ~std::uint64_t{0};
    const ChunkEntry& entry = entries_[chunk];
    const std::uint64_t begin = chunk_begin(chunk), end = std::min(chunk_begin(chunk + 1), header_.segment_bytes);
    packed_.resize(entry.stored_bytes);
    const Result<std::size_t> read = read_all(*stored_, offsets_[chunk], packed_);
    if (!read.ok()) return read.status();
    if (read.value() != packed_.size() || crc32c(packed_) != entry.crc) return broken(chunk);
    chunk_.resize(end - begin);
    const std::size_t unpacked = ZSTD_decompress(chunk_.data(), chunk_.size(), packed_.data(), packed_.size());
    if (ZSTD_isError(unpacked) != 0 || unpacked != chunk_.size()) return broken(chunk);
    unpacked_ = chunk;
    return ok_status();
  }
  Status broken(std::uint64_t chunk) const {
    return damage(path_, "its bytes from " + std::to_string(offsets_[chunk]) + " on do not check");
  }

  const std::unique_ptr<File> stored_;
  const std::string path_;
  const ArchivedHeader header_;
  const std::vector<ChunkEntry> entries_;
  std::vector<std::uint64_t> offsets_;
  std::mutex mutex_;
  std::uint64_t unpacked_ = ~std::uint64_t{0};  // which chunk is in chunk_
  std::vector<std::byte> packed_, chunk_;
};

// Writes the segment's bytes as chunks, and what they are at the end.
Status upload(File& segment, const SegmentHeader& header, SegmentArchive::Upload& to, CrashPoints& crash,
              const std::function<bool()>& go_on) {
  const std::uint64_t chunks = chunks_of(header.segment_bytes);
  std::vector<ChunkEntry> entries;
  std::vector<std::byte> raw, packed;
  Sha256 content;
  std::uint64_t stored = 0;
  for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
    if (!go_on()) return given_up();
    const std::uint64_t begin = chunk_begin(chunk), end = std::min(chunk_begin(chunk + 1), header.segment_bytes);
    raw.resize(end - begin);
    const Result<std::size_t> read = read_all(segment, begin, raw);
    if (!read.ok()) return read.status();
    if (read.value() != raw.size()) return damage(segment.path(), "it ends before its size");
    content.update(raw);
    packed.resize(ZSTD_compressBound(raw.size()));
    const std::size_t bytes = ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), kLevel);
    CHECK(ZSTD_isError(bytes) == 0, "zstd: %s", ZSTD_getErrorName(bytes));
    const auto whole = std::span(packed).first(bytes);
    if (Status status = to.append(whole); !status.ok()) return status;
    entries.push_back({static_cast<std::uint32_t>(bytes), crc32c(whole)});
    stored += bytes;
    crash.pass(CrashPoint::kInArchive);
  }
  Footer footer{};
  std::memcpy(footer.mark, kMark, sizeof kMark);
  footer.version = kVersion;
  footer.journal = header.id;
  footer.number = header.number;
  footer.chunks = static_cast<std::uint32_t>(chunks);
  footer.segment_bytes = header.segment_bytes;
  footer.stored_bytes = stored + entries.size() * sizeof(ChunkEntry) + sizeof footer;
  footer.first_seq = header.first_seq;
  footer.content = content.finish();
  footer.crc = crc_of(entries, footer);
  if (Status status = to.append(std::as_bytes(std::span(entries))); !status.ok()) return status;
  return to.append(std::as_bytes(std::span(&footer, 1)));
}

// SHA-256 of a segment's bytes.
Result<Digest> content_of(File& segment, std::uint64_t segment_bytes, const std::function<bool()>& go_on) {
  Sha256 content;
  std::vector<std::byte> piece(kChunkBytes);
  for (std::uint64_t offset = 0; offset < segment_bytes;) {
    if (!go_on()) return given_up();
    const Result<std::size_t> read = read_all(segment, offset, piece);
    if (!read.ok()) return read.status();
    if (read.value() == 0) return damage(segment.path(), "it ends before its size");
    content.update(std::span(piece).first(read.value()));
    offset += read.value();
  }
  return content.finish();
}

// That the segment holds blocks in an unbroken chain up to its end mark.
Status check_blocks(std::unique_ptr<File> segment, const SegmentHeader& header, const std::function<bool()>& go_on) {
  SegmentReader reader(std::move(segment), header, true);
  while (true) {
    if (!go_on()) return given_up();
    const Result<Step> step = reader.next();
    if (!step.ok()) return step.status();
    if (step.value() == Step::kSegmentEnd) return ok_status();
    if (step.value() == Step::kBlock || step.value() == Step::kSeal) continue;
    return damage(reader.file().path(), "at offset " + std::to_string(reader.offset()) + " of the segment " +
                                            (step.value() == Step::kFree ? std::string("its end mark is missing") : reader.reason()));
  }
}

// Whether the archive has these very bytes already: a crash came between the copy and the removal.
Result<bool> holds_copy(SegmentArchive& archive, const SegmentHeader& header, File& segment, const std::function<bool()>& go_on) {
  const Result<std::unique_ptr<ArchivedSegment>> there = ArchivedSegment::open(archive, header.number);
  if (!there.ok()) return false;  // nothing, or nothing whole: it is replaced
  if (there.value()->header().journal != header.id) {
    return Status(Code::kFailedPrecondition, there.value()->path() + " is of another journal than " + segment.path() +
                                                 ": each journal needs an archive of its own");
  }
  const Result<Digest> content = content_of(segment, header.segment_bytes, go_on);
  if (!content.ok()) return content.status();
  return content.value() == there.value()->header().content;
}

}  // namespace

std::string archive_name(std::uint32_t number) {
  std::string name = segment_name(number);
  return name.replace(name.size() - 4, 4, ".arc");
}

std::optional<std::uint32_t> archived_number(const std::string& name) {
  if (!name.ends_with(".arc")) return std::nullopt;
  return segment_number(name.substr(0, name.size() - 4) + ".seg");
}

Result<std::unique_ptr<ArchivedSegment>> ArchivedSegment::open(SegmentArchive& archive, std::uint32_t number) {
  const std::string name = archive_name(number), path = archive.path(name);
  Result<std::unique_ptr<File>> file = archive.open(name);
  if (!file.ok()) return file.status();
  const Result<std::uint64_t> size = file.value()->size();
  if (!size.ok()) return size.status();
  Footer footer{};
  if (size.value() < sizeof footer) return damage(path, "it is too short");
  Result<std::size_t> read = read_all(*file.value(), size.value() - sizeof footer, std::as_writable_bytes(std::span(&footer, 1)));
  if (!read.ok()) return read.status();
  if (read.value() != sizeof footer || std::memcmp(footer.mark, kMark, sizeof kMark) != 0) return damage(path, "its end is missing");
  if (footer.version != kVersion) return Status(Code::kUnsupported, path + " is of a newer format: use the version that wrote it");
  const bool fits = footer.segment_bytes >= kMinSegmentBytes && footer.segment_bytes <= kMaxSegmentBytes &&
                    footer.chunks == chunks_of(footer.segment_bytes) && footer.stored_bytes == size.value() && footer.number == number &&
                    footer.chunks * sizeof(ChunkEntry) + sizeof footer <= size.value();
  if (!fits) return damage(path, "its end is not that of segment " + std::to_string(number));
  std::vector<ChunkEntry> entries(footer.chunks);
  const auto bytes = std::as_writable_bytes(std::span(entries));
  const std::uint64_t place = size.value() - sizeof footer - bytes.size();
  read = read_all(*file.value(), place, bytes);
  if (!read.ok()) return read.status();
  if (read.value() != bytes.size() || crc_of(entries, footer) != footer.crc) return damage(path, "its list of chunks does not check");
  std::uint64_t stored = 0;
  for (const ChunkEntry& entry : entries) stored += entry.stored_bytes;
  if (stored != place) return damage(path, "its chunks are not as long as it is");
  return std::unique_ptr<ArchivedSegment>(std::make_unique<Reader>(file.take(), path, footer, std::move(entries)));
}

Status verify_archived(SegmentArchive& archive, std::uint32_t number, const std::function<bool()>& go_on) {
  Result<std::unique_ptr<ArchivedSegment>> opened = ArchivedSegment::open(archive, number);
  if (!opened.ok()) return opened.status();
  const ArchivedHeader said = opened.value()->header();
  const std::string path = opened.value()->path();
  const Result<Digest> content = content_of(*opened.value(), said.segment_bytes, go_on);
  if (!content.ok()) return content.status();
  if (content.value() != said.content) return damage(path, "it holds other bytes than it says");
  const Result<std::optional<SegmentHeader>> header = read_segment_header(*opened.value(), number);
  if (!header.ok()) return header.status();
  if (!header.value() || header.value()->id != said.journal || header.value()->first_seq != said.first_seq) {
    return damage(path, "it is of another segment than it says");
  }
  return check_blocks(opened.take(), *header.value(), go_on);
}

Status archive_segment(Disk& disk, const std::string& directory, std::uint32_t number, SegmentArchive& archive, CrashPoints& crash,
                       const std::function<bool()>& go_on) {
  const std::string path = directory + "/" + segment_name(number), name = archive_name(number);
  Result<std::unique_ptr<File>> segment = disk.open(path, Access::kRead);
  if (!segment.ok()) return segment.status();
  const Result<std::optional<SegmentHeader>> header = read_segment_header(*segment.value(), number);
  if (!header.ok()) return header.status();
  if (!header.value()) return damage(path, "its header is empty");
  Result<bool> there = holds_copy(archive, *header.value(), *segment.value(), go_on);
  if (!there.ok()) return there.status();
  if (!there.value()) {
    Result<std::unique_ptr<File>> checked = disk.open(path, Access::kRead);
    if (!checked.ok()) return checked.status();
    if (Status status = check_blocks(checked.take(), *header.value(), go_on); !status.ok()) return status;
    Result<std::unique_ptr<SegmentArchive::Upload>> to = archive.create(name);
    if (!to.ok()) return to.status();
    if (Status status = upload(*segment.value(), *header.value(), *to.value(), crash, go_on); !status.ok()) return status;
    crash.pass(CrashPoint::kBeforeArchived);
    if (Status status = to.value()->finish(); !status.ok()) return status;
    crash.pass(CrashPoint::kAfterArchived);
  }
  const Status right = verify_archived(archive, number, go_on);
  if (right.code() == Code::kDataLoss) static_cast<void>(archive.remove(name));
  if (!right.ok()) return right;
  if (Status status = disk.remove(path); !status.ok()) return status;
  crash.pass(CrashPoint::kAfterRemove);
  return disk.sync_directory(directory);
}

}  // namespace halocline
