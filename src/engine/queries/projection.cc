#include "engine/queries/projection.h"

#include <algorithm>

#include "engine/queries/result_set.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kFewChanges = 4;  // that several answers may have in common

}  // namespace

void Projection::pack_row(const Reader& reader, const Inputs& inputs, std::string& row) const {
  for (std::size_t i = 0; i < plan_->outputs.size(); ++i) pack(plan_->outputs[i].run(reader, inputs), plan_->columns[i].type, row);
}

void Projection::pack_order(const Reader& reader, const Inputs& inputs, std::string_view key, std::string& order) const {
  for (const OrderKey& by : plan_->order) pack(by.key.run(reader, inputs), by.key.type(), order, by.descending, by.nulls_last);
  order += key;
}

bool Projection::wants(const Subject& subject, Part part) {
  if (subject_ != subject.number) {
    subject_ = subject.number;
    known_ = 0;
    std::fill(std::begin(told_), std::end(told_), false);
  }
  const bool known = (known_ & part) != 0;
  known_ |= part;
  return !known;
}

const std::string& Projection::row_before(const Subject& subject) {
  if (wants(subject, kRowBefore)) row_before_.clear(), pack_row(*subject.before, subject.before_inputs, row_before_);
  return row_before_;
}

const std::string& Projection::row_now(const Subject& subject) {
  if (wants(subject, kRowNow)) row_now_.clear(), pack_row(*subject.now, subject.now_inputs, row_now_);
  return row_now_;
}

const std::string& Projection::order_before(const Subject& subject) {
  if (wants(subject, kOrderBefore)) order_before_.clear(), pack_order(*subject.before, subject.before_inputs, subject.key, order_before_);
  return order_before_;
}

const std::string& Projection::order_now(const Subject& subject) {
  if (wants(subject, kOrderNow)) order_now_.clear(), pack_order(*subject.now, subject.now_inputs, subject.key, order_now_);
  return order_now_;
}

const std::shared_ptr<const Standing>& Projection::standing_now(const Subject& subject, std::uint32_t trade) {
  if (wants(subject, kStandingNow)) {
    const std::string &order = order_now(subject), &row = row_now(subject);
    standing_now_ = std::make_shared<Standing>(Standing{trade, order, row});
  }
  return standing_now_;
}

std::shared_ptr<const QueryEvents> Projection::events(std::span<const StandingChange> changes, Seq seq, Nanos time) {
  if (change_events_ != nullptr && change_events_->seq == seq && std::ranges::equal(changes, changes_told_)) return change_events_;
  auto events = std::make_shared<QueryEvents>();
  events->seq = seq;
  events->time = time;
  events->rows.reserve(changes.size());
  for (const StandingChange& change : changes) {
    RowEvent& event = events->rows.emplace_back();
    const bool was = change.before != nullptr, is = change.now != nullptr;
    event.kind = !was ? RowEvent::Kind::kInsert : is ? RowEvent::Kind::kUpdate : RowEvent::Kind::kDelete;
    event.key = key_of_rows(change.trade(), kNoId);
    if (was) event.before = change.before->row;
    if (is) event.after = change.now->row, event.order = change.now->order;
    event.reason = change.reason;
  }
  if (changes.size() > kFewChanges) return events;
  changes_told_.assign(changes.begin(), changes.end());
  return change_events_ = std::move(events);
}

const std::shared_ptr<const QueryEvents>& Projection::events(const Subject& subject, bool was, bool is, Seq seq, Nanos time) {
  static const std::shared_ptr<const QueryEvents> kNone;
  const std::size_t which = (was ? 2u : 0u) + (is ? 1u : 0u);
  if (was && is && row_before(subject) == row_now(subject)) return kNone;
  if (subject_ == subject.number && told_[which]) return events_[which];
  auto events = std::make_shared<QueryEvents>();
  events->seq = seq;
  events->time = time;
  RowEvent& event = events->rows.emplace_back();
  event.kind = !was ? RowEvent::Kind::kInsert : is ? RowEvent::Kind::kUpdate : RowEvent::Kind::kDelete;
  event.key = subject.key;
  if (was) event.before = row_before(subject);
  if (is) event.after = row_now(subject), event.order = order_now(subject);
  event.reason = subject.reason;
  events_[which] = std::move(events);
  told_[which] = true;
  return events_[which];
}

}  // namespace halocline::queries
