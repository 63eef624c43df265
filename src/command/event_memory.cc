#include "command/event_memory.h"

#include <algorithm>
#include <type_traits>

namespace halocline {

static_assert(std::is_trivially_destructible_v<RowEvent> && std::is_trivially_destructible_v<QueryEvents>, "nobody ends them one by one");
static_assert(alignof(QueryEvents) <= alignof(RowEvent));

void EventMemory::grow(std::size_t bytes) {
  const std::size_t size = std::max(bytes, piece_);
  next_ = pieces_.emplace_back(std::make_unique_for_overwrite<char[]>(size)).get();
  left_ = size;
  taken_ += size;
  piece_ = std::min(kMost, 2 * piece_);
}

std::shared_ptr<const QueryEvents> copy_of(const QueryEvents& events) {
  std::size_t bytes = EventMemory::aligned(sizeof events) + EventMemory::aligned(events.rows.size_bytes());
  for (const RowEvent& row : events.rows) {
    for (const std::string_view text : {row.key, row.before, row.after, row.order}) bytes += EventMemory::aligned(text.size());
  }
  const auto memory = std::make_shared<EventMemory>(bytes);
  const std::span<RowEvent> rows = memory->rows(events.rows.size());
  std::copy(events.rows.begin(), events.rows.end(), rows.begin());
  for (RowEvent& row : rows) {
    for (std::string_view* text : {&row.key, &row.before, &row.after, &row.order}) *text = memory->keep(*text);
  }
  return {memory, &memory->events(events.seq, events.time, rows)};
}

}  // namespace halocline
