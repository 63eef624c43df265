#include "engine/queries/indexed_condition.h"

#include <algorithm>
#include <utility>

#include "engine/queries/expression_text.h"

namespace halocline::queries {
namespace {

constexpr Int128 kLowest = static_cast<Int128>(1) << 126;  // beyond every value of a row, to both sides
constexpr std::size_t kShortList = 16;                     // values of an IN, and of equalities and INs multiplied

std::string packed(const Value& value, ValueType type) {
  std::string out;
  pack(value, type, out);
  return out;
}

bool is_column(const Expression& e) { return e.operation == Operation::kColumn; }

// column <op> constant, whichever way round it is written.
std::optional<IndexedCondition> of_comparison(const Expression& e) {
  Operation op = e.operation;
  const bool turned = e.children[0].is_constant();
  const Expression &column = e.children[turned ? 1 : 0], &value = e.children[turned ? 0 : 1];
  if (!is_column(column) || !value.is_constant() || value.null) return std::nullopt;
  if (turned) {
    if (op == Operation::kLess) op = Operation::kGreater;
    else if (op == Operation::kGreater) op = Operation::kLess;
    else if (op == Operation::kLessEqual) op = Operation::kGreaterEqual;
    else if (op == Operation::kGreaterEqual) op = Operation::kLessEqual;
  }
  IndexedCondition out;
  out.columns = {column.index};
  if (op == Operation::kEqual) {
    out.kind = IndexedCondition::Kind::kPoints;
    out.points.push_back(packed(constant_value(value), column.type));
    return out;
  }
  if (column.type == ValueType::kText || op == Operation::kNotEqual) return std::nullopt;
  out.kind = IndexedCondition::Kind::kRange;
  out.low = -kLowest, out.high = kLowest;
  if (op == Operation::kLess) out.high = value.number - 1;
  if (op == Operation::kLessEqual) out.high = value.number;
  if (op == Operation::kGreater) out.low = value.number + 1;
  if (op == Operation::kGreaterEqual) out.low = value.number;
  return out;
}

std::optional<IndexedCondition> of_expression(const Expression& e) {
  if (is_column(e) && e.type == ValueType::kBool) {
    return IndexedCondition{IndexedCondition::Kind::kPoints, {e.index}, {packed(Value::of(1), ValueType::kBool)}, {}};
  }
  if (e.operation >= Operation::kEqual && e.operation <= Operation::kGreaterEqual) return of_comparison(e);
  if (e.operation != Operation::kIn || !is_column(e.children[0]) || e.children.size() > kShortList + 1) return std::nullopt;
  IndexedCondition out{IndexedCondition::Kind::kPoints, {e.children[0].index}, {}, {}};
  for (std::size_t i = 1; i < e.children.size(); ++i) {
    if (!e.children[i].null) out.points.push_back(packed(constant_value(e.children[i]), e.children[0].type));
  }
  std::sort(out.points.begin(), out.points.end());
  out.points.erase(std::unique(out.points.begin(), out.points.end()), out.points.end());
  return out;
}

// The earlier the fewer rows pass.
enum Rank { kEqual, kClosedRange, kOpenRange, kOnlyBools };
Rank rank(const IndexedCondition& condition, const Table& table) {
  if (condition.kind == IndexedCondition::Kind::kRange) {
    return condition.low != -kLowest && condition.high != kLowest ? kClosedRange : kOpenRange;
  }
  const bool only_bools = std::all_of(condition.columns.begin(), condition.columns.end(),
                                      [&](std::uint32_t column) { return table.columns[column].type == ValueType::kBool; });
  return only_bools ? kOnlyBools : kEqual;
}

// Both conditions as one on all their columns, in ascending order.
IndexedCondition both(const IndexedCondition& a, const IndexedCondition& b) {
  IndexedCondition out{IndexedCondition::Kind::kPoints, a.columns, {}, {}, 0, 0, a.text + " AND " + b.text, a.conjuncts + b.conjuncts};
  out.columns.insert(out.columns.end(), b.columns.begin(), b.columns.end());
  for (const std::string& left : a.points) {
    for (const std::string& right : b.points) out.points.push_back(left + right);
  }
  return out;
}

IndexedCondition beside(const IndexedCondition& equal, const IndexedCondition& range) {
  IndexedCondition out = equal;
  out.range = range.columns[0];
  out.low = range.low, out.high = range.high;
  out.text += " AND " + range.text;
  out.conjuncts += range.conjuncts;
  return out;
}

// The equalities and INs of different columns together, as far as their values multiplied stay a short list.
std::optional<IndexedCondition> together(std::vector<IndexedCondition> points) {
  std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.points.size() < b.points.size(); });
  std::vector<IndexedCondition> taken;
  std::size_t values = 1;
  for (IndexedCondition& one : points) {
    const bool known = std::any_of(taken.begin(), taken.end(), [&](const auto& other) { return other.columns == one.columns; });
    if (known || (!taken.empty() && values * one.points.size() > kShortList)) continue;
    values *= one.points.size();
    taken.push_back(std::move(one));
  }
  if (taken.empty()) return std::nullopt;
  std::sort(taken.begin(), taken.end(), [](const auto& a, const auto& b) { return a.columns < b.columns; });
  IndexedCondition out = std::move(taken[0]);
  for (std::size_t i = 1; i < taken.size(); ++i) out = both(out, taken[i]);
  return out;
}

}  // namespace

std::optional<IndexedCondition> choose_condition(const std::vector<Expression>& conjuncts, const Table& table) {
  std::vector<IndexedCondition> points, usable;
  for (const Expression& one : conjuncts) {
    std::optional<IndexedCondition> condition = of_expression(one);
    if (!condition) continue;
    const Table* const sources[] = {&table};
    condition->text = expression_text(one, {sources});
    if (condition->kind == IndexedCondition::Kind::kPoints) {
      points.push_back(std::move(*condition));
      continue;
    }
    // Two bounds of one column are one range.
    const auto same = std::find_if(usable.begin(), usable.end(), [&](const auto& other) { return other.columns == condition->columns; });
    if (same == usable.end()) {
      usable.push_back(std::move(*condition));
    } else {
      same->low = std::max(same->low, condition->low);
      same->high = std::min(same->high, condition->high);
      same->text += " AND " + condition->text;
      ++same->conjuncts;
    }
  }
  const auto fewer = [&](const auto& a, const auto& b) { return rank(a, table) < rank(b, table); };
  if (std::optional<IndexedCondition> equal = together(std::move(points))) {
    if (!usable.empty() && rank(*equal, table) == kEqual) return beside(*equal, *std::min_element(usable.begin(), usable.end(), fewer));
    usable.push_back(std::move(*equal));
  }
  if (usable.empty()) return std::nullopt;
  return *std::min_element(usable.begin(), usable.end(), fewer);
}

}  // namespace halocline::queries
