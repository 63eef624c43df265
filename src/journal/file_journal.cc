#include "journal/file_journal.h"

#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "journal/memory_journal.h"

namespace halocline {
namespace {

Result<JournalId> random_id() {
  JournalId id;
  if (::getentropy(id.data(), id.size()) != 0) return Status(Code::kInternal, "the system gives no random bytes");
  return id;
}

Status check_options(const FileJournalOptions& options) {
  if (options.durability == Durability::kMemory) {
    return Status(Code::kInvalidArgument, "durability \"memory\" has no files: use MemoryJournal");
  }
  if (options.segment_bytes < kMinSegmentBytes || options.segment_bytes > kMaxSegmentBytes ||
      options.segment_bytes % 4096 != 0) {
    return Status(Code::kInvalidArgument, "a journal segment of " + std::to_string(options.segment_bytes) +
                                              " bytes is not a multiple of 4096 from " +
                                              std::to_string(kMinSegmentBytes) + " to " +
                                              std::to_string(kMaxSegmentBytes));
  }
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<FileJournal>> FileJournal::open(Disk& disk, const FileJournalOptions& options,
                                                       const BlockHandler& handler) {
  if (Status status = check_options(options); !status.ok()) return status;
  std::unique_ptr<FileJournal> journal(new FileJournal(disk, options));
  const char* crash_at = options.crash_at != nullptr ? options.crash_at : std::getenv("HALOCLINE_CRASH_AT");
  if (Status status = journal->crash_points_.arm(crash_at); !status.ok()) return status;
  if (Status status = disk.make_directory(options.directory); !status.ok()) return status;
  Result<std::unique_ptr<Lock>> lock = disk.lock(options.directory + "/LOCK");
  if (!lock.ok()) return lock.status();
  journal->lock_ = lock.take();
  if (Status status = journal->recover_or_create(handler); !status.ok()) return status;
  journal->max_block_bytes_ =
      std::min<std::size_t>(limits::kMaxBlockBytes, std::min(journal->segment_.segment_bytes, options.segment_bytes) -
                                                        kSegmentHeaderBytes - 2 * kEmptyBlockBytes);
  journal->preparer_ = std::make_unique<SegmentPreparer>(disk, options.directory, options.segment_bytes,
                                                         journal->segment_.number + 1, options.background,
                                                         journal->crash_points_);
  journal->preparer_->progress(journal->offset_);
  if (options.durability == Durability::kOs && options.background) journal->write_behind_ = std::make_unique<WriteBehind>();
  return journal;
}

Status FileJournal::recover_or_create(const BlockHandler& handler) {
  Result<Recovered> recovered = recover(disk_, options_.directory, options_.recovery, handler);
  if (!recovered.ok()) return recovered.status();
  recovered_ = recovered.take();
  if (Status status = repair(disk_, options_.directory, recovered_); !status.ok()) return status;
  return recovered_.empty ? create_first() : continue_at(recovered_);
}

Status FileJournal::create_first() {
  Result<JournalId> id = random_id();
  if (!id.ok()) return id.status();
  SegmentHeader header;
  header.id = id.value();
  header.number = 1;
  header.segment_bytes = options_.segment_bytes;
  header.first_seq = 1;
  header.created = options_.now;
  header.previous_chain = first_chain(header.id);
  SegmentPreparer first(disk_, options_.directory, options_.segment_bytes, 1, false, crash_points_);
  Result<std::unique_ptr<File>> file = first.take();
  if (!file.ok()) return file.status();
  if (Status status = name_segment(*file.value(), header); !status.ok()) return status;
  if (Status status = disk_.sync_directory(options_.directory); !status.ok()) return status;
  file_ = file.take();
  segment_ = header;
  offset_ = durable_end_ = kSegmentHeaderBytes;
  chain_ = header.previous_chain;
  segments_ = 1;
  return ok_status();
}

Status FileJournal::continue_at(const Recovered& recovered) {
  Result<std::unique_ptr<File>> file =
      disk_.open(options_.directory + "/" + segment_name(recovered.last_segment), Access::kReadWrite);
  if (!file.ok()) return file.status();
  file_ = file.take();
  segment_ = recovered.segment;
  offset_ = durable_end_ = recovered.end;  // repair() has synced it
  next_seq_ = recovered.last_seq + 1;
  last_time_ = recovered.last_time;
  chain_ = recovered.chain;
  segments_ = recovered.last_segment - recovered.first_segment + 1;
  return ok_status();
}

// Gives a prepared file its header, durably, and then its name.
Status FileJournal::name_segment(File& file, const SegmentHeader& header) {
  if (Status status = write_all(file, 0, encode_segment_header(header)); !status.ok()) return status;
  // A failed sync is never "try again later", even when it is for want of room.
  if (Status status = file.sync_data(); !status.ok()) return Status(Code::kIo, status.message());
  const std::string directory = options_.directory + "/";
  return disk_.rename(directory + prepared_name(header.number), directory + segment_name(header.number));
}

Status FileJournal::poison(const Status& status) {
  poison_ = Status(status.code() == Code::kResourceExhausted ? Code::kIo : status.code(),
                   "the journal takes nothing more, the process must be restarted: " + status.message());
  return poison_;
}

BlockHeader FileJournal::next_header(BlockKind kind, Nanos time) const {
  BlockHeader header;
  header.journal_tag = segment_.tag();
  header.segment = segment_.number;
  header.offset = static_cast<std::uint32_t>(offset_);
  header.first_seq = next_seq_;
  header.time = time;
  header.durable_end = static_cast<std::uint32_t>(durable_end_);
  header.kind = kind;
  header.chain = chain_;
  return header;
}

Status FileJournal::append(const BlockView& block) {
  CHECK(!closed_, "append after close");
  check_appendable(block, next_seq_, last_time_);
  if (!poison_.ok()) return poison_;
  const std::size_t bytes = block_bytes(block.payload.size());
  if (kSegmentHeaderBytes + bytes + kEmptyBlockBytes > std::min(segment_.segment_bytes, options_.segment_bytes)) {
    return Status(Code::kInvalidArgument, "a block of " + std::to_string(bytes) + " bytes does not fit into a segment of " +
                                              std::to_string(options_.segment_bytes));
  }
  if (write_behind_ != nullptr) {
    Result<std::uint64_t> end = write_behind_->durable_end(*file_);
    if (!end.ok()) return poison(end.status());
    durable_end_ = std::max(durable_end_, end.value());
  }
  if (bytes + kEmptyBlockBytes > room()) {
    if (Status status = rotate(block.time); !status.ok()) return status;
  }
  BlockHeader header = next_header(BlockKind::kRecords, block.time);
  header.payload_bytes = static_cast<std::uint32_t>(block.payload.size());
  header.records = block.records;
  header.chain = next_chain(chain_, header, block.payload);
  if (Status status = write_block(header, block.payload); !status.ok()) return status;
  chain_ = header.chain;
  next_seq_ += block.records;
  last_time_ = block.time;
  records_.fetch_add(block.records, std::memory_order_relaxed);
  preparer_->progress(offset_);
  return ok_status();
}

// One write. If the disk is full the place is wiped again, durably: half a block must never stand before a good one, and
// what was refused must not come back after a power failure.
Status FileJournal::write_block(BlockHeader header, std::span<const std::byte> payload) {
  const std::size_t bytes = block_bytes(payload.size());
  if (buffer_.size() < bytes) buffer_.resize(std::max(bytes, 2 * buffer_.size()));
  encode_block(header, payload, buffer_);
  crash_points_.pass(CrashPoint::kBeforeWrite);
  Status status = write_all(*file_, offset_, std::span(buffer_).first(bytes));
  if (status.code() == Code::kResourceExhausted) {
    Status wiped = write_zeros(*file_, offset_, offset_ + bytes);
    if (wiped.ok()) wiped = file_->sync_data();
    return wiped.ok() ? status : poison(wiped);
  }
  if (!status.ok()) return poison(status);
  crash_points_.pass(CrashPoint::kAfterWrite);
  offset_ += bytes;
  blocks_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return ok_status();
}

Status FileJournal::sync() {
  if (durable_end_ == offset_) return ok_status();
  const auto start = std::chrono::steady_clock::now();
  crash_points_.pass(CrashPoint::kBeforeSync);
  if (write_behind_ != nullptr) {
    if (Status status = write_behind_->settle(); !status.ok()) return poison(status);
  }
  if (Status status = file_->sync_data(); !status.ok()) return poison(status);
  crash_points_.pass(CrashPoint::kAfterSync);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
  last_sync_nanos_.store(took.count(), std::memory_order_relaxed);
  syncs_.fetch_add(1, std::memory_order_relaxed);
  durable_end_ = offset_;
  return ok_status();
}

Result<Seq> FileJournal::commit() {
  CHECK(!closed_, "commit after close");
  if (!poison_.ok()) return poison_;
  if (options_.durability == Durability::kFsync) {
    if (Status status = sync(); !status.ok()) return status;
  } else if (write_behind_ != nullptr) {
    write_behind_->written(file_, offset_);
  }
  return next_seq_ - 1;
}

// The order is what recovery relies on: the full segment is durable before the next one is named, the next one is named
// durably before the full one gets its end mark, and the end mark is durable before the next one gets a block.
Status FileJournal::rotate(Nanos time) {
  if (Status status = sync(); !status.ok()) return status;
  if (!preparer_->ready()) rotation_waits_.fetch_add(1, std::memory_order_relaxed);
  Result<std::unique_ptr<File>> taken = preparer_->take();
  if (!taken.ok()) return taken.status();
  std::unique_ptr<File> file = taken.take();
  crash_points_.pass(CrashPoint::kBeforeRotate);
  SegmentHeader header = segment_;
  header.number = segment_.number + 1;
  header.segment_bytes = options_.segment_bytes;
  header.first_seq = next_seq_;
  header.created = time;
  header.previous_chain = chain_;
  if (Status status = name_segment(*file, header); !status.ok()) {
    if (status.code() != Code::kResourceExhausted) return poison(status);
    preparer_->give_back(std::move(file));
    return status;
  }
  if (Status status = disk_.sync_directory(options_.directory); !status.ok()) return poison(status);
  crash_points_.pass(CrashPoint::kInRotate);
  Status status = write_end_mark(*file_, segment_, offset_, next_seq_, time, chain_);
  if (!status.ok()) return poison(status);
  file_ = std::move(file);
  segment_ = header;
  offset_ = durable_end_ = kSegmentHeaderBytes;
  segments_.fetch_add(1, std::memory_order_relaxed);
  preparer_->prepare(segment_.number + 1);
  crash_points_.pass(CrashPoint::kAfterRotate);
  return ok_status();
}

Status FileJournal::close() {
  CHECK(!closed_, "close after close");
  if (!poison_.ok()) return poison_;
  if (Status status = sync(); !status.ok()) return status;
  crash_points_.pass(CrashPoint::kBeforeSeal);
  if (room() >= 2 * kEmptyBlockBytes) {  // else the segment is as good as full, and the next start does without a seal
    if (Status status = write_block(next_header(BlockKind::kSeal, last_time_), {}); !status.ok()) return status;
    if (Status status = sync(); !status.ok()) return status;
  }
  crash_points_.pass(CrashPoint::kAfterSeal);
  closed_ = true;
  return ok_status();
}

JournalStats FileJournal::stats() const {
  JournalStats stats;
  stats.records = records_.load(std::memory_order_relaxed);
  stats.blocks = blocks_.load(std::memory_order_relaxed);
  stats.bytes = bytes_.load(std::memory_order_relaxed);
  stats.syncs = syncs_.load(std::memory_order_relaxed);
  stats.segments = segments_.load(std::memory_order_relaxed);
  stats.last_sync_nanos = last_sync_nanos_.load(std::memory_order_relaxed);
  stats.rotation_waits = rotation_waits_.load(std::memory_order_relaxed);
  stats.warning = preparer_->warning();
  return stats;
}

}  // namespace halocline
