#include "server/live_effects.h"

#include <algorithm>

#include "base/check.h"

namespace halocline {

void LiveEffects::end_block(Seq last) {
  if (telling_ && (outcomes_.depth() > bounds_.outcomes || events_.depth() > bounds_.events)) {
    telling_ = false;
    until_.store(last);
    state_.store(Telling::kNo);
  } else if (!telling_ && state_.load() == Telling::kAsked) {
    telling_ = true;
    after_.store(last);
    until_.store(~Seq{0});
    state_.store(Telling::kYes);
  }
}

bool LiveEffects::tells(Seq first, Seq last) const {
  if (state_.load() == Telling::kAsked) return false;
  return first > std::max(taken_, after_.load()) && last <= until_.load();
}

Applied LiveEffects::take(Seq seq, std::vector<AlertEvent>& events) {
  CHECK(seq == taken_ + 1, "seq %llu after %llu", static_cast<unsigned long long>(seq), static_cast<unsigned long long>(taken_));
  taken_ = seq;
  while (const std::shared_ptr<const AlertEvent>* event = events_.front()) {
    if ((*event)->seq > seq) break;
    events.push_back(**event);
    events_.pop();
  }
  const Entry* const entry = outcomes_.front();
  if (entry == nullptr || entry->seq > seq) return {Outcome::kAccepted};
  const Applied applied{entry->outcome, entry->first_seq};
  outcomes_.pop();
  return applied;
}

void LiveEffects::drop(Seq through) {
  if (through <= taken_) return;
  taken_ = through;
  for (const auto* event = events_.front(); event != nullptr && (*event)->seq <= through; event = events_.front()) events_.pop();
  for (const Entry* entry = outcomes_.front(); entry != nullptr && entry->seq <= through; entry = outcomes_.front()) outcomes_.pop();
}

void LiveEffects::go_on() {
  if (state_.load() != Telling::kNo) return;
  drop(until_.load());
  state_.store(Telling::kAsked);
}

}  // namespace halocline
