#include "engine/queries/ranking.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/limits.h"
#include "base/prefetch.h"
#include "engine/queries/result_set.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kInsideBytes = 160;     // of a row of the answer, beside its texts
constexpr std::size_t kShortText = 15;        // stands within its string
constexpr std::size_t kFewToSweep = 1'024;
constexpr std::size_t kMostLately = std::size_t{32} << 10;  // bytes
constexpr std::uint64_t kFewRows = 10;        // that lie in one node of their tree

std::size_t bytes_of(const std::string& order) { return order.size() <= kShortText ? 0 : order.size(); }
std::size_t bytes_of(const Standing& row) { return row.order.size() + row.row.size() + kInsideBytes; }

// Of a heap whose top is the first.
constexpr auto kBehind = [](const auto& a, const auto& b) { return a.order > b.order; };

}  // namespace

std::uint64_t Ranking::first_bytes(std::string_view order) {
  std::uint64_t first = 0;
  std::memcpy(&first, order.data(), std::min(sizeof first, order.size()));
  return __builtin_bswap64(first);  // big-endian, as the bytes are compared
}

void Ranking::fetch() const {
  prefetch_line(lately_.data() + lately_.size());
  if (inside_.empty() || limit_ > kFewRows || inside_.size() == limit_) return;
  // They lie together, the last at the end.
  const auto* const last = reinterpret_cast<const char*>(&*inside_.rbegin());
  for (std::size_t back = 0; back < inside_.size() * sizeof(Inside); back += kLine) prefetch_line(last - back);
}

void Ranking::take_in(std::shared_ptr<const Standing> row) {
  bytes_ += bytes_of(*row);
  changed_.push_back({nullptr, row});
  inside_.insert(Inside(std::move(row)));
  last_ = inside_.rbegin()->first;
}

void Ranking::take_out(Answer::iterator place, RowReason reason) {
  bytes_ -= bytes_of(*place->row);
  changed_.push_back({place->row, nullptr, reason});
  inside_.erase(place);
}

void Ranking::put_behind(std::string_view order, std::uint32_t trade) {
  const auto size = static_cast<std::uint32_t>(order.size());
  const std::size_t at = lately_.size();
  lately_.resize(at + sizeof trade + sizeof size + size);
  char* const out = lately_.data() + at;
  std::memcpy(out, &trade, sizeof trade);
  std::memcpy(out + sizeof trade, &size, sizeof size);
  std::memcpy(out + sizeof trade + sizeof size, order.data(), size);
  bytes_ += lately_.size() - at;
  ++waiting_;
  if (lately_.size() >= kMostLately) put_in_order();
}

void Ranking::put_in_order() {
  if (lately_.empty()) return;
  if (outside_ == nullptr) outside_ = std::make_unique<std::deque<Outside>>();
  bytes_ -= lately_.size();
  for (const char* at = lately_.data(); at != lately_.data() + lately_.size();) {
    std::uint32_t trade, size;
    std::memcpy(&trade, at, sizeof trade);
    std::memcpy(&size, at + sizeof trade, sizeof size);
    at += sizeof trade + sizeof size;
    outside_->push_back({std::string(at, size), trade});
    std::push_heap(outside_->begin(), outside_->end(), kBehind);
    bytes_ += sizeof(Outside) + bytes_of(outside_->back().order);
    at += size;
  }
  lately_.clear();
}

bool Ranking::is_behind(const Wanted& one) const {
  if (limit_ == 0 || one.first > last_) return true;
  return one.first == last_ && Earlier()(*inside_.rbegin(), one) < 0;
}

// Needs that nothing stands outside while there is room inside.
void Ranking::enter(std::uint32_t trade, const Subject& subject) {
  if (inside_.size() >= limit_) {
    const std::string_view order = projection_->order_now(subject);
    if (is_behind(Wanted(order))) return put_behind(order, trade);
    const auto last = std::prev(inside_.end());
    put_behind(last->order(), last->row->trade);
    take_out(last, RowReason::kChanged);
  }
  take_in(projection_->standing_now(subject, trade));
}

// Whether the trade is one of those outside, where this says: read anew, for it may have left since.
bool Ranking::stands(const Outside& one, const Reader& state) const {
  if (inside_.contains(Wanted(one.order)) || !plan_->tables[0]->exists(state.state, one.trade)) return false;
  Inputs inputs;
  inputs.rows[0] = one.trade;
  if (plan_->filters[0] && !plan_->filters[0]->holds(state, inputs)) return false;
  std::string order;
  projection_->pack_order(state, inputs, key_of_rows(one.trade, kNoId), order);
  return order == one.order;
}

