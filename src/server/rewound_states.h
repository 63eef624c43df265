// The books at seqs that were asked for of late, so that what is near them need not be worked out from far; and those effective at a time,
// as known at a seq. As copies share what is the same (base/cow_array.h), states near each other cost little more than one. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/engine.h"

namespace halocline {

class RewoundStates {
 public:
  // At most so many states, and bytes of what they do not share with the one before; those used longest ago go first, and one that is
  // larger by itself is not kept.
  RewoundStates(std::size_t states, std::uint64_t bytes) : most_states_(states), most_bytes_(bytes) {}

  // The nearest at or before the seq, which counts as used; nullptr when there is none.
  Snapshot before(Seq seq);
  void add(Snapshot books) { add(std::nullopt, std::move(books)); }
  // Those effective at just this time and known at just this seq, likewise. They are never `before` another.
  Snapshot effective(Nanos time, Seq known);
  void add_effective(Nanos time, Snapshot books) { add(time, std::move(books)); }

  std::size_t size() const;
  std::uint64_t bytes() const;

 private:
  using Key = std::pair<Seq, std::optional<Nanos>>;  // the books known at a seq stand before what of them was effective at a time
  struct Kept {
    Snapshot books;
    std::list<Key>::iterator used;
  };
  using States = std::map<Key, Kept>;

  void add(std::optional<Nanos> effective, Snapshot books);
  Snapshot use(States::iterator state);
  std::uint64_t bytes_of(States::const_iterator state) const;
  std::uint64_t count_bytes() const;

  const std::size_t most_states_;
  const std::uint64_t most_bytes_;
  mutable std::mutex mutex_;
  States states_;
  std::list<Key> by_use_;  // the last used first
  std::uint64_t bytes_ = 0;
};

}  // namespace halocline
