#include "engine/queries/live_events.h"

#include <algorithm>

namespace halocline::queries {

void ToldEvents::bring_together(std::size_t first) {
  const auto begin = all_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto not_before = [](const LiveEvents& a, const LiveEvents& b) { return a.query >= b.query; };
  if (std::adjacent_find(begin, all_.end(), not_before) == all_.end()) return;
  std::stable_sort(begin, all_.end(), [](const LiveEvents& a, const LiveEvents& b) { return a.query < b.query; });
  auto last = begin;
  for (auto one = begin; one != all_.end(); ++last) {
    std::size_t rows = 0;
    auto next = one;
    for (; next != all_.end() && next->query == one->query; ++next) rows += next->events != nullptr ? next->events->rows.size() : 0;
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
  all_.erase(last, all_.end());
}

}  // namespace halocline::queries
