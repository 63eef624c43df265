#include "engine/queries/projection.h"

#include <algorithm>

namespace halocline::queries {

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
