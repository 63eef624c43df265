#include "engine/queries/predicate_index.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/queries/typing.h"

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
    return IndexedCondition{IndexedCondition::Kind::kPoints, {e.index}, {packed(Value::of(1), ValueType::kBool)}, 0, 0, {}};
  }
  if (e.operation >= Operation::kEqual && e.operation <= Operation::kGreaterEqual) return of_comparison(e);
  if (e.operation != Operation::kIn || !is_column(e.children[0]) || e.children.size() > kShortList + 1) return std::nullopt;
  IndexedCondition out{IndexedCondition::Kind::kPoints, {e.children[0].index}, {}, 0, 0, {}};
  for (std::size_t i = 1; i < e.children.size(); ++i) {
    if (!e.children[i].null) out.points.push_back(packed(constant_value(e.children[i]), e.children[0].type));
  }
  std::sort(out.points.begin(), out.points.end());
  out.points.erase(std::unique(out.points.begin(), out.points.end()), out.points.end());
  return out;
}

// The lower the fewer rows pass.
int rank(const IndexedCondition& condition, const Table& table) {
  if (condition.kind == IndexedCondition::Kind::kRange) return condition.low != -kLowest && condition.high != kLowest ? 2 : 3;
  const bool only_bools = std::all_of(condition.columns.begin(), condition.columns.end(),
                                      [&](std::uint32_t column) { return table.columns[column].type == ValueType::kBool; });
  return only_bools ? 4 : 1;
}

// Both conditions as one on all their columns, in ascending order.
IndexedCondition both(const IndexedCondition& a, const IndexedCondition& b) {
  IndexedCondition out{IndexedCondition::Kind::kPoints, a.columns, {}, 0, 0, a.text + " AND " + b.text};
  out.columns.insert(out.columns.end(), b.columns.begin(), b.columns.end());
  for (const std::string& left : a.points) {
    for (const std::string& right : b.points) out.points.push_back(left + right);
  }
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
    condition->text = expression_text(one, sources);
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
    }
  }
  if (std::optional<IndexedCondition> condition = together(std::move(points))) usable.push_back(std::move(*condition));
  if (usable.empty()) return std::nullopt;
  return *std::min_element(usable.begin(), usable.end(), [&](const auto& a, const auto& b) { return rank(a, table) < rank(b, table); });
}

// A treap by lower bound whose nodes know the highest bound below them: all intervals that hold a value are found without a look at those
// that do not. Priorities are a hash of the query, so its shape does not depend on chance.
class PredicateIndex::Intervals {
 public:
  void add(Int128 low, Int128 high, Query query) { root_ = insert(std::move(root_), std::make_unique<Node>(low, high, query)); }
  void remove(Int128 low, Query query) { root_ = erase(std::move(root_), {low, query}); }
  void find(Int128 value, std::vector<Query>& found) const { find(root_.get(), value, found); }

 private:
  using Key = std::pair<Int128, Query>;
  struct Node {
    Node(Int128 l, Int128 h, Query q) : key(l, q), high(h), highest(h), priority((q + 1) * 0x9E3779B97F4A7C15ull) {}
    Key key;
    Int128 high, highest;
    std::uint64_t priority;
    std::unique_ptr<Node> left, right;

    void update() {
      highest = high;
      if (left) highest = std::max(highest, left->highest);
      if (right) highest = std::max(highest, right->highest);
    }
  };
  using Tree = std::unique_ptr<Node>;

  // Those below the key, and the others.
  static std::pair<Tree, Tree> split(Tree tree, const Key& key) {
    if (!tree) return {};
    if (tree->key < key) {
      auto [low, high] = split(std::move(tree->right), key);
      tree->right = std::move(low);
      tree->update();
      return {std::move(tree), std::move(high)};
    }
    auto [low, high] = split(std::move(tree->left), key);
    tree->left = std::move(high);
    tree->update();
    return {std::move(low), std::move(tree)};
  }

