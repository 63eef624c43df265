#include "engine/queries/projection.h"

#include <algorithm>

#include "engine/queries/result_set.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kFewChanges = 4;  // that several answers may have in common
constexpr std::size_t kInserted = 1;    // which events of a subject say that it came

RowEvent::Kind kind_of(bool was, bool is) {
  return !was ? RowEvent::Kind::kInsert : is ? RowEvent::Kind::kUpdate : RowEvent::Kind::kDelete;
}

}  // namespace

Projection::Projection(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  const auto is_column = [](const Program& output) { return output.column() != nullptr; };
  if (plan_->tables.size() != 1 || !plan_->order.empty() || !std::ranges::all_of(plan_->outputs, is_column)) return;
  for (const Program& output : plan_->outputs) columns_.push_back(output.column()->write);
}

bool Projection::wants(const Subject& subject, Part part) {
  if (subject_ != subject.number) {
    subject_ = subject.number;
    known_ = 0;
  }
  const bool known = (known_ & part) != 0;
  known_ |= part;
  return !known;
}

std::string_view Projection::row_before(const Subject& subject) {
  if (wants(subject, kRowBefore)) row_before_.clear(), pack_row(*subject.before, subject.before_inputs, row_before_);
  return row_before_.bytes();
}

std::string_view Projection::row_now(const Subject& subject) {
  if (wants(subject, kRowNow)) row_now_.clear(), pack_row(*subject.now, subject.now_inputs, row_now_);
  return (known_ & kRowInserted) != 0 ? events_[kInserted]->rows[0].after : row_now_.bytes();
}

std::string_view Projection::order_before(const Subject& subject) {
  if (plan_->order.empty()) return subject.key;
  if (wants(subject, kOrderBefore)) order_before_.clear(), pack_order(*subject.before, subject.before_inputs, subject.key, order_before_);
  return order_before_.bytes();
}

std::string_view Projection::order_now(const Subject& subject) {
  if (plan_->order.empty()) return subject.key;
  if (wants(subject, kOrderNow)) order_now_.clear(), pack_order(*subject.now, subject.now_inputs, subject.key, order_now_);
  return order_now_.bytes();
}

const std::shared_ptr<const Standing>& Projection::standing_now(const Subject& subject, std::uint32_t trade) {
  if (wants(subject, kStandingNow)) {
    const std::string_view order = order_now(subject), row = row_now(subject);
    standing_now_ = std::make_shared<Standing>(Standing{trade, std::string(order), std::string(row)});
  }
  return standing_now_;
}

const QueryEvents& Projection::events(std::span<const StandingChange> changes, std::uint64_t round, Seq seq, Nanos time,
                                      EventMemory& memory) {
  if (round_told_ == round && std::ranges::equal(changes, changes_told_)) return *change_events_;
  const std::span<RowEvent> rows = memory.rows(changes.size());
  auto event = rows.begin();
  for (const StandingChange& change : changes) {
    const bool was = change.before != nullptr, is = change.now != nullptr;
    event->kind = kind_of(was, is);
    event->key = memory.keep(key_of_rows(change.trade(), kNoId));
    if (was) event->before = memory.keep(change.before->row);
    if (is) event->after = memory.keep(change.now->row), event->order = memory.keep(change.now->order);
    event->reason = change.reason;
    ++event;
  }
  const QueryEvents& events = memory.events(seq, time, rows);
  if (changes.size() > kFewChanges) return events;
  changes_told_.assign(changes.begin(), changes.end());
  round_told_ = round;
  change_events_ = &events;
  return events;
}

const QueryEvents* Projection::insert_columns(const Subject& subject, Seq seq, Nanos time, EventMemory& memory) {
  const Reader& reader = *subject.now;
  const std::uint32_t row = subject.now_inputs.rows[0];
  const std::string_view key(subject.key.data(), sizeof(KeyOfRows));
  const QueryEvents* const inserted = memory.insert(seq, time, key, [&](char* to, const char* limit) {
    for (const auto write : columns_) {
      if (to = write(reader, row, to, limit); to == nullptr) break;
    }
    return to;
  });
  if (inserted == nullptr) return events_of(subject, false, true, seq, time, memory);
  subject_ = subject.number;
  known_ = kEvents << kInserted | kRowNow | kRowInserted;
  return events_[kInserted] = inserted;
}

const QueryEvents* Projection::events_of(const Subject& subject, bool was, bool is, Seq seq, Nanos time, EventMemory& memory) {
  const std::size_t which = (was ? 2u : 0u) + (is ? 1u : 0u);
  if (was && is && row_before(subject) == row_now(subject)) return nullptr;
  if (!wants(subject, static_cast<Part>(kEvents << which))) return events_[which];
  const std::string_view before = was ? row_before(subject) : std::string_view();
  const std::string_view after = is ? row_now(subject) : std::string_view(), order = is ? order_now(subject) : std::string_view();
  return events_[which] = &memory.event(seq, time, {kind_of(was, is), subject.reason, subject.key, before, after, order});
}

}  // namespace halocline::queries
