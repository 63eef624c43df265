// Where the journal lies, for those who read it again while the server runs. Any thread, any number of readers at a time.
#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "journal/block_search.h"
#include "journal/journal_reader.h"

namespace halocline {

struct JournalFiles {
  Disk* disk = nullptr;  // nullptr: the journal keeps nothing
  std::string directory;

  bool kept() const { return disk != nullptr; }
  // From the block on that holds the seq. Its hash chain was checked when the server started, or made by it.
  Result<std::unique_ptr<JournalReader>> open(Seq from) const { return JournalReader::open(*disk, directory, from, false); }
  Result<Seq> last_seq_until(Nanos time, Seq newest) const { return halocline::last_seq_until(*disk, directory, time, newest); }
};

}  // namespace halocline
