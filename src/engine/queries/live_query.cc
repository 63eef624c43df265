#include "engine/queries/live_query.h"

#include <algorithm>
#include <list>

#include "base/check.h"
#include "base/limits.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kTupleBytes = 96;  // of a map's node, beside its texts

}  // namespace

bool LiveQuery::passes(std::size_t side, std::uint32_t row, const Reader& reader) const {
  if (!plan_->tables[side]->exists(reader.state, row)) return false;
  Inputs inputs;
  inputs.rows[side] = row;
  return !plan_->filters[side] || plan_->filters[side]->holds(reader, inputs);
}

Status LiveQuery::build(const Reader& reader) {
  if (plan_->grouped && plan_->keys.empty()) touched_groups_.emplace("", RowReason::kChanged);
  // The right side of a join first, so that no row of the left is looked at twice.
  for (std::size_t side = plan_->tables.size(); side-- > 0;) {
    const auto size = static_cast<std::uint32_t>(plan_->tables[side]->size(reader.state));
    for (std::uint32_t row = 0; row < size; ++row) row_changed(side, row, reader);
  }
  if (plan_->grouped) settle_groups(reader);
  result_.forget_changes();
  return within_bounds();
}

void LiveQuery::row_changed(std::size_t side, std::uint32_t row, const Reader& reader, RowReason reason) {
  if (plan_->tables.size() > 1) return joined_row_changed(side, row, reader, reason);
  const bool is_tuple = passes(0, row, reader);
  tuple_changed(row, kNoId, is_tuple, reader, reason);
  if (!plan_->time_bounds.empty()) await(row, reader);
}

// When a comparison of the row with NOW() turns next.
void LiveQuery::await(std::uint32_t row, const Reader& reader) {
  if (const auto at = due_of_.find(row); at != due_of_.end()) {
    due_.erase({at->second, row});
    due_of_.erase(at);
  }
  if (!plan_->tables[0]->exists(reader.state, row)) return;
  Int128 next = INT64_MAX;
  Inputs inputs;
  inputs.rows[0] = row;
  for (const Plan::TimeBound& bound : plan_->time_bounds) {
    const Value instant = bound.instant.run(reader, inputs);
    if (instant.null) continue;
    // It is met at that moment, and passed a nanosecond later.
    const Int128 at = instant.number - bound.shift;
    if (at > reader.now) next = std::min(next, at);
    else if (at == reader.now) next = std::min(next, at + 1);
  }
  if (next >= INT64_MAX) return;
  due_.emplace(static_cast<Nanos>(next), row);
  due_of_.emplace(row, static_cast<Nanos>(next));
}

void LiveQuery::joined_row_changed(std::size_t side, std::uint32_t row, const Reader& reader, RowReason reason) {
  const bool there = passes(side, row, reader);
  std::string key;
  bool has_key = there;
  Inputs inputs;
  inputs.rows[side] = row;
  for (const Program& part : plan_->join_keys[side]) {
    if (!has_key) break;
    const Value value = part.run(reader, inputs);
    has_key = !value.null;  // NULL equals nothing
    if (has_key) pack(value, part.type(), key);
  }
  std::optional<std::string> old_key;
  if (const auto at = key_of_[side].find(row); at != key_of_[side].end()) {
    old_key = std::move(at->second);
    key_of_[side].erase(at);
    std::vector<std::uint32_t>& same = by_key_[side].at(*old_key);
    same.erase(std::find(same.begin(), same.end(), row));
    if (same.empty()) by_key_[side].erase(*old_key);
    bytes_ -= 2 * old_key->size() + kTupleBytes;
  }
  if (has_key) {
    by_key_[side][key].push_back(row);
    key_of_[side].emplace(row, key);
    bytes_ += 2 * key.size() + kTupleBytes;
  }
  if (side == 0 && plan_->left_join) there ? void(left_rows_.insert(row)) : void(left_rows_.erase(row));

  const std::size_t other = 1 - side;
  const auto partners_at = [&](const std::string& where) -> const std::vector<std::uint32_t>* {
    const auto at = by_key_[other].find(where);
    return at == by_key_[other].end() ? nullptr : &at->second;
  };
  const auto look = [&](std::uint32_t partner, bool is_tuple) {
    side == 0 ? tuple_changed(row, partner, is_tuple, reader, reason) : tuple_changed(partner, row, is_tuple, reader, reason);
  };
  if (old_key && (!has_key || *old_key != key)) {
    if (const auto* partners = partners_at(*old_key)) {
      for (const std::uint32_t partner : *partners) look(partner, false);
    }
  }
  if (has_key) {
    if (const auto* partners = partners_at(key)) {
      for (const std::uint32_t partner : *partners) look(partner, true);
    }
  }
  if (!plan_->left_join) return;
  // Rows of the left without a partner stand alone.
  const auto look_alone = [&](std::uint32_t left) {
    const auto at = key_of_[0].find(left);
    const bool alone = left_rows_.contains(left) && (at == key_of_[0].end() || !by_key_[1].contains(at->second));
    tuple_changed(left, kNoId, alone, reader, reason);
  };
  if (side == 0) return look_alone(row);
  for (const std::string* where : {old_key ? &*old_key : nullptr, has_key ? &key : nullptr}) {
    if (where == nullptr) continue;
    if (const auto* lefts = partners_at(*where)) {
      for (const std::uint32_t left : *lefts) look_alone(left);
    }
  }
}

