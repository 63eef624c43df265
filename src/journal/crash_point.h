// Places at which the crash test ends the process, named in the environment:
//
//   HALOCLINE_CRASH_AT=before_sync:3 halocline serve …    # SIGKILL when before_sync is passed the third time
//
// Unset, a passage costs one predictable branch. Passages are counted from the construction of what they are in (the FileJournal, the
// archiver, the warehouse, the catalog), whatever thread makes them.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/status.h"

namespace halocline {

enum class CrashPoint {
  kBeforeWrite,    // before_write: of a block
  kAfterWrite,     // after_write
  kBeforeSync,     // before_sync: of a commit
  kAfterSync,      // after_sync
  kBeforeRotate,   // before_rotate: the next segment is ready, nothing says so
  kInRotate,       // in_rotate: the next segment has its name, the full one no end mark
  kAfterRotate,    // after_rotate
  kInPreallocate,  // in_preallocate: a part of the next segment has been written
  kBeforeSeal,     // before_seal: of a graceful close
  kAfterSeal,      // after_seal
  // Of the archive (journal/archived_segment.h).
  kInArchive,       // in_archive: a part of the copy is written
  kBeforeArchived,  // before_archived: all of it is, and it has no name yet
  kAfterArchived,   // after_archived: it has; the segment is still in the journal's directory
  kAfterRemove,     // after_remove: it is not any more
  // Of the history and the catalog of tables (history/warehouse.h, history/catalog/sqlite_catalog.h).
  kInFile,          // in_file: half of a file of the warehouse is written
  kAfterFile,       // after_file: it is there; nothing points at it
  kBeforePointers,  // before_pointers: all files of a commit are there, the database knows of none
  kInPointers,      // in_pointers: the transaction is open and has moved the pointers
  kAfterPointers,   // after_pointers: it is over, and nobody was told
};

class CrashPoints {
 public:
  // Never crashes until armed.
  CrashPoints() = default;

  // Takes the text of the variable; null or empty: never. kInvalidArgument for anything but <point>:<count from 1>.
  Status arm(const char* text);

  void pass(CrashPoint point) {
    if (__builtin_expect(armed_, 0)) count(point);
  }

 private:
  void count(CrashPoint point);

  bool armed_ = false;
  CrashPoint point_ = CrashPoint::kBeforeWrite;
  std::atomic<std::int64_t> left_{0};
};

}  // namespace halocline
