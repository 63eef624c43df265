// What commands did to the continuous queries' answers, as it leaves the engine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>

#include "base/status.h"
#include "command/event_memory.h"
#include "command/query.h"

namespace halocline::queries {

// What one seq did to one query's answer, or why the query ended (nothing comes after it): one of the two is there. Queries that select
// the same of the same row share the events.
struct LiveEvents {
  std::uint64_t query;
  const QueryEvents* events;
  const Status* failure;
};

// Of all queries, in the order of seqs and then of queries, with the memory they are in.
class ToldEvents {
 public:
  ToldEvents() = default;
  ToldEvents(ToldEvents&& from) noexcept { swap(from); }
  ToldEvents& operator=(ToldEvents&& from) noexcept {
    ToldEvents gone(std::move(from));
    swap(gone);
    return *this;
  }
  // Makes room for about as much as was told before, which is the best guess.
  static ToldEvents as_many_as(const ToldEvents& before) {
    ToldEvents told;
    if (!before.empty()) told.make_room(before.size());
    if (before.memory_ != nullptr) told.first_bytes_ = std::clamp(before.memory_->size(), EventMemory::kFirst, EventMemory::kMost);
    return told;
  }

  const LiveEvents* begin() const { return all_.get(); }
  const LiveEvents* end() const { return end_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - all_.get()); }
  bool empty() const { return size() == 0; }
  // One's events, for who holds them with all that were told with them. Who keeps few of many for long takes a copy_of() instead.
  std::shared_ptr<const QueryEvents> share(const QueryEvents& events) const { return {memory_, &events}; }

  // By the queries. What is told must be in the memory.
  EventMemory& memory() {
    if (memory_ == nullptr) memory_ = std::make_shared<EventMemory>(first_bytes_);
    return *memory_;
  }
  void tell(std::uint64_t query, const QueryEvents& events) {
    if (end_ == limit_) [[unlikely]] make_room(2 * size());
    *end_++ = {query, &events, nullptr};
  }
  void fail(std::uint64_t query, Status why);
  std::size_t failures() const { return failures_.size(); }
  // Makes what was told of one seq, all from `first` on, one of each query: in ascending order of queries, its rows in the order of keys.
  void bring_together(std::size_t first);

 private:
  // For so many, and for a few.
  void make_room(std::size_t all);
  void swap(ToldEvents& with) noexcept;

  // One is added without a call where there is room.
  std::unique_ptr<LiveEvents[]> all_;
  LiveEvents* end_ = nullptr;
  LiveEvents* limit_ = nullptr;
  std::list<Status> failures_;  // which stay where they are when this is moved
  std::shared_ptr<EventMemory> memory_;
  std::size_t first_bytes_ = EventMemory::kFirst;
};

}  // namespace halocline::queries
