#include "journal/block_search.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/civil_time.h"
#include "journal/block.h"
#include "journal/recovery.h"

namespace halocline {
namespace {

// Nearer than this, blocks are walked through one by one.
constexpr std::uint64_t kNear = 64u << 10;
constexpr std::size_t kPiece = 64u << 10;

struct Found {
  BlockPlace place;
  BlockKind kind{};
  std::uint64_t end = 0;  // where the next block stands
};

class Search {
 public:
  Search(File& file, const SegmentHeader& segment) : file_(file), segment_(segment) {}

  // The whole block at this place, of whatever kind.
  Result<std::optional<Found>> at(std::uint64_t offset) {
    std::size_t want = kBlockHeaderBytes;
    for (;;) {
      if (offset + want > segment_.segment_bytes) return std::optional<Found>();
      block_.resize(want);
      Result<std::size_t> read = read_all(file_, offset, block_);
      if (!read.ok()) return read.status();
      if (read.value() < want) return std::optional<Found>();
      const BlockCheck check = check_block(block_, segment_.tag());
      if (check.needed > want) {
        want = check.needed;
        continue;
      }
      const BlockHeader& header = check.header;
      if (check.state != BlockState::kWhole || !stands(header, offset)) return std::optional<Found>();
      return std::optional<Found>({{offset, header.first_seq, header.first_seq + header.records - 1, header.time}, header.kind,
                                   offset + want});
    }
  }

  // The first whole block of records that stands at `from` or behind it, before `end`.
  Result<std::optional<Found>> after(std::uint64_t from, std::uint64_t end) {
    // What is written is blocks without gaps, so the next one is no further than one is long.
    const std::uint64_t last = std::min<std::uint64_t>(end, from + kMaxStoredBlockBytes + 2 * kEmptyBlockBytes);
    for (std::uint64_t piece = from; piece < last; piece += kPiece) {
      piece_.resize(std::min<std::uint64_t>(kPiece, last - piece));
      Result<std::size_t> read = read_all(file_, piece, piece_);
      if (!read.ok()) return read.status();
      for (std::size_t i = 0; i + kBlockAlign <= read.value(); i += kBlockAlign) {
        BlockHeader header;
        std::memcpy(static_cast<void*>(&header), piece_.data() + i, kBlockAlign);  // all of it but its chain
        if (header.magic != kBlockMagic || header.journal_tag != segment_.tag() || !stands(header, piece + i)) continue;
        Result<std::optional<Found>> found = at(piece + i);
        if (!found.ok() || (found.value().has_value() && found.value()->kind == BlockKind::kRecords)) return found;
      }
    }
    return std::optional<Found>();
  }

 private:
  bool stands(const BlockHeader& header, std::uint64_t offset) const {
    return header.segment == segment_.number && header.offset == offset;
  }

  File& file_;
  const SegmentHeader& segment_;
  std::vector<std::byte> block_, piece_;
};

}  // namespace

Result<std::optional<BlockPlace>> last_block(File& file, const SegmentHeader& segment,
                                             const std::function<bool(const BlockPlace&)>& holds) {
  Search search(file, segment);
  Result<std::optional<Found>> first = search.at(kSegmentHeaderBytes);
  if (!first.ok()) return first.status();
  if (!first.value() || first.value()->kind != BlockKind::kRecords || !holds(first.value()->place)) return std::optional<BlockPlace>();
  Found best = *first.value();
  std::uint64_t end = segment.segment_bytes;  // no block behind it holds
  while (end > best.end && end - best.end > kNear) {
    const std::uint64_t middle = (best.end + end) / 2 / kBlockAlign * kBlockAlign;
    Result<std::optional<Found>> found = search.after(middle, end);
    if (!found.ok()) return found.status();
    if (found.value() && holds(found.value()->place)) {
      best = *found.value();
    } else {
      end = middle;
    }
  }
  for (std::uint64_t next = best.end; next < end;) {
    Result<std::optional<Found>> found = search.at(next);
    if (!found.ok()) return found.status();
    if (!found.value() || found.value()->kind == BlockKind::kSegmentEnd) break;
    next = found.value()->end;
    if (found.value()->kind != BlockKind::kRecords) continue;
    if (!holds(found.value()->place)) break;
    best = *found.value();
  }
  return std::optional<BlockPlace>(best.place);
}

Result<Seq> last_seq_until(Disk& disk, const std::string& directory, Nanos time, Seq newest) {
  Result<std::vector<std::uint32_t>> listed = list_segments(disk, directory);
  if (!listed.ok()) return listed.status();
  const std::vector<std::uint32_t>& numbers = listed.value();
  if (numbers.empty()) return Status(Code::kNotFound, "there is no journal in " + directory);
  std::size_t begin = 0, end = numbers.size();  // the last segment that began by then is one of those before `end`
  std::optional<SegmentHeader> last, oldest;
  std::unique_ptr<File> file;
  while (begin < end) {
    const std::size_t middle = oldest ? begin + (end - begin) / 2 : 0;
    Result<std::unique_ptr<File>> opened = disk.open(directory + "/" + segment_name(numbers[middle]), Access::kRead);
    if (!opened.ok()) return opened.status();
    Result<std::optional<SegmentHeader>> header = read_segment_header(*opened.value(), numbers[middle]);
    if (!header.ok()) return header.status();
    if (!oldest) oldest = header.value();
    if (header.value() && header.value()->created <= time && header.value()->first_seq <= newest) {
      last = header.value();
      file = opened.take();
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  Seq found = 0;
  if (last) {
    Result<std::optional<BlockPlace>> block =
        last_block(*file, *last, [&](const BlockPlace& place) { return place.time <= time && place.first_seq <= newest; });
    if (!block.ok()) return block.status();
    found = block.value() ? std::min(block.value()->last_seq, newest) : last->first_seq - 1;
  }
  if (found == 0 && oldest && oldest->first_seq > 1) {
    return Status(Code::kOutOfRange, "the journal in " + directory + " begins with seq " + std::to_string(oldest->first_seq) + " at " +
                                         instant_text(oldest->created) + "; what was before is no longer there");
  }
  return found;
}

}  // namespace halocline
