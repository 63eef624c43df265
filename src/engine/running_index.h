// The index of trades by their keys for snapshots that come without it (Engine::snapshot_without_index), one after the other of the same
// engine: what changed since the one before is put into it. Nobody but who wants such books whole pays for that, and not the engine.
//
//   RunningIndex index;
//   Snapshot whole = index.complete(books, nullptr);     // again and again
//
// One thread. Holds the trades of the last ones, and 17 bytes for each.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace halocline {

class RunningIndex {
 public:
  RunningIndex();
  ~RunningIndex();

  // The books with their index; it goes on from theirs if they have it. They are no earlier than the last ones. `between`, if any, is
  // called every some tens of microseconds.
  Snapshot complete(const Snapshot& books, void (*between)());

 private:
  std::unique_ptr<State> indexed_;  // nothing of it but the trades and their index
};

}  // namespace halocline
