// Makes the next segment file while the current one fills, so that the writer does not wait at a rotation: reserved, and
// really written with zeros (a sync of overwritten blocks needs no metadata; measured in docs/formats/journal.md). It
// keeps pace with the writer instead of flooding the disk: twice as fast as the current segment fills.
//
// Threads: one thread, the writer, calls everything but warning(). In the background a thread of its own does the work;
// otherwise (tests, and repeatable in them) take() does.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/disk.h"
#include "base/status.h"
#include "journal/crash_point.h"

namespace halocline {

class SegmentPreparer {
 public:
  // Starts to prepare segment `number`. `disk` and `crash_points` must outlive it.
  SegmentPreparer(Disk& disk, std::string directory, std::uint64_t segment_bytes, std::uint32_t number, bool background,
                  CrashPoints& crash_points);
  ~SegmentPreparer();
  SegmentPreparer(const SegmentPreparer&) = delete;
  SegmentPreparer& operator=(const SegmentPreparer&) = delete;

  // The writer has used so many bytes of the current segment: tells how far to be, and to try again after a failure.
  void progress(std::uint64_t used);

  // Whether take() will not have to wait.
  bool ready() const;

  // The finished file of the number asked for, under its prepared name, zeros throughout and synced. Waits for it, and
  // says why it can't be had: kResourceExhausted without room on the disk. Then it may be asked for again.
  Result<std::unique_ptr<File>> take();
  // What was taken could not be used and is still under its prepared name: the next take() returns it again.
  void give_back(std::unique_ptr<File> file);
  // What was taken is in use: prepare the one after it.
  void prepare(std::uint32_t number);

  // Why there is no next segment yet, for the operator; empty when all is well. Any thread.
  std::string warning() const;

 private:
  void run();
  // Writes one chunk. In a hurry only the last one is synced: faster in all, but a burst for the disk.
  Status step(bool hurry);
  void abandon();  // after a failure
  std::string path() const;

  Disk& disk_;
  const std::string directory_;
  const std::uint64_t segment_bytes_;
  const bool background_;
  CrashPoints& crash_points_;
  std::uint64_t last_progress_ = 0;  // of the writer

  // Of the worker while working_, else of who holds the mutex.
  std::uint32_t number_;
  std::unique_ptr<File> file_;
  std::uint64_t made_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable wake_;      // the worker: there is something to do
  std::condition_variable finished_;  // the writer: ready or failed
  std::uint64_t target_ = 0;          // how far to be
  bool hurry_ = false;                // the writer is waiting
  bool ready_ = false;
  bool failed_ = false;
  bool stop_ = false;
  Status failure_;
  std::thread worker_;
};

}  // namespace halocline