void LiveQuery::tuple_changed(std::uint32_t left, std::uint32_t right, bool is_tuple, const Reader& reader, RowReason reason) {
  const Tuple tuple = tuple_of(left, right);
  Inputs inputs;
  inputs.rows[0] = left;
  inputs.rows[1] = right;
  if (is_tuple && (!plan_->where || plan_->where->holds(reader, inputs))) return add(tuple, inputs, reader);
  const bool gone = !plan_->tables[0]->exists(reader.state, left) || (right != kNoId && !plan_->tables[1]->exists(reader.state, right));
  take_back(tuple, gone ? RowReason::kGone : reason);
}

void LiveQuery::add(Tuple tuple, const Inputs& inputs, const Reader& reader) {
  if (!plan_->grouped) {
    std::string row, order;
    for (const Program& output : plan_->outputs) output.pack(reader, inputs, row);
    for (const OrderKey& key : plan_->order) pack(key.key.run(reader, inputs), key.key.type(), order, key.descending, key.nulls_last);
    const std::string name(key_of_rows(inputs.rows[0], inputs.rows[1]));
    result_.put(name, order + name, std::move(row));
    if (tuples_.try_emplace(tuple).second) bytes_ += kTupleBytes;
    return;
  }
  Contribution now;
  for (const Program& key : plan_->keys) key.pack(reader, inputs, now.group);
  for (const Aggregate& aggregate : plan_->aggregates) {
    const bool counts = !aggregate.filter || aggregate.filter->holds(reader, inputs);
    now.values.push_back(counts ? '\1' : '\0');
    if (!counts || aggregate.kind == AggregateKind::kCountRows) continue;
    pack(aggregate.argument.run(reader, inputs), aggregate.argument_type, now.values);
  }
  const auto [at, is_new] = tuples_.try_emplace(tuple);
  Contribution& known = at->second;
  if (!is_new) {
    if (known.group == now.group && known.values == now.values) return;
    count(known, true);
    bytes_ -= known.group.size() + known.values.size() + kTupleBytes;
  }
  count(now, false);
  bytes_ += now.group.size() + now.values.size() + kTupleBytes;
  known = std::move(now);
}

void LiveQuery::take_back(Tuple tuple, RowReason reason) {
  const auto at = tuples_.find(tuple);
  if (at == tuples_.end()) return;
  if (plan_->grouped) {
    count(at->second, true);
    touched_groups_[at->second.group] = reason;
    bytes_ -= at->second.group.size() + at->second.values.size();
  } else {
    result_.erase(std::string(key_of_rows(static_cast<std::uint32_t>(tuple >> 32), static_cast<std::uint32_t>(tuple))), reason);
  }
  bytes_ -= kTupleBytes;
  tuples_.erase(at);
}

// A tuple's values into its group, or back out of it.
void LiveQuery::count(const Contribution& contribution, bool back) {
  Group& group = groups_[contribution.group];
  if (group.accumulators.empty()) group.accumulators.resize(plan_->aggregates.size());
  group.tuples += back ? -1 : 1;
  std::string_view rest = contribution.values;
  for (std::size_t i = 0; i < plan_->aggregates.size(); ++i) {
    const Aggregate& aggregate = plan_->aggregates[i];
    const bool counts = rest[0] == '\1';
    rest.remove_prefix(1);
    if (!counts) continue;
    Value value;
    PackedReader reader(rest);
    if (aggregate.kind != AggregateKind::kCountRows) value = reader.next(aggregate.argument_type);
    rest = aggregate.kind != AggregateKind::kCountRows ? reader.rest() : rest;
    if (back) {
      bytes_ -= group.accumulators[i].remove(aggregate, value);
    } else {
      bytes_ += group.accumulators[i].add(aggregate, value, false);
    }
  }
  touched_groups_[contribution.group] = RowReason::kChanged;
}

void LiveQuery::settle_groups(const Reader& reader) {
  std::vector<Value> slots;
  for (const auto& [name, reason] : touched_groups_) {
    const auto at = groups_.find(name);
    const bool only_one = plan_->keys.empty();  // no rows are one group, when nothing tells groups apart
    if (at == groups_.end() ? !only_one : at->second.tuples == 0 && !only_one) {
      if (at != groups_.end()) groups_.erase(at);
      result_.erase(name, reason == RowReason::kTime ? reason : RowReason::kGone);
      continue;
    }
    Group& group = groups_[name];
    if (group.accumulators.empty()) group.accumulators.resize(plan_->aggregates.size());
    slots.clear();
    PackedReader keys(name);
    std::list<std::string> texts;
    for (const Program& key : plan_->keys) slots.push_back(keys.next(key.type()));
    for (std::size_t i = 0; i < plan_->aggregates.size(); ++i) {
      slots.push_back(group.accumulators[i].result(plan_->aggregates[i], texts));
    }
    Inputs inputs;
    inputs.slots = slots;
    if (plan_->having && !plan_->having->holds(reader, inputs)) {
      result_.erase(name, reason);
      continue;
    }
    std::string row, order;
    for (const Program& output : plan_->outputs) output.pack(reader, inputs, row);
    for (const OrderKey& key : plan_->order) pack(key.key.run(reader, inputs), key.key.type(), order, key.descending, key.nulls_last);
    result_.put(name, order + name, std::move(row));
  }
  forget_all(touched_groups_);
}

Status LiveQuery::within_bounds() const {
  if (result_.size() > limits::kMaxQueryRows) return too_many_rows();
  if (bytes_ + result_.bytes() > limits::kMaxLiveQueryBytes) return too_many_bytes();
  return ok_status();
}

Result<std::span<const RowEvent>> LiveQuery::drain(const Reader& reader, EventMemory& memory) {
  if (plan_->grouped) settle_groups(reader);
  const std::span<const RowEvent> events = result_.drain(memory);
  if (Status status = within_bounds(); !status.ok()) return status;
  return events;
}

}  // namespace halocline::queries
