#include "engine/queries/run.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "engine/queries/explain.h"

namespace halocline::queries {
namespace {

struct Group {
  std::vector<Accumulator> accumulators;
};

// A row of the answer with what it is ordered by.
struct Kept {
  std::string order;
  std::string row;
};

void append_id(std::uint32_t id, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(id >> shift & 0xFF));
}

class Run {
 public:
  Run(const Plan& plan, const State& state, Nanos now) : plan_(plan), state_(state), splits_(state), reader_{state, splits_, now} {}

  Result<QueryRows> answer() {
    if (plan_.limit != std::uint64_t{0}) read();
    if (plan_.grouped && failure_.ok()) emit_groups();
    if (!failure_.ok()) return failure_;
    QueryRows out;
    out.columns = plan_.columns;
    if (!plan_.order.empty()) std::sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.order < b.order; });
    if (plan_.limit && kept_.size() > *plan_.limit) kept_.resize(*plan_.limit);
    out.rows.reserve(kept_.size());
    for (Kept& one : kept_) out.rows.push_back(std::move(one.row));
    return out;
  }

 private:
  bool fail(const std::string& what) {
    if (failure_.ok()) failure_ = Status(Code::kResourceExhausted, what);
    return false;
  }
  bool take_bytes(std::size_t bytes) {
    bytes_ += bytes;
    return bytes_ <= limits::kMaxQueryResultBytes ||
           fail("the answer takes more than " + std::to_string(limits::kMaxQueryResultBytes >> 20) + " MiB; ask for fewer rows or columns");
  }

  // Each row of a source that passes the conditions on it alone, until `visit` says false.
  template <class Visit>
  void scan(std::size_t side, Visit visit) {
    const Table& table = *plan_.tables[side];
    const auto size = static_cast<std::uint32_t>(table.size(state_));
    for (std::uint32_t row = 0; row < size; ++row) {
      if (!table.exists(state_, row)) continue;
      Inputs inputs;
      inputs.rows[side] = row;
      if (plan_.filters[side] && !plan_.filters[side]->holds(reader_, inputs)) continue;
      if (!visit(inputs)) return;
    }
  }

  // False when a part is NULL: it equals nothing.
  bool join_key(std::size_t side, const Inputs& inputs, std::string& key) const {
    key.clear();
    for (const Program& part : plan_.join_keys[side]) {
      const Value value = part.run(reader_, inputs);
      if (value.null) return false;
      pack(value, part.type(), key);
    }
    return true;
  }

  void read() {
    if (plan_.tables.size() == 1) return scan(0, [&](const Inputs& inputs) { return visit(inputs); });
    std::unordered_map<std::string, std::vector<std::uint32_t>> right;
    std::string key;
    scan(1, [&](const Inputs& inputs) {
      if (!join_key(1, inputs, key)) return true;
      right[key].push_back(inputs.rows[1]);
      return take_bytes(key.size() + sizeof(std::uint32_t));
    });
    if (!failure_.ok()) return;
    scan(0, [&](const Inputs& left) {
      const auto found = join_key(0, left, key) ? right.find(key) : right.end();
      if (found == right.end()) return !plan_.left_join || visit(left);
      for (const std::uint32_t row : found->second) {
        Inputs both = left;
        both.rows[1] = row;
        if (++pairs_ > limits::kMaxQueryPairs) return fail("the join makes more than " + std::to_string(limits::kMaxQueryPairs) +
            " pairs of rows");
        if (!visit(both)) return false;
      }
      return true;
    });
  }

  // False when no more rows are wanted.
  bool visit(const Inputs& inputs) {
    if (plan_.where && !plan_.where->holds(reader_, inputs)) return true;
    if (plan_.grouped) return add_to_group(inputs);
    std::string tie;
    if (!plan_.order.empty()) append_id(inputs.rows[0], tie), append_id(inputs.rows[1], tie);
    return emit(inputs, tie);
  }

  bool add_to_group(const Inputs& inputs) {
    scratch_.clear();
    for (const Program& key : plan_.keys) key.pack(reader_, inputs, scratch_);
    const auto [at, is_new] = groups_.try_emplace(scratch_);
    if (is_new) {
      if (groups_.size() > limits::kMaxQueryRows) return fail("more than " + std::to_string(limits::kMaxQueryRows) + " groups");
      at->second.accumulators.resize(plan_.aggregates.size());
      if (!take_bytes(scratch_.size() + sizeof(Accumulator) * plan_.aggregates.size())) return false;
    }
    for (std::size_t i = 0; i < plan_.aggregates.size(); ++i) {
      const Aggregate& aggregate = plan_.aggregates[i];
      if (aggregate.filter && !aggregate.filter->holds(reader_, inputs)) continue;
      const Value value = aggregate.kind == AggregateKind::kCountRows ? Value{} : aggregate.argument.run(reader_, inputs);
      if (!take_bytes(at->second.accumulators[i].add(aggregate, value, true))) return false;
    }
    return true;
  }

  void emit_groups() {
    if (plan_.keys.empty() && groups_.empty() && plan_.limit != std::uint64_t{0}) {
      groups_[""].accumulators.resize(plan_.aggregates.size());  // no rows are one group, when nothing tells groups apart
    }
    std::vector<const std::pair<const std::string, Group>*> in_order;
    for (const auto& group : groups_) in_order.push_back(&group);
    std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    std::vector<Value> slots;
    for (const auto* group : in_order) {
      slots.clear();
      PackedReader keys(group->first);
      std::list<std::string> texts;
      for (const Program& key : plan_.keys) slots.push_back(keys.next(key.type()));
      for (std::size_t i = 0; i < plan_.aggregates.size(); ++i) {
        slots.push_back(group->second.accumulators[i].result(plan_.aggregates[i], texts));
      }
      Inputs inputs;
      inputs.slots = slots;
      if (plan_.having && !plan_.having->holds(reader_, inputs)) continue;
      if (!emit(inputs, group->first)) return;
    }
  }

  bool emit(const Inputs& inputs, const std::string& tie) {
    Kept kept;
    for (const Program& output : plan_.outputs) output.pack(reader_, inputs, kept.row);
    for (const OrderKey& order : plan_.order) {
      pack(order.key.run(reader_, inputs), order.key.type(), kept.order, order.descending, order.nulls_last);
    }
    if (!plan_.order.empty()) kept.order += tie;
    if (!take_bytes(kept.row.size() + kept.order.size() + sizeof kept)) return false;
    kept_.push_back(std::move(kept));
    if (plan_.order.empty()) {
      if (plan_.limit && kept_.size() >= *plan_.limit) return false;
    } else if (plan_.limit && kept_.size() >= 2 * *plan_.limit + kSlack) {
      drop_the_last(*plan_.limit);
    }
    return kept_.size() <= limits::kMaxQueryRows ||
           fail("the answer has more than " + std::to_string(limits::kMaxQueryRows) + " rows; add a condition, or ORDER BY … LIMIT");
  }

  // Of an ordered answer with a limit only twice as many rows are kept.
  void drop_the_last(std::size_t wanted) {
    const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(wanted);
    std::nth_element(kept_.begin(), end, kept_.end(), [](const Kept& a, const Kept& b) { return a.order < b.order; });
    for (auto dropped = end; dropped != kept_.end(); ++dropped) bytes_ -= dropped->row.size() + dropped->order.size() + sizeof(Kept);
    kept_.erase(end, kept_.end());
  }

  static constexpr std::size_t kSlack = 1'024;

  const Plan& plan_;
  const State& state_;
  Splits splits_;
  const Reader reader_;
  std::unordered_map<std::string, Group> groups_;
  std::vector<Kept> kept_;
  std::string scratch_;
  std::size_t bytes_ = 0;
  std::uint64_t pairs_ = 0;
  Status failure_;
};

}  // namespace

Result<QueryRows> run(const Plan& plan, const State& state) { return run(plan, state, state.time); }

Result<QueryRows> run(const Plan& plan, const State& state, Nanos now) {
  if (!plan.explain) return Run(plan, state, now).answer();
  QueryRows out;
  out.columns = {{"plan", ValueType::kText}};
  std::vector<std::string> lines = plan.description;
  for (std::size_t side = 0; side < plan.tables.size(); ++side) lines.push_back(cost_of_reading(plan, side, state));
  for (const std::string& line : lines) pack(Value::of_text(line), ValueType::kText, out.rows.emplace_back());
  return out;
}

}  // namespace halocline::queries
