#include "engine/queries/grouping.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kGroupBytes = 128;  // beside its key and what its aggregates keep
constexpr std::size_t kMostFetched = 8;      // queries
constexpr std::size_t kFewSlots = 6;         // of most queries

}  // namespace

Grouping::User::User(Id of, std::shared_ptr<const Plan> asked, Projection& selects, std::unique_ptr<ResultSet> kept)
    : id(of), projection(&selects), first(std::move(kept)), plan(std::move(asked)) {
  if (plan->having) having = plan->having->slot_comparison();
}

Grouping::Grouping(std::shared_ptr<const Plan> plan, std::span<PackedNames* const> names)
    : plan_(std::move(plan)), names_(names.begin(), names.end()) {
  if (!always_there()) return;
  Named* const only = groups_.try_emplace(HashedName("")).first;
  only->second.accumulators.resize(plan_->aggregates.size());
  bytes_ += bytes_of(*only);
}

std::size_t Grouping::bytes_of(const Named& group) const {
  return group.first.size() + kGroupBytes + group.second.accumulators.size() * sizeof(Accumulator);
}

template <class Values>
void Grouping::append_values(const Group& group, Values& values, std::list<std::string>& texts) const {
  for (std::size_t i = 0; i < plan_->aggregates.size(); ++i) values.push_back(group.accumulators[i].result(plan_->aggregates[i], texts));
}

template <class Visit>
void Grouping::each_group(Visit visit) const {
  std::vector<Value> slots;
  groups_.each([&](const Named& group) {
    if (!is_there(group.second)) return;
    std::list<std::string> texts;
    PackedReader keys(group.first);
    slots.clear();
    for (const Program& key : plan_->keys) slots.push_back(keys.next(key.type()));
    append_values(group.second, slots, texts);
    Inputs inputs;
    inputs.slots = slots;
    visit(group.first, inputs);
  });
}

void Grouping::add(Id id, std::shared_ptr<const Plan> plan, Projection& projection, const Reader& reader) {
  User& user = users_.emplace_back(id, std::move(plan), projection, nullptr);
  if (!user.plan->limit) return;
  user.first = std::make_unique<ResultSet>(user.plan->limit);
  each_group([&](const std::string& name, const Inputs& inputs) {
    if (!user.passes(reader, inputs)) return;
    std::string row, order;
    projection.pack_row(reader, inputs, row);
    projection.pack_order(reader, inputs, name, order);
    user.first->put(name, std::move(order), std::move(row));
  });
  user.first->forget_changes();
}

void Grouping::take_groups(Grouping& from) {
  CHECK(changed_.empty() && from.changed_.empty(), "groups are handed over while they change");
  std::swap(groups_, from.groups_);
  bytes_ = from.bytes_;
}

void Grouping::take_user(Id id, std::shared_ptr<const Plan> plan, Projection& projection, Grouping& from, Id theirs) {
  const auto at = std::find_if(from.users_.begin(), from.users_.end(), [&](const User& one) { return one.id == theirs; });
  users_.emplace_back(id, std::move(plan), projection, std::move(at->first));
}

bool Grouping::has(Id id) const {
  return std::any_of(users_.begin(), users_.end(), [&](const User& user) { return user.id == id; });
}

std::shared_ptr<void> Grouping::remove(Id id) {
  const auto at = std::find_if(users_.begin(), users_.end(), [&](const User& user) { return user.id == id; });
  std::shared_ptr<void> kept = std::move(at->first);
  users_.erase(at);
  return kept;
}

// Remembers how the group was, before it changes.
void Grouping::note(Named& group) {
  if (group.second.change != 0) return;
  changed_.push_back({&group, is_there(group.second), values_.size()});
  append_values(group.second, values_, texts_);
  group.second.change = changed_.size();
}

HashedName Grouping::key_of(const Reader& reader, const Inputs& inputs) {
  if (names_.size() == 1 && names_[0] != nullptr) {
    const PackedNames::Packed* const name = names_[0]->find(reader, inputs.rows[0]);
    if (name != nullptr) return {name->bytes, name->hash};
  }
  key_.clear();
  for (std::size_t i = 0; i < plan_->keys.size(); ++i) {
    const Program& key = plan_->keys[i];
    names_[i] != nullptr ? names_[i]->pack(reader, inputs.rows[0], key_) : key.pack(reader, inputs, key_);
  }
  return HashedName(key_.bytes());
}

