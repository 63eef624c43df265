#include "journal/write_behind.h"

namespace halocline {
namespace {

constexpr std::uint64_t kEveryBytes = 8u << 20;

}  // namespace

WriteBehind::WriteBehind() : worker_([this] { run(); }) {}

WriteBehind::~WriteBehind() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  worker_.join();
}

void WriteBehind::written(const std::shared_ptr<File>& file, std::uint64_t end) {
  if (end >= asked_ && end - asked_ < kEveryBytes) return;  // smaller: another segment
  asked_ = end;
  {
    const std::lock_guard lock(mutex_);
    file_ = file;
    end_ = end;
  }
  wake_.notify_one();
}

Result<std::uint64_t> WriteBehind::durable_end(const File& file) const {
  const std::lock_guard lock(mutex_);
  if (!failure_.ok()) return failure_;
  return durable_file_.get() == &file ? durable_end_ : 0;
}

Status WriteBehind::settle() {
  std::unique_lock lock(mutex_);
  file_.reset();
  settled_.wait(lock, [this] { return !busy_; });
  return failure_;
}

void WriteBehind::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || (file_ != nullptr && failure_.ok()); });
    if (stop_) return;
    const std::shared_ptr<File> file = std::move(file_);
    const std::uint64_t end = end_;
    busy_ = true;
    lock.unlock();
    Status status = file->sync_data();
    lock.lock();
    if (status.ok()) {
      durable_file_ = file;
      durable_end_ = end;
    } else {
      failure_ = std::move(status);
    }
    busy_ = false;
    settled_.notify_one();
  }
}

}  // namespace halocline
