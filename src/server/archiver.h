// Moves old segments of the journal to its archive, and removes from there what is too old to be kept. On a thread of low priority,
// at the start, after each checkpoint, and now and then.
//
// A segment goes when no start needs it: all of it is before the oldest checkpoint that is kept. The two newest segments always stay.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "journal/archived_disk.h"
#include "journal/crash_point.h"
#include "journal/segment.h"
#include "server/metrics.h"

namespace halocline {

struct ArchiveOptions {
  ArchivedDisk* disk = nullptr;  // nullptr, or one without an archive: nothing is archived
  std::string journal_directory;
  std::string checkpoints;       // the directory they are in
  std::uint64_t local_bytes = 0; // so much of the newest segments stays in the journal's directory, …
  Nanos local_for = 0;           // … but no segment whose last command is so old; 0: age does not matter
  Nanos keep_for = 0;            // what is archived is removed when its last command is so old; 0: never
  std::string history = {};      // the directory of the states that the history goes on from; what is before them may go. Empty: no history
};

// Counts `segments_archived`, `segments_removed` and `archive_failures`.
class Archiver {
 public:
  Archiver(ArchiveOptions options, Clock& clock, NamedCounters& counters);
  ~Archiver() { stop(); }

  void start();
  // There may be something to do. Any thread.
  void wake();
  // What is under way is given up. The owner's thread; may be called twice.
  void stop();

 private:
  void work();
  Status archive();
  Status remove_old();
  // Of a segment, whether archived or not.
  Result<SegmentHeader> header_of(std::uint32_t number);
  bool stopping() const;

  const ArchiveOptions options_;
  Clock& clock_;
  NamedCounters& counters_;
  CrashPoints crash_;
  std::string last_failure_;  // told once, until it is another or gone
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool awake_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace halocline
