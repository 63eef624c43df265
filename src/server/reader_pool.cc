#include "server/reader_pool.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace halocline {

ReaderPool::ReaderPool(std::size_t threads, std::size_t capacity) : capacity_(capacity) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ReaderPool::~ReaderPool() { stop(); }

bool ReaderPool::post(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    CHECK(tasks_.size() < capacity_, "%zu tasks wait for the readers", tasks_.size());
    tasks_.push_back(std::move(task));
    highest_ = std::max(highest_, tasks_.size());
  }
  wake_.notify_one();
  return true;
}

void ReaderPool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::size_t ReaderPool::depth() const {
  std::lock_guard lock(mutex_);
  return tasks_.size();
}

std::size_t ReaderPool::highest() const {
  std::lock_guard lock(mutex_);
  return highest_;
}

void ReaderPool::run() {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace halocline
