#include "journal/inspect.h"

#include <algorithm>

#include "journal/recovery.h"
#include "journal/segment_reader.h"
#include "journal/tail.h"

namespace halocline {
namespace {

class Walk {
 public:
  Walk(Disk& disk, const std::string& directory, const JournalVisitor& visitor, bool beginning_removed)
      : disk_(disk), directory_(directory), visitor_(visitor), beginning_removed_(beginning_removed) {}

  Result<JournalReport> run() {
    if (Status status = relist(); !status.ok()) return status;
    if (numbers_.empty()) return Status(Code::kNotFound, "there is no journal in " + directory_);
    if (numbers_[0] != 1 && !beginning_removed_) problem(path(numbers_[0] - 1), 0, "the segment and those before it are missing");
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (i > 0 && numbers_[i] != numbers_[i - 1] + 1) {
        problem(path(numbers_[i - 1] + 1), 0, "the segment is missing");
        known_ = false;
      }
      if (Status status = segment(i); !status.ok()) return status;
    }
    report_.chain = hex(chain_);
    return std::move(report_);
  }

 private:
  std::string path(std::uint32_t number) const { return directory_ + "/" + segment_name(number); }
  void problem(const std::string& place, std::uint64_t offset, const std::string& text) {
    report_.problems.push_back({place, offset, text});
  }

  Status relist() {
    Result<std::vector<std::uint32_t>> numbers = list_segments(disk_, directory_);
    if (!numbers.ok()) return numbers.status();
    numbers_ = numbers.take();
    return ok_status();
  }

  // Whether there is a segment behind the i-th by now.
  Result<bool> followed(std::size_t i) {
    if (i + 1 < numbers_.size()) return true;
    const std::uint32_t number = numbers_[i];
    Result<std::vector<std::uint32_t>> numbers = list_segments(disk_, directory_);
    if (!numbers.ok()) return numbers.status();
    for (const std::uint32_t later : numbers.value()) {
      if (later > number && later > numbers_.back()) numbers_.push_back(later);
    }
    return i + 1 < numbers_.size();
  }

  Status segment(std::size_t i) {
    const std::string place = path(numbers_[i]);
    Result<std::unique_ptr<File>> file = disk_.open(place, Access::kRead);
    if (!file.ok()) return file.status();
    Result<std::optional<SegmentHeader>> read = read_segment_header(*file.value(), numbers_[i]);
    if (!read.ok() && read.status().code() != Code::kDataLoss && read.status().code() != Code::kUnsupported) {
      return read.status();
    }
    if (!read.ok() || !read.value().has_value()) {
      const bool litter = read.ok() && i + 1 == numbers_.size() && !marked_;
      if (!litter) problem(place, 0, read.ok() ? "the segment is empty" : read.status().message());
      known_ = false;
      return ok_status();
    }
    const SegmentHeader header = *read.value();
    ++report_.segments;
    if (report_.id.empty()) report_.id = hex(header.id);
    if (hex(header.id) != report_.id) problem(place, 0, "the segment is of another journal, id " + hex(header.id));
    const bool follows = header.first_seq == next_seq_ && header.previous_chain == chain_;
    if (known_ && !follows) {
      problem(place, 0, "the segment starts with seq " + std::to_string(header.first_seq) + ", but seq " +
                            std::to_string(next_seq_) + " comes next" +
                            (header.first_seq == next_seq_ ? " (and the hash chain is another)" : ""));
    }
    if (i == 0 && header.number == 1 && (header.first_seq != 1 || header.previous_chain != first_chain(header.id))) {
      problem(place, 0, "the header is not that of a first segment");
    }
    if (visitor_.on_segment) visitor_.on_segment(header);
    marked_ = false;
    proved_at_ = looked_again_ = skipped_to_ = 0;
    SegmentReader reader(file.take(), header, true);
    Status status = blocks(reader, i);
    known_ = true;
    next_seq_ = reader.next_seq();
    chain_ = reader.chain();
    return status;
  }

  Status blocks(SegmentReader& reader, std::size_t i) {
    for (;;) {
      const std::uint64_t offset = reader.offset();
      Result<Step> step = reader.next();
      if (!step.ok()) return step.status();
      if (step.value() == Step::kBlock || step.value() == Step::kSeal) {
        visit(reader, offset);
        continue;
      }
      if (step.value() == Step::kSegmentEnd) {
        visit(reader, offset);
        return end_mark(reader, i);
      }
      Result<bool> go_on = stopped(reader, step.value(), i);
      if (!go_on.ok()) return go_on.status();
      if (!go_on.value()) return ok_status();
    }
  }

