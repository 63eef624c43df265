#include "server/books_at_start.h"

#include <filesystem>
#include <limits>
#include <utility>
#include <vector>

#include "base/log.h"
#include "engine/views.h"
#include "journal/recovery.h"
#include "server/replay.h"

namespace halocline {
namespace {

std::uint64_t bytes_in(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code no_size;
    const std::uint64_t size = entry->file_size(no_size);
    if (!no_size) bytes += size;
  }
  return bytes;
}

void tell(const Recovered& recovered, const Replay& replay) {
  for (const std::string& note : recovered.notes) log_line(LogLevel::kInfo, "journal.note", {{"what", note}});
  if (recovered.torn.has_value()) {
    log_line(LogLevel::kWarn, "journal.torn_tail",
             {{"file", recovered.torn->path}, {"offset", recovered.torn->offset}, {"bytes", recovered.torn->bytes}});
  }
  log_line(LogLevel::kInfo, "journal.recovered",
           {{"records", replay.records()}, {"seconds", static_cast<double>(replay.elapsed()) / 1e9}, {"sealed", recovered.sealed},
            {"last_seq", recovered.last_seq}});
}

// A start that needs the journal's beginning, which was removed, as no checkpoint can be used.
Status without_beginning(Disk& disk, const std::string& directory, const Status& journal, const Status& checkpoint) {
  const Result<std::vector<std::uint32_t>> segments = list_segments(disk, directory);
  if (journal.code() != Code::kDataLoss || checkpoint.ok() || !segments.ok() || segments.value().empty() || segments.value()[0] == 1) {
    return journal;
  }
  return Status(checkpoint.code() == Code::kUnsupported ? Code::kUnsupported : Code::kDataLoss,
                "the journal in " + directory + " has no beginning any more (archive.keep_days), and no checkpoint can be used instead: " +
                    checkpoint.message() + ". Start the version of the program that took them, or put the segments from " +
                    segment_name(1) + " on back into the archive from a copy (docs/operations.md, \"Another version\"); nothing was "
                    "changed");
}

}  // namespace

Result<BooksAtStart> books_at_start(Disk& disk, Clock& clock, FileJournalOptions options, const std::string& checkpoints) {
  Seq most = std::numeric_limits<Seq>::max();
  const Result<JournalId> id = checkpoints.empty() ? Status(Code::kNotFound, "no checkpoints") : journal_id(disk, options.directory);
  Status refused;  // of checkpoints
  while (true) {
    const std::int64_t begun = clock.monotonic();
    BooksAtStart books;
    books.engine = std::make_unique<Engine>();
    options.recovery = {};
    if (id.ok() && most > 0) books.checkpoint = newest_checkpoint(disk, checkpoints, id.value(), most, &refused);
    if (books.checkpoint) {
      const CheckpointHeader& header = books.checkpoint->header;
      most = header.seq - 1;
      Result<std::unique_ptr<Engine>> resumed = Engine::resume(*books.checkpoint->books);
      if (!resumed.ok()) {
        log_line(LogLevel::kWarn, "checkpoint.not_used", {{"seq", header.seq}, {"why", resumed.status().message()}});
        refused = resumed.status();
        continue;
      }
      books.engine = resumed.take();
      options.recovery.replay_from = header.seq + 1;
      options.recovery.checkpoint = RecoveryOptions::Checkpoint{header.seq, header.chain, header.synced};
      log_line(LogLevel::kInfo, "checkpoint.loaded",
               {{"seq", header.seq}, {"seconds", static_cast<double>(clock.monotonic() - begun) / 1e9}});
    }
    Replay replay(*books.engine, clock, books.checkpoint ? 0 : bytes_in(options.directory));
    Result<std::unique_ptr<FileJournal>> opened = FileJournal::open(disk, options, replay.handler());
    replay.finish();
    if (books.checkpoint && opened.status().code() == Code::kOutOfRange) {
      log_line(LogLevel::kWarn, "checkpoint.not_used", {{"seq", books.checkpoint->header.seq}, {"why", opened.status().message()}});
      continue;
    }
    if (!opened.ok()) return books.checkpoint ? opened.status() : without_beginning(disk, options.directory, opened.status(), refused);
    books.journal = opened.take();
    books.start = {books.journal->recovered().last_time, clock.monotonic() - begun, replay.records(),
                   books.checkpoint ? books.checkpoint->header.seq : 0};
    tell(books.journal->recovered(), replay);
    return books;
  }
}

}  // namespace halocline
