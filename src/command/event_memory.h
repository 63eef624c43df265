// Where the events of continuous queries are: given out piece after piece while they are made, and let go of all at once. What it costs is
// the bytes, not the events. It takes at most twice what was asked for, and the first piece.
//
// One thread makes events; when it has finished, any may read them for as long as somebody holds the memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/copy_bytes.h"
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
    copy_bytes(bytes, kept);
    return {kept, bytes.size()};
  }
  std::span<RowEvent> rows(std::size_t count) {
    auto* const rows = reinterpret_cast<RowEvent*>(take(count * sizeof(RowEvent)));
    std::uninitialized_default_construct_n(rows, count);
    return {rows, count};
  }
  // One event alone, with its bytes, which are kept.
  const QueryEvents& event(Seq seq, Nanos time, const RowEvent& only) {
    const bool by_key = only.order.data() == only.key.data() && only.order.size() == only.key.size();
    const std::size_t texts = only.key.size() + only.before.size() + only.after.size() + (by_key ? 0 : only.order.size());
    char* const at = take(sizeof(QueryEvents) + sizeof(RowEvent) + texts);
    char* to = at + sizeof(QueryEvents) + sizeof(RowEvent);
    const auto kept = [&to](std::string_view text) {
      char* const from = std::exchange(to, copy_bytes(text, to));
      return std::string_view(from, text.size());
    };
    const std::string_view key = kept(only.key), before = kept(only.before), after = kept(only.after);
    const std::string_view order = by_key ? key : kept(only.order);
    const auto* const row = new (at + sizeof(QueryEvents)) RowEvent{only.kind, only.reason, key, before, after, order};
    return *new (at) QueryEvents{seq, time, {row, 1}};
  }
  // The same of a row that comes to an answer and is ordered by its key. `write_row(to, limit)` packs it here, where it stays, and
  // gives the end of it; or nullptr, where that takes more, and then so does this.
  template <class Write>
  const QueryEvents* insert(Seq seq, Nanos time, std::string_view key, Write write_row) {
    constexpr std::size_t kTexts = sizeof(QueryEvents) + sizeof(RowEvent);  // are after these
    if (left_ < kTexts + key.size() + kShort) grow(kTexts + key.size() + kShort);
    char* const at = next_;
    char* const row_at = copy_bytes(key, at + kTexts);
    const char* const end = write_row(row_at, at + left_ - kAlignment);  // so that taking it fits, which goes up to the next whole one
    if (end == nullptr) return nullptr;
    take(static_cast<std::size_t>(end - at));
    const std::string_view kept_key(at + kTexts, key.size()), row(row_at, static_cast<std::size_t>(end - row_at));
    const RowEvent inserted{RowEvent::Kind::kInsert, RowReason::kChanged, kept_key, {}, row, kept_key};
    const auto* const only = new (at + sizeof(QueryEvents)) RowEvent(inserted);
    return new (at) QueryEvents{seq, time, {only, 1}};
  }
  const QueryEvents& events(Seq seq, Nanos time, std::span<const RowEvent> rows) {
    return *new (take(sizeof(QueryEvents))) QueryEvents{seq, time, rows};
  }

  // Bytes given out.
  std::size_t size() const { return taken_ - left_; }

 private:
  static constexpr std::size_t kAlignment = alignof(RowEvent);
  static constexpr std::size_t kShort = 256;  // bytes that most rows do not need

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
