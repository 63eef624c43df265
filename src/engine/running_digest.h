// The state digest of one snapshot after the other of the same engine. What is hashed of the trades is what changed since the snapshot
// before; the same digest as views::state_digest(), which hashes all of them.
//
//   RunningDigest digest;
//   std::string text = digest.of(engine.snapshot());   // again and again
//
// One thread. Holds the last snapshot, and 32 bytes for every 64 trades.
#pragma once

#include <string>
#include <vector>

#include "base/sha256.h"
#include "engine/engine.h"

namespace halocline::views {

class RunningDigest {
 public:
  // In hexadecimal digits (docs/semantics.md, "Digest"). `books` is no earlier than the last one; of the same seq it costs nothing again.
  std::string of(Snapshot books);

 private:
  Snapshot before_;             // nullptr at first
  std::vector<Digest> blocks_;  // of its trades
  std::string text_;
};

}  // namespace halocline::views
