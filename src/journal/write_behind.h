// Syncs the current segment in the background in the `os` mode, every few megabytes: so that a rotation or a close does
// not wait for a whole segment, and blocks can say how much before them is durable. Nobody waits for it.
//
// Threads: one thread, the writer, calls everything; the syncing is done by a thread of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "base/disk.h"
#include "base/status.h"

namespace halocline {

class WriteBehind {
 public:
  WriteBehind();
  ~WriteBehind();
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  // `file` was written up to `end`.
  void written(const std::shared_ptr<File>& file, std::uint64_t end);

  // How much of `file` is known to be durable, 0 when nothing is. A failed sync is a failure here, for ever.
  Result<std::uint64_t> durable_end(const File& file) const;

  // Drops what has not been begun, waits for what has, and returns the first failure there was. Before the writer's own
  // sync: the kernel tells of a failed write only once, and it must not be this thread that hears it afterwards.
  Status settle();

 private:
  void run();

  std::uint64_t asked_ = 0;  // of the writer: the end at the last order

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable settled_;
  std::shared_ptr<File> file_;  // the order
  std::uint64_t end_ = 0;
  std::shared_ptr<File> durable_file_;  // held, so that no other file gets its address
  bool busy_ = false;
  std::uint64_t durable_end_ = 0;
  Status failure_;
  bool stop_ = false;
  std::thread worker_;
};

}  // namespace halocline
