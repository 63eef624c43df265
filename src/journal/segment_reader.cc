#include "journal/segment_reader.h"

#include <algorithm>
#include <cstring>

namespace halocline {
namespace {

// Small enough that what was read is still in the CPU's second-level cache when it is hashed.
constexpr std::size_t kMostReadAhead = 256u << 10;
constexpr std::size_t kLeastReadAhead = 8u << 10;

}  // namespace

SegmentReader::SegmentReader(std::unique_ptr<File> file, const SegmentHeader& header, bool verify_chain)
    : file_(std::move(file)),
      segment_(header),
      tag_(header.tag()),
      verify_chain_(verify_chain),
      next_seq_(header.first_seq),
      chain_(header.previous_chain),
      read_ahead_(kLeastReadAhead) {}

std::span<const std::byte> SegmentReader::loaded() const {
  const std::size_t skip = offset_ - buffer_start_;
  return std::span(buffer_).subspan(skip, buffer_used_ - skip);
}

// Has at least `want` bytes from offset_ in the buffer, or all that the segment has.
Status SegmentReader::load(std::size_t want) {
  want = std::min<std::uint64_t>(want, segment_.segment_bytes - offset_);
  const std::size_t have = loaded().size();
  if (have >= want) return ok_status();
  const std::uint64_t from = offset_ + have;
  const std::size_t more = std::min<std::uint64_t>(std::max(want - have, read_ahead_), segment_.segment_bytes - from);
  read_ahead_ = std::min(read_ahead_ * 2, kMostReadAhead);
  if (have > 0) std::memmove(buffer_.data(), loaded().data(), have);
  buffer_start_ = offset_;
  buffer_used_ = have;
  if (buffer_.size() < have + more) buffer_.resize(std::max(have + more, 2 * read_ahead_));
  Result<std::size_t> count = read_all(*file_, from, std::span(buffer_).subspan(have, more));
  if (!count.ok()) return count.status();
  buffer_used_ += count.value();
  return ok_status();
}

Result<BlockCheck> SegmentReader::look() {
  std::size_t want = kBlockHeaderBytes;
  for (;;) {
    if (Status status = load(want); !status.ok()) return status;
    BlockCheck check = check_block(loaded(), tag_);
    if (check.needed <= want || offset_ + check.needed > segment_.segment_bytes) return check;
    want = check.needed;
  }
}

Result<Step> SegmentReader::next() {
  if (segment_.segment_bytes - offset_ < kBlockHeaderBytes) return Step::kFree;
  Result<BlockCheck> check = look();
  if (!check.ok()) return check.status();
  if (check.value().state != BlockState::kWhole) {
    // The buffer may be older than the file: look at the file itself before saying so.
    buffer_start_ = offset_;
    buffer_used_ = 0;
    read_ahead_ = kLeastReadAhead;
    check = look();
    if (!check.ok()) return check.status();
  }
  if (check.value().state == BlockState::kFree) return Step::kFree;
  if (check.value().state == BlockState::kBroken) {
    reason_ = check.value().reason;
    return Step::kBroken;
  }
  return accept(check.value());
}

Step SegmentReader::wrong(std::string reason) {
  reason_ = std::move(reason);
  return Step::kWrong;
}

Step SegmentReader::accept(const BlockCheck& check) {
  const BlockHeader& header = check.header;
  if (header.segment != segment_.number || header.offset != offset_) {
    return wrong("a block that belongs in segment " + std::to_string(header.segment) + " at offset " +
                 std::to_string(header.offset) + " was found (a misdirected write or a mixed-up copy)");
  }
  if (trust_next_) {
    trust_next_ = false;
    next_seq_ = header.first_seq;
    chain_ = header.chain;
  } else {
    if (header.first_seq != next_seq_) {
      return wrong("the block starts with seq " + std::to_string(header.first_seq) + ", but seq " +
                   std::to_string(next_seq_) + " comes next");
    }
    if (header.kind != BlockKind::kRecords && header.chain != chain_) return wrong("the hash chain does not fit");
    if (header.kind == BlockKind::kRecords && verify_chain_ && next_chain(chain_, header, check.payload) != header.chain) {
      return wrong("the hash chain is broken: this block or an earlier one was replaced");
    }
  }
  if (header.durable_end > offset_) return wrong("the block claims to have been durable before it was written");
  header_ = header;
  if (header.kind == BlockKind::kSegmentEnd) return Step::kSegmentEnd;

  durable_end_ = std::max<std::uint64_t>(durable_end_, header.durable_end);
  offset_ += block_bytes(header.payload_bytes);
  if (header.kind == BlockKind::kSeal) return Step::kSeal;
  chain_ = header.chain;
  next_seq_ += header.records;
  block_.first_seq = header.first_seq;
  block_.time = header.time;
  block_.records = header.records;
  block_.payload = check.payload;
  return Step::kBlock;
}

void SegmentReader::skip_to(std::uint64_t offset) {
  offset_ = offset;
  buffer_start_ = offset;
  buffer_used_ = 0;
  trust_next_ = true;
}

}  // namespace halocline
