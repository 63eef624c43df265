#include "engine/queries/live_events.h"

#include <algorithm>

namespace halocline::queries {

void ToldEvents::make_room(std::size_t all) {
  constexpr std::size_t kFew = 16;
  const std::size_t room = std::max(all, kFew);
  auto larger = std::make_unique_for_overwrite<LiveEvents[]>(room);
  end_ = std::copy(begin(), end(), larger.get());
  limit_ = larger.get() + room;
  all_ = std::move(larger);
}

void ToldEvents::swap(ToldEvents& with) noexcept {
  std::swap(all_, with.all_), std::swap(end_, with.end_), std::swap(limit_, with.limit_);
  std::swap(failures_, with.failures_), std::swap(memory_, with.memory_), std::swap(first_bytes_, with.first_bytes_);
}

void ToldEvents::fail(std::uint64_t query, Status why) {
  if (end_ == limit_) make_room(2 * size());
  *end_++ = {query, nullptr, &failures_.emplace_back(std::move(why))};
}

void ToldEvents::bring_together(std::size_t first) {
  LiveEvents* const begin = all_.get() + first;
  const auto not_before = [](const LiveEvents& a, const LiveEvents& b) { return a.query >= b.query; };
  if (std::adjacent_find(begin, end_, not_before) == end_) return;
  std::stable_sort(begin, end_, [](const LiveEvents& a, const LiveEvents& b) { return a.query < b.query; });
  LiveEvents* last = begin;
  for (const LiveEvents* one = begin; one != end_; ++last) {
    std::size_t rows = 0;
    auto next = one;
    for (; next != end_ && next->query == one->query; ++next) rows += next->events != nullptr ? next->events->rows.size() : 0;
    *last = *one;
    if (next - one > 1) {
      const std::span<RowEvent> together = memory().rows(rows);
      auto end = together.begin();
      for (auto each = one; each != next; ++each) end = std::copy(each->events->rows.begin(), each->events->rows.end(), end);
      std::sort(together.begin(), together.end(), [](const RowEvent& a, const RowEvent& b) { return a.key < b.key; });
      last->events = &memory().events(one->events->seq, one->events->time, together);
    }
    one = next;
  }
  end_ = last;
}

}  // namespace halocline::queries
