#include "engine/queries/result_set.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/check.h"
#include "base/limits.h"

namespace halocline::queries {

Status too_many_rows() {
  return Status(Code::kResourceExhausted, "the query keeps more than " + std::to_string(limits::kMaxQueryRows) +
                                              " rows or groups; add a condition");
}

Status too_many_bytes() {
  return Status(Code::kResourceExhausted, "the query takes more than " + std::to_string(limits::kMaxLiveQueryBytes >> 20) +
                                              " MiB to keep up to date; add a condition");
}

// Remembers how the row was when the changes began.
void ResultSet::note(const std::string& key, const Row* row, RowReason reason) {
  const auto [at, is_new] = changed_.try_emplace(key);
  if (is_new && row != nullptr && row->inside) at->second.before = row->row;
  at->second.reason = reason;
}

ResultSet::Place::Place(Named& of) : first{}, row(&of) {
  std::memcpy(first.data(), of.second.order.data(), std::min(sizeof first, of.second.order.size()));
  for (std::uint64_t& word : first) word = __builtin_bswap64(word);  // big-endian, as the bytes are compared
}

absl::weak_ordering ResultSet::Earlier::operator()(const Place& a, const Place& b) const {
  if (a.row == b.row) return absl::weak_ordering::equivalent;
  const int order = a.first != b.first ? (a.first < b.first ? -1 : 1) : a.row->second.order.compare(b.row->second.order);
  return order < 0 ? absl::weak_ordering::less : order > 0 ? absl::weak_ordering::greater : absl::weak_ordering::equivalent;
}

void ResultSet::enter(Named& row) {
  Row& known = row.second;
  if (!limit_) {
    known.inside = true;
    return;
  }
  const Place place(row);
  known.inside = inside_.size() < *limit_ || (*limit_ > 0 && Earlier()(place, *inside_.rbegin()) < 0);
  (known.inside ? inside_ : outside_).insert(place);
  if (inside_.size() <= *limit_) return;
  const auto last = std::prev(inside_.end());
  Named& pushed = *last->row;
  note(pushed.first, &pushed.second, RowReason::kChanged);
  pushed.second.inside = false;
  outside_.insert(*last);
  inside_.erase(last);
}

void ResultSet::leave(Named& row) {
  if (!limit_) return;
  (row.second.inside ? inside_ : outside_).erase(Place(row));
  if (!row.second.inside || outside_.empty()) return;
  Named& next = *outside_.begin()->row;
  note(next.first, &next.second, RowReason::kChanged);
  next.second.inside = true;
  inside_.insert(*outside_.begin());
  outside_.erase(outside_.begin());
}

void ResultSet::put(const std::string& key, std::string order, std::string row) {
  const auto [at, is_new] = rows_.try_emplace(key);
  Row& known = at->second;
  if (!is_new && known.order == order && known.row == row) return;
  note(key, is_new ? nullptr : &known, RowReason::kChanged);
  if (!is_new) {
    bytes_ -= size_of(key, known);
    if (known.order == order || !limit_) {
      known.row = std::move(row);
      known.order = std::move(order);
      bytes_ += size_of(key, known);
      return;
    }
    leave(*at);
  }
  known.order = std::move(order);
  known.row = std::move(row);
  bytes_ += size_of(key, known);
  enter(*at);
}

void ResultSet::erase(const std::string& key, RowReason reason) {
  const auto at = rows_.find(key);
  if (at == rows_.end()) return;
  note(key, &at->second, reason);
  leave(*at);
  bytes_ -= size_of(key, at->second);
  rows_.erase(at);
}

std::span<const RowEvent> ResultSet::drain(EventMemory& memory) {
  const std::span<RowEvent> events = memory.rows(changed_.size());
  std::size_t count = 0;
  for (const auto& [key, change] : changed_) {
    const auto at = rows_.find(key);
    const bool now = at != rows_.end() && at->second.inside;
    if (!change.before && !now) continue;
    if (change.before && now && *change.before == at->second.row) continue;
    RowEvent& event = events[count++];
    event.kind = !change.before ? RowEvent::Kind::kInsert : now ? RowEvent::Kind::kUpdate : RowEvent::Kind::kDelete;
    event.key = memory.keep(key);
    if (change.before) event.before = memory.keep(*change.before);
    if (now) event.after = memory.keep(at->second.row), event.order = memory.keep(at->second.order);
    event.reason = change.reason;
  }
  forget_changes();
  std::sort(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count),
            [](const RowEvent& a, const RowEvent& b) { return a.key < b.key; });
  return events.first(count);
}

std::vector<KeptRow> ResultSet::rows() const {
  std::vector<KeptRow> out;
  for (const Place& place : inside_) out.push_back({place.row->first, place.row->second.order, place.row->second.row});
  if (limit_) return out;
  for (const auto& [key, row] : rows_) out.push_back({key, row.order, row.row});
  std::sort(out.begin(), out.end(), [](const KeptRow& a, const KeptRow& b) { return a.order < b.order; });
  return out;
}

}  // namespace halocline::queries
