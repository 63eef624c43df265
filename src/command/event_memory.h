// Where the events of continuous queries are: given out piece after piece while they are made, and let go of all at once. What it costs is
// the bytes, not the events. It takes at most twice what was asked for, and the first piece.
//
// One thread makes events; when it has finished, any may read them for as long as somebody holds the memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "command/query.h"

namespace halocline {

class EventMemory {
 public:
  static constexpr std::size_t kFirst = 512, kMost = std::size_t{64} << 10;
  // What so many bytes take.
  static constexpr std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  // `first` bytes are got together, when the first are asked for.
  explicit EventMemory(std::size_t first = kFirst) : piece_(first) {}
  EventMemory(const EventMemory&) = delete;
  EventMemory& operator=(const EventMemory&) = delete;

  // All of these stay where they are for as long as this does.
  std::string_view keep(std::string_view bytes) {
    char* const kept = take(bytes.size());
    if (!bytes.empty()) std::memcpy(kept, bytes.data(), bytes.size());
    return {kept, bytes.size()};
  }
  std::span<RowEvent> rows(std::size_t count) {
    auto* const rows = reinterpret_cast<RowEvent*>(take(count * sizeof(RowEvent)));
    std::uninitialized_default_construct_n(rows, count);
    return {rows, count};
  }
  std::span<const RowEvent> row(const RowEvent& only) { return {new (take(sizeof only)) RowEvent(only), 1}; }
  const QueryEvents& events(Seq seq, Nanos time, std::span<const RowEvent> rows) {
    return *new (take(sizeof(QueryEvents))) QueryEvents{seq, time, rows};
  }

  // Bytes given out.
  std::size_t size() const { return taken_ - left_; }

 private:
  static constexpr std::size_t kAlignment = alignof(RowEvent);

  char* take(std::size_t bytes) {
    bytes = aligned(bytes);
    if (bytes > left_) grow(bytes);
    char* const taken = next_;
    next_ += bytes;
    left_ -= bytes;
    return taken;
  }
  void grow(std::size_t bytes);

  std::vector<std::unique_ptr<char[]>> pieces_;
  char* next_ = nullptr;
  std::size_t left_ = 0, piece_, taken_ = 0;  // bytes: free in the last piece; of the next one; of all pieces
};

// The same events in memory of their own, for who keeps them longer than what was told with them.
std::shared_ptr<const QueryEvents> copy_of(const QueryEvents& events);

}  // namespace halocline
