#include "journal/recovery.h"

#include <algorithm>
#include <array>

#include "journal/block.h"
#include "journal/segment_reader.h"
#include "journal/tail.h"

namespace halocline {
namespace {

constexpr char kRestore[] = "; restore the file from a copy; nothing was changed";

Status damage(const std::string& path, std::uint64_t offset, const std::string& what) {
  return Status(Code::kDataLoss, path + " is damaged at offset " + std::to_string(offset) + ": " + what + kRestore);
}

// One recovery: what has been read so far and what is still to be proven.
class Recovery {
 public:
  Recovery(Disk& disk, const std::string& directory, const RecoveryOptions& options, const BlockHandler& handler)
      : disk_(disk), directory_(directory), options_(options), handler_(handler) {}

  Result<Recovered> run() {
    if (Status status = find_segments(); !status.ok()) return status;
    if (found_.empty) return std::move(found_);
    for (std::size_t i = start_; i < headers_.size(); ++i) {
      if (Status status = read_segment(i); !status.ok()) return status;
    }
    if (Status status = meet_checkpoint(); !status.ok()) return status;
    return std::move(found_);
  }

 private:
  std::string path(std::uint32_t number) const { return directory_ + "/" + segment_name(number); }
  bool is_last(std::size_t i) const { return i + 1 == headers_.size(); }

  // After the record `last`, where the chain is `chain`.
  Status pass_checkpoint(Seq last, const Digest& chain) {
    if (!options_.checkpoint || checkpoint_met_ || last < options_.checkpoint->seq) return ok_status();
    checkpoint_met_ = true;
    if (last == options_.checkpoint->seq && chain == options_.checkpoint->chain) return ok_status();
    return Status(Code::kDataLoss, "the journal in " + directory_ + " has another hash chain at seq " +
                                       std::to_string(options_.checkpoint->seq) + " than the checkpoint taken there: one of them was " +
                                       "replaced; restore the journal, or move the checkpoint away to start from the journal alone; " +
                                       "nothing was changed");
  }

  Status meet_checkpoint() const {
    if (!options_.checkpoint || checkpoint_met_) return ok_status();
    const std::string what = "the journal in " + directory_ + " ends with seq " + std::to_string(found_.last_seq) +
                             ", before the checkpoint of seq " + std::to_string(options_.checkpoint->seq);
    if (!options_.checkpoint->synced) return Status(Code::kOutOfRange, what);
    return Status(Code::kDataLoss, what + ", which was durable: records are missing; restore the journal from a copy, or move the " +
                                       "checkpoint away to go on without them; nothing was changed");
  }

  // Which segments there are, which of them to read, and that none is missing, foreign or half-made.
  Status find_segments() {
    Result<std::vector<std::string>> names = disk_.list(directory_);
    if (!names.ok()) return names.status();
    std::vector<std::uint32_t> numbers;
    for (const std::string& name : names.value()) {
      if (is_prepared_name(name)) found_.litter.push_back(name);
      if (const auto number = segment_number(name)) numbers.push_back(*number);
    }
    for (const std::uint32_t number : numbers) {
      if (Status status = add_header(number, number == numbers.back()); !status.ok()) return status;
    }
    if (headers_.empty()) return ok_status();
    found_.empty = false;
    found_.id = headers_[0].id;
    found_.first_segment = headers_[0].number;
    found_.first_seq = headers_[0].first_seq;
    while (start_ + 1 < headers_.size() && headers_[start_ + 1].first_seq <= options_.replay_from) ++start_;
    if (start_ > 0 && is_last(start_)) {
      Result<bool> empty = has_no_block(headers_[start_]);
      if (!empty.ok()) return empty.status();
      if (empty.value()) --start_;  // where the one before it ends must be known, see end_full()
    }
    if (headers_[0].number != 1 && headers_[0].first_seq > options_.replay_from) {
      return missing(headers_[0].number - 1, "the journal starts with " + segment_name(headers_[0].number) + ", seq " +
                                                 std::to_string(headers_[0].first_seq) + ", but seq " +
                                                 std::to_string(options_.replay_from) + " is needed");
    }
    return ok_status();
  }

  Result<bool> has_no_block(const SegmentHeader& header) {
    Result<std::unique_ptr<File>> file = disk_.open(path(header.number), Access::kRead);
    if (!file.ok()) return file.status();
    SegmentReader reader(file.take(), header, false);
    Result<Step> step = reader.next();
    if (!step.ok()) return step.status();
    return step.value() == Step::kFree;
  }

