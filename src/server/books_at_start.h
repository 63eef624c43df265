// The books at the start of the process: those of the newest checkpoint that can be used, and what the journal holds after it; without
// one, all that the journal holds. Either way they are the same.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "engine/engine.h"
#include "journal/file_journal.h"
#include "server/checkpoints.h"
#include "server/core.h"

namespace halocline {

struct BooksAtStart {
  std::unique_ptr<Engine> engine;
  std::unique_ptr<FileJournal> journal;
  CoreStart start;
  std::optional<LoadedCheckpoint> checkpoint;  // that they began with
};

// Opens the journal as FileJournal::open does, with its failures. `checkpoints`: their directory, or empty. What is found goes to the log.
Result<BooksAtStart> books_at_start(Disk& disk, Clock& clock, FileJournalOptions options, const std::string& checkpoints);

}  // namespace halocline
