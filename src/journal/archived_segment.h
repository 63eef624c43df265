// A segment in the archive: the bytes of its file in compressed chunks, with their hash (docs/formats/archive.md). Written once; read as
// if it were the segment's file, at any place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/sha256.h"
#include "base/status.h"
#include "journal/crash_point.h"
#include "journal/segment.h"
#include "journal/segment_archive.h"

namespace halocline {

// "journal-0000000001.arc", for segment 1; and the number in such a name.
std::string archive_name(std::uint32_t number);
std::optional<std::uint32_t> archived_number(const std::string& name);

// What the end of an archived segment says about it.
struct ArchivedHeader {
  JournalId journal{};
  std::uint32_t number = 0;
  std::uint64_t segment_bytes = 0;
  std::uint64_t stored_bytes = 0;  // of the file in the archive
  Seq first_seq = 0;
  Digest content{};                // SHA-256 of the segment's bytes
};

// Reads like the segment's file; pread() and size() only. `archive` is not needed any more once it is open. kNotFound: it is not in the
// archive; kDataLoss, also of pread(): it is damaged, the message names it; kUnsupported: a newer format.
class ArchivedSegment : public File {
 public:
  static Result<std::unique_ptr<ArchivedSegment>> open(SegmentArchive& archive, std::uint32_t number);
  virtual const ArchivedHeader& header() const = 0;
};

// Everything about it: that it unpacks to the bytes of its hash, and that these are blocks in an unbroken chain up to the mark that the
// next segment exists. kDataLoss: they are not.
Status verify_archived(SegmentArchive& archive, std::uint32_t number, const std::function<bool()>& go_on);

// Copies a full segment to the archive, verifies the copy, and removes the segment from the journal's directory; each step is durable
// before the next. A copy that is there already and whole is taken as it is. kUnavailable: `go_on` said no, and the segment is where it
// was. kDataLoss: the segment does not check, or what was read back is not the segment; it stays, and such a copy does not.
// kFailedPrecondition: the archive is another journal's.
Status archive_segment(Disk& disk, const std::string& directory, std::uint32_t number, SegmentArchive& archive, CrashPoints& crash,
                       const std::function<bool()>& go_on);

}  // namespace halocline
