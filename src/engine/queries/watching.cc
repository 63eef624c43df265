#include "engine/queries/watching.h"

#include <algorithm>

namespace halocline::queries {

void Identity::add(std::string_view part) { ((bytes_ += std::to_string(part.size())) += ' ') += part; }

void Identity::add(const std::vector<Expression>& list) {
  add(list.size());
  for (const Expression& one : list) add(one);
}

void Identity::add(const Expression& e) {
  const auto number = [this](Int128 value) { (bytes_ += to_digits(value)) += ' '; };
  number(static_cast<int>(e.operation)), number(static_cast<int>(e.type)), number(e.side), number(e.index), number(e.null ? 1 : 0);
  number(e.number);
  add(e.text);
  add(e.children);
}

bool reads_now(const Expression& expression) {
  return expression.any([](const Expression& e) { return e.operation == Operation::kNow; });
}

bool find_time_bounds(const Expression& e, std::span<const Table* const> sources, std::vector<Plan::TimeBound>& bounds) {
  if (e.operation == Operation::kNow) return false;
  const bool compares = e.operation >= Operation::kEqual && e.operation <= Operation::kGreaterEqual;
  const bool left = compares && reads_now(e.children[0]), right = compares && reads_now(e.children[1]);
  if (!left && !right) {
    const auto found = [&](const Expression& child) { return find_time_bounds(child, sources, bounds); };
    return std::all_of(e.children.begin(), e.children.end(), found);
  }
  const Expression &with_now = e.children[left ? 0 : 1], &other = e.children[left ? 1 : 0];
  if ((left && right) || sources.size() > 1) return false;
  Int128 shift = 0;
  if (with_now.operation == Operation::kAdd || with_now.operation == Operation::kSubtract) {
    const bool now_first = with_now.children[0].operation == Operation::kNow;
    const Expression& by = with_now.children[now_first ? 1 : 0];
    if (!by.is_constant() || by.null || with_now.children[now_first ? 0 : 1].operation != Operation::kNow) return false;
    shift = with_now.operation == Operation::kAdd ? by.number : -by.number;
  } else if (with_now.operation != Operation::kNow) {
    return false;
  }
  bounds.push_back({Program(other, sources), shift});
  return true;
}

}  // namespace halocline::queries
