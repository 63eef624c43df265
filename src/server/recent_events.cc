#include "server/recent_events.h"

#include <algorithm>
#include <iterator>

#include "command/event_memory.h"

namespace halocline {
namespace {

// About what it takes; events that queries share are counted with each of them.
std::size_t bytes_of(const QueryEvents& events) {
  std::size_t bytes = sizeof events + sizeof(void*) * 4;
  for (const RowEvent& row : events.rows) {
    bytes += sizeof row + row.key.size() + row.before.size() + row.after.size() + row.order.size();
  }
  return bytes;
}

}  // namespace

void RecentEvents::add(std::uint64_t query, std::shared_ptr<const QueryEvents> events) {
  const std::size_t bytes = bytes_of(*events);
  of_[query].push_back(std::move(events));
  order_.push_back({query, bytes});
  bytes_ += bytes;
  while (bytes_ > most_bytes_) {
    const Added oldest = order_.front();
    order_.pop_front();
    bytes_ -= oldest.bytes;
    const auto at = of_.find(oldest.query);
    complete_after_ = at->second.front()->seq;
    at->second.pop_front();
    if (at->second.empty()) of_.erase(at);
  }
}

std::vector<std::shared_ptr<const QueryEvents>> RecentEvents::after(std::uint64_t query, Seq seq, std::size_t most) const {
  const auto at = of_.find(query);
  if (at == of_.end()) return {};
  const auto& events = at->second;
  const auto first = std::upper_bound(events.begin(), events.end(), seq, [](Seq s, const auto& one) { return s < one->seq; });
  const auto count = std::min<std::size_t>(most, static_cast<std::size_t>(events.end() - first));
  std::vector<std::shared_ptr<const QueryEvents>> out;
  out.reserve(count);
  std::transform(first, first + static_cast<std::ptrdiff_t>(count), std::back_inserter(out), [](const auto& one) { return copy_of(*one); });
  return out;
}

}  // namespace halocline