  static Tree merge(Tree a, Tree b) {
    if (!a) return b;
    if (!b) return a;
    if (a->priority > b->priority) {
      a->right = merge(std::move(a->right), std::move(b));
      a->update();
      return a;
    }
    b->left = merge(std::move(a), std::move(b->left));
    b->update();
    return b;
  }

  static Tree insert(Tree tree, Tree node) {
    if (!tree) return node;
    if (node->priority > tree->priority) {
      auto [low, high] = split(std::move(tree), node->key);
      node->left = std::move(low), node->right = std::move(high);
      node->update();
      return node;
    }
    Tree& side = node->key < tree->key ? tree->left : tree->right;
    side = insert(std::move(side), std::move(node));
    tree->update();
    return tree;
  }

  static Tree erase(Tree tree, const Key& key) {
    CHECK(tree != nullptr, "an interval that is not there is removed");
    if (tree->key == key) return merge(std::move(tree->left), std::move(tree->right));
    Tree& side = key < tree->key ? tree->left : tree->right;
    side = erase(std::move(side), key);
    tree->update();
    return tree;
  }

  static void find(const Node* node, Int128 value, std::vector<Query>& found) {
    if (node == nullptr || node->highest < value) return;
    find(node->left.get(), value, found);
    if (node->key.first > value) return;
    if (node->high >= value) found.push_back(node->key.second);
    find(node->right.get(), value, found);
  }

  Tree root_;
};

PredicateIndex::PredicateIndex(const Table& table) : table_(table) {}
PredicateIndex::~PredicateIndex() = default;

PredicateIndex::Points& PredicateIndex::points_of(const std::vector<std::uint32_t>& columns) {
  for (Points& one : points_) {
    if (one.columns == columns) return one;
  }
  return points_.emplace_back(Points{columns, {}});
}

PredicateIndex::Ranges& PredicateIndex::ranges_of(std::uint32_t column) {
  for (Ranges& one : ranges_) {
    if (one.column == column) return one;
  }
  return ranges_.emplace_back(Ranges{column, std::make_unique<Intervals>()});
}

void PredicateIndex::add(Query query, const IndexedCondition& condition) {
  ++size_;
  if (condition.kind == IndexedCondition::Kind::kRange) {
    return ranges_of(condition.columns[0]).queries->add(condition.low, condition.high, query);
  }
  Points& points = points_of(condition.columns);
  for (const std::string& point : condition.points) points.queries[point].push_back(query);
}

void PredicateIndex::remove(Query query, const IndexedCondition& condition) {
  --size_;
  if (condition.kind == IndexedCondition::Kind::kRange) return ranges_of(condition.columns[0]).queries->remove(condition.low, query);
  Points& points = points_of(condition.columns);
  for (const std::string& point : condition.points) {
    const auto at = points.queries.find(point);
    std::erase(at->second, query);
    if (at->second.empty()) points.queries.erase(at);
  }
  if (points.queries.empty()) std::erase_if(points_, [](const Points& one) { return one.queries.empty(); });
}

void PredicateIndex::find(const Reader& reader, std::uint32_t row, std::vector<Query>& found) const {
  std::string key;
  for (const Points& points : points_) {
    key.clear();
    bool null = false;
    for (const std::uint32_t column : points.columns) {
      const Value value = table_.columns[column].load(reader, row);
      null = value.null;
      if (null) break;  // meets no equality
      pack(value, table_.columns[column].type, key);
    }
    if (null) continue;
    if (const auto at = points.queries.find(key); at != points.queries.end()) {
      found.insert(found.end(), at->second.begin(), at->second.end());
    }
  }
  for (const Ranges& ranges : ranges_) {
    const Value value = table_.columns[ranges.column].load(reader, row);
    if (!value.null) ranges.queries->find(value.number, found);
  }
}

}  // namespace halocline::queries
