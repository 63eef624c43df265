// The books at seqs that were asked for of late, so that what is near them need not be worked out from far. As copies share what is the
// same (base/cow_array.h), states near each other cost little more than one. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>

#include "engine/engine.h"

namespace halocline {

class RewoundStates {
 public:
  // At most so many states, and bytes of what they do not share with the one before; those used longest ago go first.
  RewoundStates(std::size_t states, std::uint64_t bytes) : most_states_(states), most_bytes_(bytes) {}

  // The nearest at or before the seq, which counts as used; nullptr when there is none.
  Snapshot before(Seq seq);
  void add(Snapshot books);

  std::size_t size() const;
  std::uint64_t bytes() const;

 private:
  struct Kept {
    Snapshot books;
    std::list<Seq>::iterator used;
  };
  std::uint64_t count_bytes() const;

  const std::size_t most_states_;
  const std::uint64_t most_bytes_;
  mutable std::mutex mutex_;
  std::map<Seq, Kept> states_;
  std::list<Seq> by_use_;  // the last used first
  std::uint64_t bytes_ = 0;
};

}  // namespace halocline
