#include "engine/queries/predicate_index.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/check.h"

namespace halocline::queries {

void PredicateIndex::add(Query query, const IndexedCondition& condition) {
  ++size_;
  if (condition.kind == IndexedCondition::Kind::kRange) return ranges_.add(condition.columns[0], condition.low, condition.high, query);
  auto of = std::find_if(equalities_.begin(), equalities_.end(), [&](const auto& one) { return one->columns() == condition.columns; });
  if (of == equalities_.end()) {
    of = equalities_.insert(equalities_.end(), std::make_unique<EqualityIndex>(table_, condition.columns, remembers_));
  }
  for (const std::string& point : condition.points) (*of)->add(point, query, condition);
}

void PredicateIndex::remove(Query query, const IndexedCondition& condition) {
  --size_;
  if (condition.kind == IndexedCondition::Kind::kRange) return ranges_.remove(condition.columns[0], condition.low, query);
  const auto same = [&](const auto& one) { return one->columns() == condition.columns; };
  const auto of = std::find_if(equalities_.begin(), equalities_.end(), same);
  CHECK(of != equalities_.end(), "a point that is not there is removed");
  for (const std::string& point : condition.points) (*of)->remove(point, query, condition);
  if ((*of)->empty()) equalities_.erase(of);
}

void PredicateIndex::screen(const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& likely) {
  likely.resize(rows.size());
  std::iota(likely.begin(), likely.end(), 0u);
  if (!screens()) return;
  if (equalities_.empty()) return likely.clear();
  if (equalities_.size() == 1) return equalities_[0]->screen(reader, rows, likely);
  marked_.assign(rows.size(), false);
  for (const auto& equality : equalities_) {
    places_ = likely;
    equality->screen(reader, rows, places_);
    for (const std::uint32_t place : places_) marked_[place] = true;
  }
  std::erase_if(likely, [&](std::uint32_t place) { return !marked_[place]; });
}

Int128 PredicateIndex::find(const Reader& reader, std::uint32_t row, std::vector<Query>& found) {
  lists_.resize(equalities_.size());
  for (std::size_t i = 0; i < equalities_.size(); ++i) equalities_[i]->find_lists(reader, {&row, 1}, &lists_[i]);
  Int128 room = std::numeric_limits<std::int64_t>::max();
  append_points(0, 1, reader, row, found, &room);
  ranges_.find(table_, reader, row, found, &room);
  return room;
}

void PredicateIndex::find(const Reader& reader, std::span<const std::uint32_t> rows, Found& found) {
  found.queries.clear(), found.ends.resize(rows.size());
  lists_.resize(equalities_.size() * rows.size());
  for (std::size_t i = 0; i < equalities_.size(); ++i) equalities_[i]->find_lists(reader, rows, &lists_[i * rows.size()]);
  const auto end = [&](std::size_t place) {
    if (!equalities_.empty()) append_points(place, rows.size(), reader, rows[place], found.queries, nullptr);
    found.ends[place] = found.queries.size();
  };
  if (!ranges_.empty()) return ranges_.find_all(table_, reader, rows, values_, found.queries, end);
  for (std::size_t place = 0; place < rows.size(); ++place) end(place);
}

void PredicateIndex::append_points(std::size_t place, std::size_t rows, const Reader& reader, std::uint32_t row, std::vector<Query>& found,
                                   Int128* room) const {
  for (std::size_t i = 0; i < equalities_.size(); ++i) {
    const EqualityIndex& equality = *equalities_[i];
    const std::uint32_t list = lists_[i * rows + place];
    if (list != EqualityIndex::kNowhere) equality.append(list, reader, row, found, room);
    if (room != nullptr && !equality.is_of_texts()) *room = 0;
  }
}

}  // namespace halocline::queries
