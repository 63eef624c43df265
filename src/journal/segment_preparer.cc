#include "journal/segment_preparer.h"

#include <algorithm>

#include "journal/recovery.h"
#include "journal/segment.h"

namespace halocline {

SegmentPreparer::SegmentPreparer(Disk& disk, std::string directory, std::uint64_t segment_bytes, std::uint32_t number,
                                 bool background, CrashPoints& crash_points)
    : disk_(disk),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      background_(background),
      crash_points_(crash_points),
      number_(number),
      target_(std::min(segment_bytes, SteadyWriter::kStep)) {
  if (background_) worker_ = std::thread([this] { run(); });
}

SegmentPreparer::~SegmentPreparer() {
  if (!worker_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  worker_.join();
}

std::string SegmentPreparer::path() const { return directory_ + "/" + prepared_name(number_); }

void SegmentPreparer::progress(std::uint64_t used) {
  if (!background_ || used / SteadyWriter::kStep == last_progress_ / SteadyWriter::kStep) return;
  last_progress_ = used;
  {
    const std::lock_guard lock(mutex_);
    target_ = std::max(target_, std::min(segment_bytes_, 2 * used + SteadyWriter::kStep));
    failed_ = false;
  }
  wake_.notify_one();
}

bool SegmentPreparer::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_;
}

void SegmentPreparer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || (!ready_ && !failed_ && made_ < target_); });
    if (stop_) return;
    const bool hurry = hurry_;
    lock.unlock();
    Status status = step(hurry);
    if (!status.ok()) abandon();
    lock.lock();
    ready_ = status.ok() && made_ == segment_bytes_;
    failed_ = !status.ok();
    failure_ = std::move(status);
    if (ready_ || failed_) finished_.notify_one();
  }
}

Status SegmentPreparer::step(bool hurry) {
  if (file_ == nullptr) {
    Result<std::unique_ptr<File>> file = disk_.create(path());
    if (!file.ok() && file.status().code() == Code::kAlreadyExists) {
      if (Status status = disk_.remove(path()); !status.ok()) return status;
      file = disk_.create(path());
    }
    if (!file.ok()) return file.status();
    file_ = file.take();
    made_ = 0;
    if (Status status = file_->preallocate(segment_bytes_); !status.ok()) return status;
  }
  const std::uint64_t end = std::min(made_ + SteadyWriter::kStep, segment_bytes_);
  if (Status status = write_zeros(*file_, made_, end); !status.ok()) return status;
  crash_points_.pass(CrashPoint::kInPreallocate);
  if (!hurry || end == segment_bytes_) {
    if (Status status = file_->sync_data(); !status.ok()) return status;
  }
  made_ = end;
  return ok_status();
}

void SegmentPreparer::abandon() {
  made_ = 0;
  if (file_ == nullptr) return;
  file_.reset();
  static_cast<void>(disk_.remove(path()).ok());  // gives the room back; if that fails too, the next open does it
}

Result<std::unique_ptr<File>> SegmentPreparer::take() {
  std::unique_lock lock(mutex_);
  if (background_) {
    failed_ = false;
    hurry_ = true;
    target_ = segment_bytes_;
    wake_.notify_one();
    finished_.wait(lock, [this] { return ready_ || failed_; });
    if (failed_) return failure_;
  } else {
    while (file_ == nullptr || made_ < segment_bytes_) {
      if (Status status = step(true); !status.ok()) {
        abandon();
        failure_ = status;
        return status;
      }
    }
    failure_ = ok_status();
    ready_ = true;
  }
  return std::move(file_);
}

void SegmentPreparer::give_back(std::unique_ptr<File> file) {
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
}

void SegmentPreparer::prepare(std::uint32_t number) {
  {
    const std::lock_guard lock(mutex_);
    number_ = number;
    made_ = 0;
    target_ = std::min(segment_bytes_, SteadyWriter::kStep);
    ready_ = false;
    failed_ = false;
    hurry_ = false;
  }
  last_progress_ = 0;
  wake_.notify_one();
}

std::string SegmentPreparer::warning() const {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) return "";
  return "the next journal segment (" + std::to_string(segment_bytes_) + " bytes) cannot be prepared, and writing stops "
         "when the current one is full: " + failure_.message();
}

}  // namespace halocline