  Status missing(std::uint32_t number, const std::string& why) const {
    return Status(Code::kDataLoss, path(number) + " is missing: " + why + "; restore the file; nothing was changed");
  }

  Status add_header(std::uint32_t number, bool last) {
    Result<std::unique_ptr<File>> file = disk_.open(path(number), Access::kRead);
    if (!file.ok()) return file.status();
    Result<std::optional<SegmentHeader>> read = read_segment_header(*file.value(), number);
    if (!read.ok()) return read.status();
    if (!headers_.empty() && number != headers_.back().number + 1) {
      return missing(headers_.back().number + 1, segment_name(number) + " is there");
    }
    if (!read.value().has_value()) return empty_file(*file.value(), number, last);
    const SegmentHeader& header = *read.value();
    if (headers_.empty() && number == 1 && (header.first_seq != 1 || header.previous_chain != first_chain(header.id))) {
      return damage(path(number), 0, "its header is not that of a first segment");
    }
    if (!headers_.empty() && header.id != headers_[0].id) {
      return Status(Code::kDataLoss, path(number) + " is of another journal (id " + hex(header.id) + ") than " +
                                         path(headers_[0].number) + " (id " + hex(headers_[0].id) +
                                         "): move it away and restore the right one; nothing was changed");
    }
    headers_.push_back(header);
    return ok_status();
  }

  // A segment file with nothing in it: left by a crash while it was made, if nothing says that it ever was more.
  Status empty_file(File& file, std::uint32_t number, bool last) {
    SegmentHeader nothing;
    Result<std::uint64_t> size = file.size();
    if (!size.ok()) return size.status();
    nothing.segment_bytes = size.value();
    Result<Tail> tail = scan_tail(file, nothing, 0, 1);
    if (!tail.ok()) return tail.status();
    if (tail.value().written_end > 0) return damage(path(number), 0, "its header is empty, what follows isn't");
    if (!last) return damage(path(number), 0, "the file is empty, and a later segment exists");
    if (headers_.empty() && number != 1) return missing(number - 1, "only an empty " + segment_name(number) + " is there");
    found_.litter.push_back(segment_name(number));
    found_.notes.push_back("removed " + path(number) + ", which was empty: a crash while it was made");
    empty_last_ = true;
    return ok_status();
  }

  Status read_segment(std::size_t i) {
    const SegmentHeader& header = headers_[i];
    if (i > start_ && (header.first_seq != next_seq_ || header.previous_chain != found_.chain)) {
      return damage(path(header.number - 1), stopped_at_,
                    stopped_because_ + "; seq " + std::to_string(next_seq_) + " is missing: the next segment starts with seq " +
                        std::to_string(header.first_seq) +
                        (header.first_seq == next_seq_ ? " and another hash chain" : ""));
    }
    if (i == start_ && header.first_seq > 1) {
      if (Status status = pass_checkpoint(header.first_seq - 1, header.previous_chain); !status.ok()) return status;
    }
    Result<std::unique_ptr<File>> file = disk_.open(path(header.number), Access::kRead);
    if (!file.ok()) return file.status();
    SegmentReader reader(file.take(), header, options_.verify_chain);
    Result<Step> step = walk(reader);
    if (!step.ok()) return step.status();
    if (step.value() == Step::kWrong) return damage(path(header.number), reader.offset(), reader.reason());
    if (header.number > 1) found_.last_time = std::max(found_.last_time, header.created);
    next_seq_ = reader.next_seq();
    found_.chain = reader.chain();
    found_.last_seq = next_seq_ - 1;
    stopped_at_ = reader.offset();
    stopped_because_ = step.value() == Step::kBroken ? reader.reason() : "the blocks end here";
    return is_last(i) ? end_last(reader, step.value()) : end_full(reader, step.value(), i);
  }

