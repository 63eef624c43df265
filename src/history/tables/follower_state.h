// Where a follower stands besides its books: what it needs to go on behind them instead of reading the journal from its beginning. A text
// file (docs/formats/checkpoint.md, "The history's"); whoever finds it damaged reads the journal.
//
//   Status status = save(disk, directory, journal, follower.state());
//   Result<FollowerState> state = load_follower_state(disk, directory, journal, seq);
//
// Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/merkle.h"
#include "base/sha256.h"
#include "base/status.h"
#include "command/command.h"
#include "journal/segment.h"

namespace halocline {

// A command that made the versions in `limits` and `reference` what they are.
struct KeptCommand {
  Seq seq = 0;
  Nanos time = 0;
  CommandType type{};
  std::vector<std::byte> payload;
};

struct FollowerState {
  Seq seq = 0;  // everything up to it was read and is in the tables
  Nanos time = 0;
  Digest chain{};   // of the journal there
  MerkleTree tree;  // … and its tree, of as many records
  std::shared_ptr<const std::vector<KeptCommand>> commands;
};

// "follower-00000000000000001234.txt".
std::string follower_state_name(Seq seq);

// The file of the state's seq in the directory, durably.
Status save(Disk& disk, const std::string& directory, const JournalId& journal, const FollowerState& state);
// kNotFound: there is none. kDataLoss: it is broken, or of another journal.
Result<FollowerState> load_follower_state(Disk& disk, const std::string& directory, const JournalId& journal, Seq seq);
// Removes the files of other seqs than these, and what a crash left.
Status prune_follower_states(Disk& disk, const std::string& directory, const std::vector<Seq>& kept);

}  // namespace halocline
