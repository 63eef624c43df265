// Where a Merkle tree stood at a signed head, so that a start goes on there instead of reading the whole journal: a text file that is
// replaced at each head. It proves itself: the root that follows from it must be the one that was signed. Lost or torn, it costs a reading
// of the journal.
//
// One thread.
#pragma once

#include <string>

#include "base/disk.h"
#include "base/merkle.h"
#include "base/status.h"
#include "journal/segment.h"

namespace halocline {

// `path` is replaced by way of `path`.new.
Status save_tree(Disk& disk, const std::string& path, const JournalId& journal, const MerkleTree& tree);
// kNotFound: there is none. kDataLoss: it is broken, or of another journal.
Result<MerkleTree> load_tree(Disk& disk, const std::string& path, const JournalId& journal);

}  // namespace halocline