  // Hands on the blocks of one segment; returns why it stopped.
  Result<Step> walk(SegmentReader& reader) {
    for (;;) {
      Result<Step> step = reader.next();
      if (!step.ok()) return step;
      if (step.value() == Step::kSeal) {
        found_.sealed = true;
        continue;
      }
      if (step.value() != Step::kBlock) return step;
      if (Status status = check_mark_before(reader.segment().number); !status.ok()) return status;
      const BlockView& block = reader.block();
      found_.sealed = false;
      found_.last_time = block.time;
      ++found_.blocks;
      found_.records += block.records;
      found_.bytes += block.payload.size();
      if (Status status = pass_checkpoint(block.last_seq(), reader.chain()); !status.ok()) return status;
      if (block.last_seq() < options_.replay_from) continue;
      if (Status status = handler_(block); !status.ok()) return status;
    }
  }

  // A segment's end mark is durable before the next one gets its first block.
  Status check_mark_before(std::uint32_t number) const {
    if (!mark_missing_) return ok_status();
    return damage(path(number - 1), *found_.mark_offset, "the segment's end mark is missing or broken");
  }

  Status end_full(SegmentReader& reader, Step step, std::size_t i) {
    const std::uint64_t mark_end = std::min<std::uint64_t>(reader.offset() + kEmptyBlockBytes, reader.segment().segment_bytes);
    Result<Tail> rest = scan_tail(reader.file(), reader.segment(), mark_end, reader.next_seq());
    if (!rest.ok()) return rest.status();
    const bool clean = rest.value().written_end == mark_end;
    if (is_last(i + 1)) {
      found_.mark_offset = reader.offset();
      found_.mark_chain = reader.chain();
      found_.mark_seq = reader.next_seq();
    }
    if (step == Step::kSegmentEnd) {
      if (clean) return ok_status();
      return damage(path(reader.segment().number), mark_end, "there are bytes behind the segment's end mark");
    }
    // No mark: the crash may have come between the birth of the next segment and the mark. Then the next one is the last,
    // has no block yet, and continues exactly here (checked when it is read).
    const SegmentHeader& next = headers_[i + 1];
    const bool follows = next.first_seq == next_seq_ && next.previous_chain == found_.chain;
    if (!follows) return ok_status();
    if (clean && is_last(i + 1)) {
      mark_missing_ = true;
      return ok_status();
    }
    return damage(path(reader.segment().number), reader.offset(), stopped_because_ + ", and the segment's end mark is missing");
  }

  Status end_last(SegmentReader& reader, Step step) {
    const SegmentHeader& header = reader.segment();
    if (step == Step::kSegmentEnd) {
      return missing(header.number + 1,
                     segment_name(header.number) + " ends with the mark that it existed" + (empty_last_ ? ", and it is empty" : ""));
    }
    Result<Tail> tail = scan_tail(reader.file(), header, reader.offset(), reader.next_seq());
    if (!tail.ok()) return tail.status();
    const std::string found = step == Step::kBroken ? reader.reason() : "there is no block";
    if (tail.value().damage) {
      return damage(path(header.number), reader.offset(),
                    found + " where seq " + std::to_string(reader.next_seq()) +
                        " should start, and this is no torn write of a crash: " + tail.value().evidence);
    }
    if (tail.value().written_end > reader.offset()) {
      if (Status status = check_mark_before(header.number); !status.ok()) return status;
      TornTail torn;
      torn.path = path(header.number);
      torn.offset = reader.offset();
      torn.bytes = tail.value().written_end - reader.offset();
      torn.blocks = tail.value().blocks;
      torn.records = tail.value().records;
      found_.torn = torn;
    }
    found_.last_segment = header.number;
    found_.segment = header;
    found_.end = reader.offset();
    found_.proven_end = reader.durable_end();
    if (found_.end > kSegmentHeaderBytes || found_.torn.has_value()) found_.mark_offset.reset();
    return ok_status();
  }

  Disk& disk_;
  const std::string& directory_;
  const RecoveryOptions& options_;
  bool checkpoint_met_ = false;
  const BlockHandler& handler_;
  Recovered found_;
  std::vector<SegmentHeader> headers_;
  std::size_t start_ = 0;     // the first of headers_ that is read
  bool mark_missing_ = false;  // the last segment but one has no whole end mark
  bool empty_last_ = false;   // there was an empty file behind the last of headers_
  Seq next_seq_ = 1;
  std::uint64_t stopped_at_ = 0;
  std::string stopped_because_;
};

Status rewrite(File& file, std::uint64_t begin, std::uint64_t end) {
  std::vector<std::byte> chunk(std::min<std::uint64_t>(1u << 20, end - begin));
  for (std::uint64_t at = begin; at < end; at += chunk.size()) {
    const auto piece = std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), end - at));
    Result<std::size_t> count = read_all(file, at, piece);
    if (!count.ok()) return count.status();
    if (count.value() < piece.size()) return damage(file.path(), at, "the file became shorter");
    if (Status status = write_all(file, at, piece); !status.ok()) return status;
  }
  return ok_status();
}

}  // namespace