void Grouping::count(const Reader& reader, const Inputs& inputs, bool back) {
  const auto [at, is_new] = groups_.try_emplace(key_of(reader, inputs));
  CHECK(!is_new || !back, "a trade is taken out of a group that is not there");
  Group& group = at->second;
  if (is_new) {
    group.accumulators.resize(plan_->aggregates.size());
    bytes_ += bytes_of(*at);
  }
  note(*at);
  group.trades += back ? -1 : 1;
  for (std::size_t i = 0; i < plan_->aggregates.size(); ++i) {
    const Aggregate& aggregate = plan_->aggregates[i];
    if (aggregate.filter && !aggregate.filter->holds(reader, inputs)) continue;
    const Value value = aggregate.kind == AggregateKind::kCountRows ? Value{} : aggregate.argument.run(reader, inputs);
    if (back) {
      bytes_ -= group.accumulators[i].remove(aggregate, value);
    } else {
      bytes_ += group.accumulators[i].add(aggregate, value, false);
    }
  }
}

void Grouping::tell(User& user, const Subject& subject, const Reader& reader, Seq seq, ToldEvents& told) {
  const bool was = subject.before != nullptr && user.passes(reader, subject.before_inputs);
  const bool is = subject.now != nullptr && user.passes(reader, subject.now_inputs);
  if (!user.first) {
    if (!was && !is) return;
    const QueryEvents* const what = user.projection->events(subject, was, is, seq, reader.now, told.memory());
    if (what != nullptr) told.tell(user.id, *what);
  } else if (is) {
    const std::string_view order = user.projection->order_now(subject), row = user.projection->row_now(subject);
    user.first->put(std::string(subject.key), std::string(order), std::string(row));
  } else {
    user.first->erase(std::string(subject.key), subject.reason);
  }
}

void Grouping::settle(const Reader& reader, Seq seq, std::uint64_t& subjects, ToldEvents& told) {
  std::list<std::string> texts;
  absl::InlinedVector<Value, kFewSlots> before, now;
  for (const Changed& changed : changed_) {
    const auto& [name, group] = *changed.group;
    const bool is = is_there(group);
    before.clear(), texts.clear();
    PackedReader keys(name);
    for (const Program& key : plan_->keys) before.push_back(keys.next(key.type()));
    now = before;
    for (std::size_t i = 0; i < plan_->aggregates.size(); ++i) before.push_back(values_[changed.values + i]);
    append_values(group, now, texts);
    Subject subject;
    subject.number = ++subjects;
    subject.key = name;
    if (changed.was) subject.before = &reader;
    if (is) subject.now = &reader;
    subject.before_inputs.slots = before;
    subject.now_inputs.slots = now;
    subject.reason = is ? RowReason::kChanged : RowReason::kGone;
    for (User& user : users_) tell(user, subject, reader, seq, told);
  }
  for (User& user : users_) {
    if (!user.first) continue;
    const std::span<const RowEvent> rows = user.first->drain(told.memory());
    if (!rows.empty()) told.tell(user.id, told.memory().events(seq, reader.now, rows));
  }
  forget_changes();
}

std::uint64_t Grouping::fetch(const Reader& reader, const Inputs& inputs) {
  for (std::size_t i = 0; i < std::min(users_.size(), kMostFetched); ++i) prefetch_line(&users_[i]);
  const std::uint64_t group = key_of(reader, inputs).hash;
  groups_.prefetch(group);
  return group;
}

void Grouping::forget_changes() {
  for (const Changed& changed : changed_) {
    changed.group->second.change = 0;
    if (is_there(changed.group->second)) continue;
    bytes_ -= bytes_of(*changed.group);
    groups_.erase(*changed.group);
  }
  changed_.clear();
  values_.clear();
  texts_.clear();
}

std::vector<KeptRow> Grouping::rows(Id id, const Reader& reader) const {
  const User& user = *std::find_if(users_.begin(), users_.end(), [&](const User& one) { return one.id == id; });
  if (user.first) return user.first->rows();
  std::vector<KeptRow> out;
  each_group([&](const std::string& name, const Inputs& inputs) {
    if (!user.passes(reader, inputs)) return;
    KeptRow& row = out.emplace_back();
    row.key = name;
    user.projection->pack_row(reader, inputs, row.row);
    user.projection->pack_order(reader, inputs, name, row.order);
  });
  std::sort(out.begin(), out.end(), [](const KeptRow& a, const KeptRow& b) { return a.order < b.order; });
  return out;
}

Status Grouping::within_bounds() const {
  if (groups_.size() > limits::kMaxQueryRows) return too_many_rows();
  std::size_t bytes = bytes_;
  for (const User& user : users_) bytes += user.first ? user.first->bytes() : 0;
  return bytes > limits::kMaxLiveQueryBytes ? too_many_bytes() : ok_status();
}

}  // namespace halocline::queries
