#include "journal/journal_reader.h"

#include <algorithm>

#include "journal/block_search.h"
#include "journal/recovery.h"
#include "journal/tail.h"

namespace halocline {

Result<std::unique_ptr<JournalReader>> JournalReader::open(Disk& disk, const std::string& directory, Seq from,
                                                           bool verify_chain) {
  Result<std::vector<std::uint32_t>> numbers = list_segments(disk, directory);
  if (!numbers.ok()) return numbers.status();
  std::unique_ptr<JournalReader> reader(new JournalReader(disk, directory, from, verify_chain));
  for (std::size_t i = numbers.value().size(); i-- > 0;) {
    Result<bool> opened = reader->open_segment(numbers.value()[i]);
    if (!opened.ok()) return opened.status();
    if (!opened.value() || reader->segment_->segment().first_seq > std::max<Seq>(from, 1)) continue;
    if (verify_chain) return reader;
    const Status skipped = reader->skip_to(from);
    if (!skipped.ok()) return skipped;
    return reader;
  }
  if (reader->segment_ == nullptr) return Status(Code::kNotFound, "there is no journal in " + directory);
  return Status(Code::kOutOfRange, "the journal in " + directory + " starts with seq " +
                                       std::to_string(reader->segment_->segment().first_seq) + ", seq " +
                                       std::to_string(from) + " is no longer there");
}

// To the block that holds the seq, if it is there.
Status JournalReader::skip_to(Seq seq) {
  const auto is_before = [seq](const BlockPlace& block) { return block.first_seq <= seq; };
  Result<std::optional<BlockPlace>> place = last_block(segment_->file(), segment_->segment(), is_before);
  if (!place.ok()) return place.status();
  if (place.value()) segment_->skip_to(place.value()->offset);
  return ok_status();
}

std::string JournalReader::path(std::uint32_t number) const { return directory_ + "/" + segment_name(number); }

Status JournalReader::damage(const std::string& what) const {
  return Status(Code::kDataLoss, path(segment_->segment().number) + " is damaged at offset " +
                                     std::to_string(segment_->offset()) + ": " + what + "; restore the file from a copy");
}

Result<bool> JournalReader::open_segment(std::uint32_t number) {
  Result<std::unique_ptr<File>> file = disk_.open(path(number), Access::kRead);
  if (file.status().code() == Code::kNotFound) return false;
  if (!file.ok()) return file.status();
  Result<std::optional<SegmentHeader>> header = read_segment_header(*file.value(), number);
  if (!header.ok()) return header.status();
  if (!header.value().has_value()) return false;
  segment_ = std::make_unique<SegmentReader>(file.take(), *header.value(), verify_chain_);
  return true;
}

Result<bool> JournalReader::follow(Step step) {
  const SegmentHeader last = segment_->segment();
  const Seq next_seq = segment_->next_seq();
  const Digest chain = segment_->chain();
  const std::uint64_t end = segment_->offset();
  Result<bool> opened = open_segment(last.number + 1);
  if (!opened.ok()) return opened;
  if (!opened.value()) {
    if (step == Step::kSegmentEnd) return damage("the end mark says that " + segment_name(last.number + 1) + " exists, and it doesn't");
    return false;
  }
  const SegmentHeader& next = segment_->segment();
  if (next.id == last.id && next.first_seq == next_seq && next.previous_chain == chain) return true;
  return Status(Code::kDataLoss, path(last.number) + " is damaged at offset " + std::to_string(end) + ": seq " +
                                     std::to_string(next_seq) + " should follow, and " + segment_name(next.number) +
                                     " starts with seq " + std::to_string(next.first_seq) +
                                     "; restore the files from a copy");
}

Result<std::optional<BlockView>> JournalReader::next() {
  bool next_exists = false;
  for (;;) {
    if (!held_) {
      Result<Step> step = segment_->next();
      if (!step.ok()) return step.status();
      if (step.value() == Step::kSeal) continue;
      if (step.value() == Step::kWrong) return damage(segment_->reason());
      if (step.value() != Step::kBlock) {
        if (step.value() != Step::kSegmentEnd && !next_exists) {
          // The writer may have written on and rotated since: once the next segment is there, this one is complete, and
          // one more look at it says where it ends.
          Result<std::unique_ptr<File>> following = disk_.open(path(segment_->segment().number + 1), Access::kRead);
          next_exists = following.ok();
          if (next_exists) continue;
          if (following.status().code() != Code::kNotFound) return following.status();
          if (stop_after_ == 0 || segment_->next_seq() > stop_after_) return std::optional<BlockView>();
          // What is durable was complete before stop_after() was told, so the file has it now or never.
          step = segment_->next();
          if (!step.ok()) return step.status();
          if (step.value() == Step::kFree) return damage("seq " + std::to_string(segment_->next_seq()) + " is missing");
          if (step.value() == Step::kBroken || step.value() == Step::kWrong) return damage(segment_->reason());
          if (step.value() != Step::kBlock) continue;
        } else {
          Result<bool> followed = follow(step.value());
          if (!followed.ok()) return followed.status();
          if (!followed.value()) return std::optional<BlockView>();
          next_exists = false;
          continue;
        }
      }
    }
    held_ = stop_after_ != 0 && segment_->block().last_seq() > stop_after_;
    if (held_) return std::optional<BlockView>();
    if (segment_->block().last_seq() >= from_) return std::optional<BlockView>(segment_->block());
  }
}

Status JournalReader::check_end() {
  Result<Tail> tail = scan_tail(segment_->file(), segment_->segment(), segment_->offset(), segment_->next_seq());
  if (!tail.ok()) return tail.status();
  if (!tail.value().damage) return ok_status();
  return damage("no whole block is there, and " + tail.value().evidence);
}

}  // namespace halocline