  void visit(const SegmentReader& reader, std::uint64_t offset) {
    BlockInfo info;
    info.segment = reader.segment().number;
    info.offset = offset;
    info.header = reader.block_header();
    info.bytes = block_bytes(info.header.payload_bytes);
    report_.bytes += info.bytes;
    if (info.header.kind == BlockKind::kRecords) {
      info.view = reader.block();
      if (report_.records == 0) {
        report_.first_seq = info.view.first_seq;
        report_.first_time = info.view.time;
      }
      report_.last_seq = info.view.last_seq();
      report_.last_time = info.view.time;
      ++report_.blocks;
      report_.records += info.view.records;
    }
    if (info.header.kind != BlockKind::kSegmentEnd) report_.sealed = info.header.kind == BlockKind::kSeal;
    if (visitor_.on_block) visitor_.on_block(info);
    if (!visitor_.on_record || info.header.kind != BlockKind::kRecords) return;
    for (const Record record : info.view.contents()) visitor_.on_record(info, record);
  }

  Status end_mark(SegmentReader& reader, std::size_t i) {
    marked_ = true;
    Result<bool> more = followed(i);
    if (!more.ok()) return more.status();
    if (!more.value()) problem(path(numbers_[i] + 1), 0, "the segment is missing: the one before it says it existed");
    const std::uint64_t end = reader.offset() + kEmptyBlockBytes;
    Result<Tail> rest = scan_tail(reader.file(), reader.segment(), end, reader.next_seq());
    if (!rest.ok()) return rest.status();
    if (rest.value().written_end > end) problem(path(numbers_[i]), end, "there are bytes behind the segment's end mark");
    return ok_status();
  }

  // There is no good block where one should or might be. True: read on.
  Result<bool> stopped(SegmentReader& reader, Step step, std::size_t i) {
    const std::string place = path(numbers_[i]);
    const std::uint64_t offset = reader.offset();
    const std::size_t known = numbers_.size();
    Result<bool> more = followed(i);
    if (!more.ok()) return more.status();
    Result<Tail> tail = scan_tail(reader.file(), reader.segment(), offset, reader.next_seq());
    if (!tail.ok()) return tail.status();
    // Beside a running server: what proves that this place should be good must be older than the look that found it bad.
    // So whatever is new since that look means another look.
    const bool proof_is_new = tail.value().damage && proved_at_ != offset;
    if (step != Step::kWrong && (proof_is_new || numbers_.size() != known)) {
      if (proof_is_new) proved_at_ = offset;
      return true;
    }
    const std::string found = step == Step::kFree ? "there is no block" : reader.reason();
    if (step == Step::kWrong || tail.value().damage) {
      problem(place, offset, found + (tail.value().damage ? "; this is no torn write: " + tail.value().evidence : ""));
      if (tail.value().first_block == 0 || tail.value().first_block <= skipped_to_) return false;
      skipped_to_ = tail.value().first_block;
      reader.skip_to(tail.value().first_block);
      return true;
    }
    if (more.value()) {
      if (unmarked_end_is_fine(reader, tail.value(), i)) return false;
      if (looked_again_ != offset) {
        looked_again_ = offset;
        return true;
      }
      problem(place, offset, found + ", and the segment's end mark is missing");
      return false;
    }
    report_.torn = tail.value().written_end > offset;
    report_.torn_offset = report_.torn ? offset : 0;
    report_.torn_bytes = tail.value().written_end - offset;
    return false;
  }

  // A crash, or this moment, between the birth of the next segment and the mark.
  bool unmarked_end_is_fine(SegmentReader& reader, const Tail& tail, std::size_t i) {
    if (i + 2 != numbers_.size() || tail.written_end > reader.offset() + kEmptyBlockBytes) return false;
    Result<std::unique_ptr<File>> file = disk_.open(path(numbers_[i + 1]), Access::kRead);
    if (!file.ok()) return false;
    Result<std::optional<SegmentHeader>> next = read_segment_header(*file.value(), numbers_[i + 1]);
    if (!next.ok()) return false;
    if (!next.value().has_value()) return true;
    SegmentReader following(file.take(), *next.value(), false);
    Result<Step> step = following.next();
    return step.ok() && step.value() == Step::kFree;
  }

  Disk& disk_;
  const std::string& directory_;
  const JournalVisitor& visitor_;
  const bool beginning_removed_;
  JournalReport report_;
  std::vector<std::uint32_t> numbers_;
  bool known_ = false;   // next_seq_ and chain_ are those of the segment before
  bool marked_ = false;  // the segment before has its end mark
  Seq next_seq_ = 1;
  Digest chain_{};
  // Offsets in the segment being read.
  std::uint64_t proved_at_ = 0;
  std::uint64_t looked_again_ = 0;
  std::uint64_t skipped_to_ = 0;
};

}  // namespace

Result<JournalReport> walk_journal(Disk& disk, const std::string& directory, const JournalVisitor& visitor, bool beginning_removed) {
  return Walk(disk, directory, visitor, beginning_removed).run();
}

}  // namespace halocline
