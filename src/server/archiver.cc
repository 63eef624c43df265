#include "server/archiver.h"

#include <chrono>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "base/background_thread.h"
#include "base/check.h"
#include "base/log.h"
#include "journal/archived_segment.h"
#include "journal/checkpoint_file.h"

namespace halocline {
namespace {

constexpr int kNiceness = 15;
constexpr std::chrono::minutes kLookAgain{10};
// A start may have to repair the last segment, and the end of the one before.
constexpr std::size_t kNewest = 2;

}  // namespace

Archiver::Archiver(ArchiveOptions options, Clock& clock, NamedCounters& counters)
    : options_(std::move(options)), clock_(clock), counters_(counters) {
  CHECK(options_.disk != nullptr && options_.disk->archive() != nullptr, "an archiver without an archive");
}

void Archiver::start() {
  if (const Status armed = crash_.arm(std::getenv("HALOCLINE_CRASH_AT")); !armed.ok()) CHECK(false, "%s", armed.message().c_str());
  thread_ = std::thread([this] { work(); });
}

void Archiver::wake() {
  const std::lock_guard lock(mutex_);
  awake_ = true;
  changed_.notify_all();
}

void Archiver::work() {
  work_in_background("archiver", kNiceness);
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kLookAgain, [&] { return awake_ || stopping_; });
      if (stopping_) return;
      awake_ = false;
    }
    Status status = archive();
    if (status.ok()) status = remove_old();
    if (status.code() == Code::kUnavailable && stopping()) return;
    if (!status.ok()) counters_.add("archive_failures", 1);
    if (!status.ok() && status.message() != last_failure_) log_line(LogLevel::kError, "archive.failed", {{"why", status.message()}});
    last_failure_ = status.ok() ? std::string() : status.message();
  }
}

Result<SegmentHeader> Archiver::header_of(std::uint32_t number) {
  const std::string path = options_.journal_directory + "/" + segment_name(number);
  Result<std::unique_ptr<File>> file = options_.disk->open(path, Access::kRead);
  if (!file.ok()) return file.status();
  const Result<std::optional<SegmentHeader>> header = read_segment_header(*file.value(), number);
  if (!header.ok()) return header.status();
  if (!header.value()) return Status(Code::kDataLoss, path + " has an empty header");
  return *header.value();
}

Status Archiver::archive() {
  const Result<std::vector<Seq>> checkpoints = list_checkpoints(*options_.disk, options_.checkpoints);
  if (!checkpoints.ok() || checkpoints.value().empty()) return ok_status();  // every segment is needed
  const Seq oldest = checkpoints.value().back();
  const Result<std::vector<std::uint32_t>> local = options_.disk->local_segments();
  if (!local.ok()) return local.status();
  const std::vector<std::uint32_t>& numbers = local.value();
  for (std::size_t i = 0; i + kNewest < numbers.size(); ++i) {
    const Result<SegmentHeader> segment = header_of(numbers[i]), next = header_of(numbers[i + 1]);
    if (!segment.ok() || !next.ok()) return segment.ok() ? next.status() : segment.status();
    if (next.value().first_seq > oldest + 1) break;
    const std::uint64_t behind = (numbers.size() - i - 1) * segment.value().segment_bytes;
    const bool old = options_.local_for > 0 && clock_.wall() - next.value().created > options_.local_for;
    if (behind < options_.local_bytes && !old) break;
    const Status moved = archive_segment(*options_.disk, options_.journal_directory, numbers[i], *options_.disk->archive(), crash_,
                                         [this] { return !stopping(); });
    if (!moved.ok()) return moved;
    counters_.add("segments_archived", 1);
    log_line(LogLevel::kInfo, "archive.segment", {{"segment", segment_name(numbers[i])}, {"archive", options_.disk->archive()->place()}});
  }
  return ok_status();
}

Status Archiver::remove_old() {
  if (options_.keep_for == 0) return ok_status();
  Seq needed = std::numeric_limits<Seq>::max();  // with the block that ends there
  if (!options_.history.empty()) {
    const Result<std::vector<Seq>> states = list_checkpoints(*options_.disk, options_.history);
    if (!states.ok() || states.value().empty()) return ok_status();  // it begins with the first command
    needed = states.value().back();
  }
  const Result<std::vector<std::uint32_t>> archived = options_.disk->archived_segments();
  if (!archived.ok()) return archived.status();
  for (const std::uint32_t number : archived.value()) {
    const Result<SegmentHeader> next = header_of(number + 1);
    if (!next.ok()) return next.status();
    if (next.value().first_seq > needed || clock_.wall() - next.value().created <= options_.keep_for) break;
    if (Status status = options_.disk->archive()->remove(archive_name(number)); !status.ok()) return status;
    counters_.add("segments_removed", 1);
    log_line(LogLevel::kInfo, "archive.removed", {{"segment", segment_name(number)}, {"archive", options_.disk->archive()->place()}});
  }
  return ok_status();
}

bool Archiver::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Archiver::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace halocline