void Ranking::fill_up(const Reader& state) {
  put_in_order();
  while (inside_.size() < limit_ && outside_ != nullptr && !outside_->empty()) {
    std::pop_heap(outside_->begin(), outside_->end(), kBehind);
    Outside next = std::move(outside_->back());
    outside_->pop_back();
    bytes_ -= sizeof(Outside) + bytes_of(next.order);
    if (!stands(next, state)) continue;
    --waiting_;
    Inputs inputs;
    inputs.rows[0] = next.trade;
    std::string row;
    projection_->pack_row(state, inputs, row);
    take_in(std::make_shared<Standing>(Standing{next.trade, std::move(next.order), std::move(row)}));
  }
}

// When most of what is outside is to be dropped.
void Ranking::sweep(const Reader& state) {
  if (outside_ == nullptr || outside_->size() < 2 * waiting_ + kFewToSweep) return;
  put_in_order();
  std::deque<Outside>& all = *outside_;
  std::erase_if(all, [&](const Outside& one) { return !stands(one, state); });
  std::sort(all.begin(), all.end(), [](const Outside& a, const Outside& b) { return a.order < b.order; });  // a heap, too
  const auto doubles = std::unique(all.begin(), all.end(), [](const Outside& a, const Outside& b) { return a.order == b.order; });
  all.erase(doubles, all.end());
  bytes_ = 0;
  for (const Inside& one : inside_) bytes_ += bytes_of(*one.row);
  for (const Outside& one : all) bytes_ += sizeof(Outside) + bytes_of(one.order);
}

void Ranking::change(std::uint32_t trade, const Subject& subject, bool was, bool is, const Reader& state) {
  if (was) {
    const auto place = inside_.find(Wanted(projection_->order_before(subject)));
    const bool inside = place != inside_.end();
    if (is && projection_->order_now(subject) == projection_->order_before(subject)) {
      if (!inside || place->row->row == projection_->row_now(subject)) return;
      const std::shared_ptr<const Standing>& row = projection_->standing_now(subject, trade);
      bytes_ += bytes_of(*row) - bytes_of(*place->row);
      changed_.push_back({place->row, row});
      inside_.insert(inside_.erase(place), Inside(row));
      return;
    }
    if (inside) {
      take_out(place, subject.reason);
      fill_up(state);
    } else {
      --waiting_;
    }
  }
  if (is) enter(trade, subject);
  sweep(state);
}

const QueryEvents* Ranking::drain(std::uint64_t round, Seq seq, Nanos time, EventMemory& memory) {
  const auto by_trade = [](const StandingChange& a, const StandingChange& b) { return a.trade() < b.trade(); };
  if (!std::is_sorted(changed_.begin(), changed_.end(), by_trade)) std::stable_sort(changed_.begin(), changed_.end(), by_trade);
  // Of each trade one: what the first says it was, and the last says it is.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < changed_.size();) {
    const std::uint32_t trade = changed_[i].trade();
    StandingChange whole = std::move(changed_[i]);
    for (++i; i < changed_.size() && changed_[i].trade() == trade; ++i) {
      if (changed_[i].now == nullptr) whole.reason = changed_[i].reason;
      whole.now = std::move(changed_[i].now);
    }
    const bool was = whole.before != nullptr, is = whole.now != nullptr;
    if (was == is && (!was || whole.before->row == whole.now->row)) continue;
    changed_[kept++] = std::move(whole);
  }
  const QueryEvents* const events = kept == 0 ? nullptr : &projection_->events({changed_.data(), kept}, round, seq, time, memory);
  forget_changes();
  return events;
}

std::vector<KeptRow> Ranking::rows() const {
  std::vector<KeptRow> out;
  for (const Inside& one : inside_) out.push_back({std::string(key_of_rows(one.row->trade, kNoId)), one.row->order, one.row->row});
  return out;
}

Status Ranking::within_bounds() const {
  if (inside_.size() > limits::kMaxQueryRows) return too_many_rows();
  if (bytes_ > limits::kMaxLiveQueryBytes) return too_many_bytes();
  return ok_status();
}

}  // namespace halocline::queries
