// Records of the journal by seq, for the few that are read back while the server runs: FIX messages for a resend.
//
//   RecordSource records = journal_records(disk, directory);   // both outlive it
//   Result<std::vector<std::byte>> framed = records(seq, 1);
//
// Any thread. Costs a search in one segment (journal/block_search.h), unless the seq asked for before was a little lower.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/status.h"
#include "command/command.h"

namespace halocline {

// The framed records seq, seq + 1, … of one submission, which are durable. An empty function: the journal keeps nothing.
using RecordSource = std::function<Result<std::vector<std::byte>>(Seq seq, std::uint32_t count)>;

RecordSource journal_records(Disk& disk, const std::string& directory);

}  // namespace halocline
