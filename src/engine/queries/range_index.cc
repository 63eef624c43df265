#include "engine/queries/range_index.h"

#include <algorithm>

#include "base/check.h"

namespace halocline::queries {

void RangeIndex::add(std::uint32_t column, Int128 low, Int128 high, Query query) {
  auto of = std::find_if(columns_.begin(), columns_.end(), [&](const OfColumn& one) { return one.column == column; });
  if (of == columns_.end()) of = columns_.insert(columns_.end(), OfColumn{column, {}});
  of->queries.add(low, high, query);
}

void RangeIndex::remove(std::uint32_t column, Int128 low, Query query) {
  const auto of = std::find_if(columns_.begin(), columns_.end(), [&](const OfColumn& one) { return one.column == column; });
  CHECK(of != columns_.end(), "a range that is not there is removed");
  of->queries.remove(low, query);
  if (of->queries.empty()) columns_.erase(of);
}

void RangeIndex::fetch(int step) const {
  for (const OfColumn& one : columns_) {
    if (step == 0) prefetch_all(&one);
    else if (step == 1) one.queries.fetch_block();
    else one.queries.fetch_near();
  }
}

void RangeIndex::find(const Table& table, const Reader& reader, std::uint32_t row, std::vector<Query>& found, Int128* room) const {
  for (const OfColumn& one : columns_) {
    const Column& column = table.columns[one.column];
    const Value value = column.load(reader, row);
    if (!value.null) one.queries.find(value.number, found);
    if (room != nullptr) *room = column.is_exposure ? std::min(*room, one.queries.distance(value.number)) : 0;
  }
}

}  // namespace halocline::queries
