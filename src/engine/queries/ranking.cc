#include "engine/queries/ranking.h"

#include <algorithm>

#include "base/limits.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kInsideBytes = 160;     // of a row of the answer, beside its texts
constexpr std::size_t kShortText = 15;        // stands within its string
constexpr std::size_t kFewToSweep = 1'024;

std::size_t bytes_of(const std::string& order) { return order.size() <= kShortText ? 0 : order.size(); }

// Of a heap whose top is the first.
constexpr auto kBehind = [](const auto& a, const auto& b) { return a.order > b.order; };

}  // namespace

Ranking::Change& Ranking::note(std::uint32_t trade, const std::string* row) {
  const auto [at, is_new] = changed_.try_emplace(trade);
  if (is_new && row != nullptr) at->second.before = *row;
  return at->second;
}

void Ranking::take_in(const std::string& order, std::uint32_t trade, std::string row) {
  note(trade, nullptr).order = order;
  bytes_ += 2 * order.size() + row.size() + kInsideBytes;
  inside_.emplace(order, Inside{trade, std::move(row)});
}

void Ranking::take_out(Place place, RowReason reason) {
  Change& change = note(place->second.trade, &place->second.row);
  change.order.reset();
  change.reason = reason;
  bytes_ -= 2 * place->first.size() + place->second.row.size() + kInsideBytes;
  inside_.erase(place);
}

void Ranking::put_behind(std::string order, std::uint32_t trade) {
  bytes_ += sizeof(Outside) + bytes_of(order);
  outside_.push_back({std::move(order), trade});
  std::push_heap(outside_.begin(), outside_.end(), kBehind);
  ++waiting_;
}

// Needs that nothing stands outside while there is room inside.
void Ranking::enter(std::uint32_t trade, const Subject& subject) {
  const std::string& order = projection_->order_now(subject);
  if (inside_.size() >= limit() && (limit() == 0 || inside_.rbegin()->first < order)) return put_behind(order, trade);
  take_in(order, trade, projection_->row_now(subject));
  if (inside_.size() <= limit()) return;
  const Place last = std::prev(inside_.end());
  put_behind(last->first, last->second.trade);
  take_out(last, RowReason::kChanged);
}

// Whether the trade is one of those outside, where this says: read anew, for it may have left since.
bool Ranking::stands(const Outside& one, const Reader& state) const {
  if (inside_.contains(one.order) || !plan_->tables[0]->exists(state.state, one.trade)) return false;
  Inputs inputs;
  inputs.rows[0] = one.trade;
  if (plan_->filters[0] && !plan_->filters[0]->holds(state, inputs)) return false;
  std::string order;
  projection_->pack_order(state, inputs, key_of_rows(one.trade, kNoId), order);
  return order == one.order;
}

void Ranking::fill_up(const Reader& state) {
  while (inside_.size() < limit() && !outside_.empty()) {
    std::pop_heap(outside_.begin(), outside_.end(), kBehind);
    const Outside next = std::move(outside_.back());
    outside_.pop_back();
    bytes_ -= sizeof(Outside) + bytes_of(next.order);
    if (!stands(next, state)) continue;
    --waiting_;
    Inputs inputs;
    inputs.rows[0] = next.trade;
    std::string row;
    projection_->pack_row(state, inputs, row);
    take_in(next.order, next.trade, std::move(row));
  }
}

// When most of what is outside is to be dropped.
void Ranking::sweep(const Reader& state) {
  if (outside_.size() < 2 * waiting_ + kFewToSweep) return;
  std::erase_if(outside_, [&](const Outside& one) { return !stands(one, state); });
  std::sort(outside_.begin(), outside_.end(), [](const Outside& a, const Outside& b) { return a.order < b.order; });  // a heap, too
  const auto doubles = std::unique(outside_.begin(), outside_.end(), [](const Outside& a, const Outside& b) { return a.order == b.order; });
  outside_.erase(doubles, outside_.end());
  bytes_ = 0;
  for (const auto& [order, one] : inside_) bytes_ += 2 * order.size() + one.row.size() + kInsideBytes;
  for (const Outside& one : outside_) bytes_ += sizeof(Outside) + bytes_of(one.order);
}

void Ranking::change(std::uint32_t trade, const Subject& subject, bool was, bool is, const Reader& state) {
  if (was) {
    const Place place = inside_.find(projection_->order_before(subject));
    const bool inside = place != inside_.end();
    if (is && projection_->order_now(subject) == projection_->order_before(subject)) {
      if (!inside || place->second.row == projection_->row_now(subject)) return;
      note(trade, &place->second.row);
      bytes_ += projection_->row_now(subject).size() - place->second.row.size();
      place->second.row = projection_->row_now(subject);
      changed_.at(trade).order = place->first;
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

void Ranking::drain(std::vector<RowEvent>& events) {
  const std::size_t first = events.size();
  for (auto& [trade, change] : changed_) {
    const auto at = change.order ? inside_.find(*change.order) : inside_.end();
    const bool now = at != inside_.end();
    if (!change.before && !now) continue;
    if (change.before && now && *change.before == at->second.row) continue;
    RowEvent event;
    event.kind = !change.before ? RowEvent::Kind::kInsert : now ? RowEvent::Kind::kUpdate : RowEvent::Kind::kDelete;
    event.key = key_of_rows(trade, kNoId);
    if (change.before) event.before = std::move(*change.before);
    if (now) event.after = at->second.row, event.order = at->first;
    event.reason = change.reason;
    events.push_back(std::move(event));
  }
  forget_changes();
  std::sort(events.begin() + static_cast<std::ptrdiff_t>(first), events.end(),
            [](const RowEvent& a, const RowEvent& b) { return a.key < b.key; });
}

std::vector<KeptRow> Ranking::rows() const {
  std::vector<KeptRow> out;
  for (const auto& [order, one] : inside_) out.push_back({key_of_rows(one.trade, kNoId), order, one.row});
  return out;
}

Status Ranking::within_bounds() const {
  if (inside_.size() > limits::kMaxQueryRows) return too_many_rows();
  if (bytes_ > limits::kMaxLiveQueryBytes) return too_many_bytes();
  return ok_status();
}

}  // namespace halocline::queries
