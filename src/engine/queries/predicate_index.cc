#include "engine/queries/predicate_index.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
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

namespace {

// A column whose rows name something by id: the hashes of its texts, so that most rows need not be read to their texts, and which of them
// are asked for.
class Names {
 public:
  void want(std::uint64_t hash) {
    if (++wanted_[hash] == 1) wanted_by_id_.clear();
  }
  void want_no_more(std::uint64_t hash) {
    const auto at = wanted_.find(hash);
    if (--at->second != 0) return;
    wanted_.erase(at);
    wanted_by_id_.clear();
  }
  std::size_t wanted() const { return wanted_.size(); }

  // Keeps the places of rows whose name may be asked for.
  void keep_wanted(const Column& column, const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& places) {
    const std::uint64_t version = reader.state.catalog.names_version();
    if (version < version_) return;
    if (version > version_) forget(version);
    std::size_t kept = 0;
    for (const std::uint32_t place : places) {
      const std::uint32_t id = column.id(reader, rows[place]);
      places[kept] = place;
      if (id != kNoId) kept += is_wanted(column, reader, rows[place], id);
    }
    places.resize(kept);
  }

  std::uint64_t of(const Column& column, const Reader& reader, std::uint32_t row, std::uint32_t id) {
    const std::uint64_t version = reader.state.catalog.names_version();
    if (version > version_) forget(version);
    if (version < version_) return hash_bytes(column.load(reader, row).text);  // of books before a name changed
    if (id >= hashes_.size()) hashes_.resize(std::bit_ceil(id + std::size_t{1}));
    if (hashes_[id] == 0) hashes_[id] = hash_bytes(column.load(reader, row).text);
    return hashes_[id];
  }

 private:
  enum class Wanted : std::uint8_t { kUnknown, kNo, kYes };

  void forget(std::uint64_t version) {
    hashes_.clear(), wanted_by_id_.clear();
    version_ = version;
  }
  bool is_wanted(const Column& column, const Reader& reader, std::uint32_t row, std::uint32_t id) {
    if (id >= wanted_by_id_.size()) wanted_by_id_.resize(std::bit_ceil(id + std::size_t{1}));
    Wanted& known = wanted_by_id_[id];
    if (known == Wanted::kUnknown) known = wanted_.contains(of(column, reader, row, id)) ? Wanted::kYes : Wanted::kNo;
    return known == Wanted::kYes;
  }

  std::vector<std::uint64_t> hashes_;                        // by id; 0: not known
  std::vector<Wanted> wanted_by_id_;                         // follows from the others
  std::unordered_map<std::uint64_t, std::size_t> wanted_;    // by hash: how often
  std::uint64_t version_ = 0;                                // of the names
};

std::uint64_t hash_of(const Value& value, ValueType type) {
  if (type == ValueType::kText) return hash_bytes(value.text);
  return hash_ids(static_cast<std::uint64_t>(value.number), static_cast<std::uint64_t>(value.number >> 64));
}

}  // namespace

// The queries that have equalities on the same columns: a flat hash table of their values, so that a row of nobody's costs one look.
class PredicateIndex::Points {
 public:
  Points(const Table& table, const std::vector<std::uint32_t>& of) : columns(of), table_(table), names_(of.size()), slots_(kFewest) {
    for (std::uint32_t i = 0; i < columns.size(); ++i) {
      if (table.columns[columns[i]].id != nullptr) by_names_wanted_.push_back(i);
    }
  }

  void add(const std::string& key, Query query, const IndexedCondition& condition) {
    if (2 * (lists_.size() + 1) > slots_.size()) grow();
    const std::uint64_t hash = hash_of_key(key);
    Slot& slot = slot_of(hash, key);
    if (slot.list == kNone) {
      slot = {hash, static_cast<std::uint32_t>(lists_.size())};
      lists_.push_back({key});
    }
    List& list = lists_[slot.list];
    if (condition.range) {
      ranges_of(list.ranges, *condition.range).add(condition.low, condition.high, query);
    } else {
      list.add(query);
    }
    ++size_;
    each_named(key, [](Names& names, std::uint64_t of) { names.want(of); });
  }

