// Looking at a journal without owning it: for `halocline journal inspect` and `verify`. Nothing is modified, no lock is
// taken, and it works beside a running server (what that writes meanwhile may or may not be seen).
//
//   Result<JournalReport> report = verify_journal(disk, directory);
//   if (!report.ok()) …                       // the disk failed, or there is no journal
//   for (const JournalProblem& problem : report.value().problems) print(problem.path, problem.offset, problem.text);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/status.h"
#include "journal/block.h"
#include "journal/block_view.h"
#include "journal/segment.h"

namespace halocline {

struct BlockInfo {
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  std::size_t bytes = 0;  // as stored
  BlockHeader header;
  BlockView view;         // of kRecords
};

// Each may be empty. The views are valid during the call.
struct JournalVisitor {
  std::function<void(const SegmentHeader&)> on_segment;
  std::function<void(const BlockInfo&)> on_block;  // seals and end marks too
  std::function<void(const BlockInfo&, const Record&)> on_record;
};

struct JournalProblem {
  std::string path;
  std::uint64_t offset = 0;
  std::string text;
};

struct JournalReport {
  std::string id;  // hexadecimal
  std::uint64_t segments = 0;
  std::uint64_t blocks = 0;   // of records
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;    // of blocks as stored
  Seq first_seq = 0;          // 0: no record
  Seq last_seq = 0;
  Nanos first_time = 0;
  Nanos last_time = 0;
  std::string chain;          // head of the hash chain, hexadecimal
  bool sealed = false;        // ends with a graceful close
  bool torn = false;          // an incomplete commit at the end: being written, or left by a crash. No problem
  std::uint64_t torn_offset = 0;
  std::uint64_t torn_bytes = 0;
  std::vector<JournalProblem> problems;  // everything a start of the server would refuse, in order of place

  bool ok() const { return problems.empty(); }
};

// Visits everything that checks and reports everything that doesn't; behind a damaged place it goes on with the next
// whole block. `beginning_removed`: that the first segments are missing is no problem. kNotFound: there is no journal. kIo: the disk.
Result<JournalReport> walk_journal(Disk& disk, const std::string& directory, const JournalVisitor& visitor, bool beginning_removed = false);

inline Result<JournalReport> verify_journal(Disk& disk, const std::string& directory) {
  return walk_journal(disk, directory, JournalVisitor());
}

}  // namespace halocline
