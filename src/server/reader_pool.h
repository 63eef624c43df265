// A few threads for work that must hold up nobody: computing the rows of a read, reading a backlog of alerts. Its queue is
// bounded by those who post: they admit only so many reads and subscribers, each with at most one task at a time, and
// `capacity` is the sum, so post() never waits.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace halocline {

class ReaderPool {
 public:
  using Task = std::function<void()>;

  ReaderPool(std::size_t threads, std::size_t capacity);
  ~ReaderPool();

  // False after stop(): the task was dropped. More tasks than the capacity are CHECKed. Any thread.
  bool post(Task task);
  // Runs what was posted, refuses more, and joins the threads. The owner's thread; may be called twice.
  void stop();

  std::size_t depth() const;
  std::size_t highest() const;
  std::size_t capacity() const { return capacity_; }

 private:
  void run();

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::size_t highest_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace halocline