Result<Recovered> recover(Disk& disk, const std::string& directory, const RecoveryOptions& options,
                          const BlockHandler& handler) {
  return Recovery(disk, directory, options, handler).run();
}

Status write_zeros(File& file, std::uint64_t begin, std::uint64_t end) {
  static constexpr std::size_t kChunk = 256u << 10;
  static const std::vector<std::byte> zeros(kChunk);
  for (std::uint64_t at = begin; at < end; at += kChunk) {
    const std::size_t count = std::min<std::uint64_t>(kChunk, end - at);
    if (Status status = write_all(file, at, std::span(zeros).first(count)); !status.ok()) return status;
  }
  return ok_status();
}

Status write_end_mark(File& file, const SegmentHeader& segment, std::uint64_t offset, Seq next_seq, Nanos time,
                      const Digest& chain) {
  BlockHeader header;
  header.journal_tag = segment.tag();
  header.segment = segment.number;
  header.offset = static_cast<std::uint32_t>(offset);
  header.first_seq = next_seq;
  header.time = time;
  header.durable_end = static_cast<std::uint32_t>(offset);
  header.kind = BlockKind::kSegmentEnd;
  header.chain = chain;
  std::array<std::byte, kEmptyBlockBytes> bytes;
  encode_block(header, {}, bytes);
  if (Status status = write_all(file, offset, bytes); !status.ok()) return status;
  return file.sync_data();
}

Status repair(Disk& disk, const std::string& directory, const Recovered& recovered) {
  for (const std::string& name : recovered.litter) {
    if (Status status = disk.remove(directory + "/" + name); !status.ok()) return status;
  }
  // Also makes the last segment's name durable, if the crash came just before that.
  if (Status status = disk.sync_directory(directory); !status.ok()) return status;
  if (recovered.empty) return ok_status();
  if (recovered.mark_offset.has_value()) {
    const std::uint32_t number = recovered.last_segment - 1;
    Result<std::unique_ptr<File>> file = disk.open(directory + "/" + segment_name(number), Access::kReadWrite);
    if (!file.ok()) return file.status();
    Result<std::optional<SegmentHeader>> header = read_segment_header(*file.value(), number);
    if (!header.ok()) return header.status();
    CHECK(header.value().has_value(), "segment %u had a header a moment ago", number);
    Status status = write_end_mark(*file.value(), *header.value(), *recovered.mark_offset, recovered.mark_seq,
                                   recovered.last_time, recovered.mark_chain);
    if (!status.ok()) return status;
  }
  Result<std::unique_ptr<File>> file =
      disk.open(directory + "/" + segment_name(recovered.last_segment), Access::kReadWrite);
  if (!file.ok()) return file.status();
  if (recovered.torn.has_value()) {
    Status status = write_zeros(*file.value(), recovered.torn->offset, recovered.torn->offset + recovered.torn->bytes);
    if (!status.ok()) return status;
  }
  if (Status status = rewrite(*file.value(), recovered.proven_end, recovered.end); !status.ok()) return status;
  return file.value()->sync_data();
}

Result<JournalId> journal_id(Disk& disk, const std::string& directory) {
  Result<std::vector<std::uint32_t>> numbers = list_segments(disk, directory);
  if (!numbers.ok()) return numbers.status();
  for (const std::uint32_t number : numbers.value()) {
    Result<std::unique_ptr<File>> file = disk.open(directory + "/" + segment_name(number), Access::kRead);
    if (!file.ok()) return file.status();
    const Result<std::optional<SegmentHeader>> header = read_segment_header(*file.value(), number);
    if (header.ok() && header.value().has_value()) return header.value()->id;
  }
  return Status(Code::kNotFound, "there is no journal in " + directory);
}

Result<std::vector<std::uint32_t>> list_segments(Disk& disk, const std::string& directory) {
  Result<std::vector<std::string>> names = disk.list(directory);
  if (!names.ok()) return names.status();
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : names.value()) {
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace halocline