  // What is left of a list without queries is used again by its key, and dropped when the table grows.
  void remove(const std::string& key, Query query, const IndexedCondition& condition) {
    const Slot& slot = slot_of(hash_of_key(key), key);
    CHECK(slot.list != kNone, "a point that is not there is removed");
    List& list = lists_[slot.list];
    if (condition.range) {
      remove_range(list.ranges, *condition.range, condition.low, query);
    } else {
      list.remove(query);
    }
    --size_;
    each_named(key, [](Names& names, std::uint64_t of) { names.want_no_more(of); });
  }

  bool empty() const { return size_ == 0; }

  // Keeps the places of the rows that may be at a point. The column that asks for the fewest names comes first: most rows end there.
  void screen(const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& places) {
    for (const std::uint32_t i : by_names_wanted_) names_[i].keep_wanted(table_.columns[columns[i]], reader, rows, places);
  }

  void find(const Reader& reader, std::uint32_t row, std::string& scratch, std::vector<Query>& found) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Column& column = table_.columns[columns[i]];
      if (column.id != nullptr) {
        const std::uint32_t id = column.id(reader, row);
        if (id == kNoId) return;  // null, which meets no equality
        hash = hash_ids(hash, names_[i].of(column, reader, row, id));
        continue;
      }
      const Value value = column.load(reader, row);
      if (value.null) return;
      hash = hash_ids(hash, hash_of(value, column.type));
    }
    for (std::size_t at = hash & (slots_.size() - 1); slots_[at].list != kNone; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].hash != hash) continue;
      scratch.clear();
      for (const std::uint32_t column : columns) pack(table_.columns[column].load(reader, row), table_.columns[column].type, scratch);
      const List& list = lists_[slots_[at].list];
      if (list.key != scratch) continue;
      if (list.first == kNobody) return find_in(list.ranges, table_, reader, row, found);
      found.push_back(list.first);
      found.insert(found.end(), list.others.begin(), list.others.end());
      find_in(list.ranges, table_, reader, row, found);
      return;
    }
  }

  const std::vector<std::uint32_t> columns;

 private:
  static constexpr std::size_t kFewest = 16;
  static constexpr std::uint32_t kNone = ~0u;
  static constexpr Query kNobody = ~Query{0};
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t list = kNone;
  };
  // Most have one query, which costs no look elsewhere.
  struct List {
    std::string key;
    Query first = kNobody;
    std::vector<Query> others = {};
    std::vector<Ranges> ranges = {};

    bool empty() const { return first == kNobody && ranges.empty(); }
    void add(Query query) { first == kNobody ? void(first = query) : others.push_back(query); }
    void remove(Query query) {
      if (first != query) {
        CHECK(std::erase(others, query) != 0, "a point that is not there is removed");
        return;
      }
      first = others.empty() ? kNobody : others.back();
      if (!others.empty()) others.pop_back();
    }
  };

  // Calls with the names of each column that has some and the hash of the key's; they ask for one more or fewer.
  template <class Change>
  void each_named(const std::string& key, Change change) {
    PackedReader reader(key);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Column& column = table_.columns[columns[i]];
      const Value value = reader.next(column.type);
      if (column.id != nullptr) change(names_[i], hash_of(value, column.type));
    }
    std::sort(by_names_wanted_.begin(), by_names_wanted_.end(),
              [this](std::uint32_t a, std::uint32_t b) { return std::pair(names_[a].wanted(), a) < std::pair(names_[b].wanted(), b); });
  }
  std::uint64_t hash_of_key(const std::string& key) const {
    PackedReader reader(key);
    std::uint64_t hash = 0;
    for (const std::uint32_t column : columns) {
      const ValueType type = table_.columns[column].type;
      hash = hash_ids(hash, hash_of(reader.next(type), type));
    }
    return hash;
  }
  // Where the key is, or would be.
  Slot& slot_of(std::uint64_t hash, const std::string& key) {
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].list != kNone && (slots_[at].hash != hash || lists_[slots_[at].list].key != key)) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void grow() {
    std::erase_if(lists_, [](const List& list) { return list.empty(); });
    slots_.assign(std::bit_ceil(std::max(kFewest, 4 * (lists_.size() + 1))), {});
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      const std::uint64_t hash = hash_of_key(lists_[i].key);
      slot_of(hash, lists_[i].key) = {hash, static_cast<std::uint32_t>(i)};
    }
  }

  const Table& table_;
  std::vector<Names> names_;                     // of each column
  std::vector<std::uint32_t> by_names_wanted_;   // the columns that have names, in ascending order of how many are asked for
  std::vector<Slot> slots_;  // a power of two, at most half of them taken
  std::vector<List> lists_;
  std::size_t size_ = 0;
};

