#include "server/rewound_states.h"

#include <iterator>
#include <vector>

#include "engine/views.h"

namespace halocline {

Snapshot RewoundStates::before(Seq seq) {
  const std::lock_guard lock(mutex_);
  auto at = states_.upper_bound(Key{seq, std::nullopt});
  while (at != states_.begin()) {
    --at;
    if (!at->first.second) return use(at);
  }
  return nullptr;
}

Snapshot RewoundStates::effective(Nanos time, Seq known) {
  const std::lock_guard lock(mutex_);
  const auto at = states_.find(Key{known, time});
  return at == states_.end() ? nullptr : use(at);
}

Snapshot RewoundStates::use(States::iterator state) {
  by_use_.splice(by_use_.begin(), by_use_, state->second.used);
  return state->second.books;
}

void RewoundStates::add(std::optional<Nanos> effective, Snapshot books) {
  std::vector<Snapshot> gone;  // let go of outside the lock: that may be a lot of work
  const std::lock_guard lock(mutex_);
  const Key key{views::seq_of(*books), effective};
  if (states_.contains(key)) return;
  by_use_.push_front(key);
  const auto added = states_.emplace(key, Kept{std::move(books), by_use_.begin()}).first;
  if (bytes_of(added) > most_bytes_) by_use_.splice(by_use_.end(), by_use_, by_use_.begin());  // the first to go
  bytes_ = count_bytes();
  while (!states_.empty() && (states_.size() > most_states_ || bytes_ > most_bytes_)) {
    const auto last = states_.find(by_use_.back());
    gone.push_back(std::move(last->second.books));
    states_.erase(last);
    by_use_.pop_back();
    bytes_ = count_bytes();
  }
}

// What it shares with the one before is counted there.
std::uint64_t RewoundStates::bytes_of(States::const_iterator state) const {
  return views::bytes_apart(*state->second.books, state == states_.begin() ? nullptr : std::prev(state)->second.books.get());
}

std::uint64_t RewoundStates::count_bytes() const {
  std::uint64_t bytes = 0;
  for (auto state = states_.begin(); state != states_.end(); ++state) bytes += bytes_of(state);
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
