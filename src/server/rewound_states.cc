#include "server/rewound_states.h"

#include <utility>
#include <vector>

#include "engine/views.h"

namespace halocline {

Snapshot RewoundStates::before(Seq seq) {
  const std::lock_guard lock(mutex_);
  auto at = states_.upper_bound(seq);
  if (at == states_.begin()) return nullptr;
  --at;
  by_use_.splice(by_use_.begin(), by_use_, at->second.used);
  return at->second.books;
}

void RewoundStates::add(Snapshot books) {
  std::vector<Snapshot> gone;  // let go of outside the lock: that may be a lot of work
  const std::lock_guard lock(mutex_);
  const Seq seq = views::seq_of(*books);
  if (states_.contains(seq)) return;
  by_use_.push_front(seq);
  states_.emplace(seq, Kept{std::move(books), by_use_.begin()});
  bytes_ = count_bytes();
  while (!states_.empty() && (states_.size() > most_states_ || bytes_ > most_bytes_)) {
    const auto last = states_.find(by_use_.back());
    gone.push_back(std::move(last->second.books));
    states_.erase(last);
    by_use_.pop_back();
    bytes_ = count_bytes();
  }
}

// What two neighbours share is counted once.
std::uint64_t RewoundStates::count_bytes() const {
  std::uint64_t bytes = 0;
  const State* before = nullptr;
  for (const auto& [seq, kept] : states_) {
    bytes += views::bytes_apart(*kept.books, before);
    before = kept.books.get();
  }
  return bytes;
}

std::size_t RewoundStates::size() const {
  const std::lock_guard lock(mutex_);
  return states_.size();
}

std::uint64_t RewoundStates::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace halocline