PredicateIndex::PredicateIndex(const Table& table) : table_(table) {}
PredicateIndex::~PredicateIndex() = default;

Intervals& PredicateIndex::ranges_of(std::vector<Ranges>& ranges, std::uint32_t column) {
  auto of = std::find_if(ranges.begin(), ranges.end(), [&](const Ranges& one) { return one.column == column; });
  if (of == ranges.end()) of = ranges.insert(ranges.end(), Ranges{column, {}});
  return of->queries;
}

void PredicateIndex::remove_range(std::vector<Ranges>& ranges, std::uint32_t column, Int128 low, Query query) {
  const auto of = std::find_if(ranges.begin(), ranges.end(), [&](const Ranges& one) { return one.column == column; });
  CHECK(of != ranges.end(), "a range that is not there is removed");
  of->queries.remove(low, query);
  if (of->queries.empty()) ranges.erase(of);
}

void PredicateIndex::find_in(const std::vector<Ranges>& ranges, const Table& table, const Reader& reader, std::uint32_t row,
                             std::vector<Query>& found) {
  for (const Ranges& one : ranges) {
    const Value value = table.columns[one.column].load(reader, row);
    if (!value.null) one.queries.find(value.number, found);
  }
}

void PredicateIndex::add(Query query, const IndexedCondition& condition) {
  ++size_;
  if (condition.kind == IndexedCondition::Kind::kRange) {
    return ranges_of(ranges_, condition.columns[0]).add(condition.low, condition.high, query);
  }
  auto of = std::find_if(points_.begin(), points_.end(), [&](const auto& one) { return one->columns == condition.columns; });
  if (of == points_.end()) of = points_.insert(points_.end(), std::make_unique<Points>(table_, condition.columns));
  for (const std::string& point : condition.points) (*of)->add(point, query, condition);
}

void PredicateIndex::remove(Query query, const IndexedCondition& condition) {
  --size_;
  if (condition.kind == IndexedCondition::Kind::kRange) return remove_range(ranges_, condition.columns[0], condition.low, query);
  const auto of = std::find_if(points_.begin(), points_.end(), [&](const auto& one) { return one->columns == condition.columns; });
  CHECK(of != points_.end(), "a point that is not there is removed");
  for (const std::string& point : condition.points) (*of)->remove(point, query, condition);
  if ((*of)->empty()) points_.erase(of);
}

void PredicateIndex::screen(const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& likely) {
  likely.resize(rows.size());
  std::iota(likely.begin(), likely.end(), 0u);
  if (!ranges_.empty()) return;
  if (points_.empty()) return likely.clear();
  if (points_.size() == 1) return points_[0]->screen(reader, rows, likely);
  marked_.assign(rows.size(), false);
  for (const auto& points : points_) {
    places_ = likely;
    points->screen(reader, rows, places_);
    for (const std::uint32_t place : places_) marked_[place] = true;
  }
  std::erase_if(likely, [&](std::uint32_t place) { return !marked_[place]; });
}

void PredicateIndex::find(const Reader& reader, std::uint32_t row, std::vector<Query>& found) {
  for (const auto& points : points_) points->find(reader, row, scratch_, found);
  find_in(ranges_, table_, reader, row, found);
}

}  // namespace halocline::queries
