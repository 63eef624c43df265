// Which rows changed since a snapshot was taken, whatever they were before and however often: what those who keep something up to date from
// snapshots alone, aside from the engine, must look at again (preparation.h).
#pragma once

#include <cstddef>
#include <utility>

#include "engine/queries/schema.h"
#include "engine/state/changes.h"

namespace halocline::queries {

class NotedChanges {
 public:
  // Notes rows of these sources only; trades, positions and nodes change with nearly every command.
  explicit NotedChanges(bool trades = true, bool positions = true, bool nodes = true)
      : trades_(trades), positions_(positions), nodes_(nodes) {
    rows_.want(wanted(), 1);
  }

  // After a command. Beyond `kMost` rows, or when any may read differently, all of them count as changed.
  void note(const Changes& changes);
  void note_everything();
  // What must be noted in the changes for it.
  Changes::Wanted wanted() const;

  std::size_t size() const { return size_; }
  bool everything() const { return rows_.reshaped; }
  // `trades` without what they were before.
  Changes take() { return std::exchange(rows_, {}); }

 private:
  static constexpr std::size_t kMost = 1'000'000;

  bool trades_, positions_, nodes_;
  Changes rows_;
  std::size_t size_ = 0;
};

}  // namespace halocline::queries
