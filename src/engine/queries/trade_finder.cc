#include "engine/queries/trade_finder.h"

#include <algorithm>

#include "base/hash.h"
#include "engine/queries/intervals.h"

namespace halocline::queries {
namespace {

constexpr std::uint32_t kNone = ~0u;
constexpr std::size_t kMostSets = 16;
constexpr std::size_t kMostTrades = 16'000'000;  // in all sets
constexpr std::uint64_t kForgetAfter = 100'000;  // trades noted without a question
constexpr std::size_t kFewUnsorted = 1'024;
constexpr std::size_t kFewFound = 64;  // by a range, so few that what is equal beside it need not be looked for

}  // namespace

void TradeFinder::Points::chain(std::uint32_t entry) {
  std::uint32_t& head = heads[entries[entry].hash & (heads.size() - 1)];
  entries[entry].next = head;
  head = entry;
}

void TradeFinder::Points::add(std::uint64_t hash, std::uint32_t trade) {
  entries.push_back({hash, trade, kNone});
  if (entries.size() <= heads.size()) return chain(static_cast<std::uint32_t>(entries.size() - 1));
  heads.assign(std::max<std::size_t>(64, 2 * heads.size()), kNone);
  for (std::uint32_t i = 0; i < entries.size(); ++i) chain(i);
}

void TradeFinder::Points::find(std::uint64_t hash, std::vector<std::uint32_t>& found) const {
  if (heads.empty()) return;
  for (std::uint32_t i = heads[hash & (heads.size() - 1)]; i != kNone; i = entries[i].next) {
    if (entries[i].hash == hash) found.push_back(entries[i].trade);
  }
}

bool TradeFinder::Range::find(std::int64_t low, std::int64_t high, std::size_t most, std::vector<std::uint32_t>& found) {
  if (low > high) return true;
  if (entries.size() - sorted > kFewUnsorted + sorted / 64) {
    const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(sorted);
    std::sort(middle, entries.end());
    std::inplace_merge(entries.begin(), middle, entries.end());
    sorted = entries.size();
  }
  const auto end = entries.begin() + static_cast<std::ptrdiff_t>(sorted);
  const auto first = std::lower_bound(entries.begin(), end, std::pair(low, 0u));
  const auto last = std::upper_bound(first, end, std::pair(high, kNone));
  if (static_cast<std::size_t>(last - first) > most) return false;
  for (auto at = first; at != last; ++at) found.push_back(at->second);
  for (auto at = end; at != entries.end(); ++at) {
    if (at->first >= low && at->first <= high) found.push_back(at->second);
  }
  return true;
}

// A new one makes room for itself by the one that has been there longest.
TradeFinder::Set* TradeFinder::set_of(IndexedCondition::Kind kind, const std::vector<std::uint32_t>& columns) {
  auto at = std::find_if(sets_.begin(), sets_.end(), [&](const Set& one) { return one.kind == kind && one.columns == columns; });
  if (at == sets_.end()) {
    if (sets_.size() == kMostSets) sets_.erase(sets_.begin());
    at = sets_.insert(sets_.end(), Set{kind, columns, round_});
  }
  if (at->asked_in == round_ || (at->known == 0 && trades_known() + state_.trades.size() > kMostTrades)) return nullptr;
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  for (const auto size = static_cast<std::uint32_t>(state_.trades.size()); at->known < size; ++at->known) add(*at, reader, at->known);
  return &*at;
}

void TradeFinder::add(Set& set, const Reader& reader, std::uint32_t trade) {
  const auto& columns = table_of(Source::kTrades).columns;
  if (set.kind == IndexedCondition::Kind::kRange) {
    const Value value = columns[set.columns[0]].load(reader, trade);
    if (!value.null) set.range.entries.emplace_back(narrow(value.number), trade);
    return;
  }
  scratch_.clear();
  for (const std::uint32_t column : set.columns) {
    const Value value = columns[column].load(reader, trade);
    if (value.null) return;
    pack(value, columns[column].type, scratch_);
  }
  set.points.add(hash_bytes(scratch_), trade);
}

std::size_t TradeFinder::trades_known() const {
  std::size_t known = 0;
  for (const Set& set : sets_) known += set.known;
  return known;
}

std::optional<std::vector<std::uint32_t>> TradeFinder::find(const IndexedCondition& condition) {
  unused_ = 0;
  const bool by_points = condition.kind == IndexedCondition::Kind::kPoints;
  std::vector<std::uint32_t> found;
  bool known = false;
  if (!by_points || condition.range) {
    Set* ranges = set_of(IndexedCondition::Kind::kRange, by_points ? std::vector{*condition.range} : condition.columns);
    const std::size_t most = by_points ? kFewFound : state_.trades.size();
    known = ranges != nullptr && ranges->range.find(narrow(condition.low), narrow(condition.high), most, found);
  }
  if (!known && by_points) {
    const Set* points = set_of(IndexedCondition::Kind::kPoints, condition.columns);
    if (points == nullptr) return std::nullopt;
    for (const std::string& point : condition.points) points->points.find(hash_bytes(point), found);
    known = true;
  }
  if (!known) return std::nullopt;
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void TradeFinder::note(std::uint32_t trade, const Reader& reader) {
  if (sets_.empty()) return;
  if (++unused_ > kForgetAfter) return forget();
  for (Set& set : sets_) {
    if (trade < set.known) add(set, reader, trade);
  }
  // Trades that change again and again would fill them without end.
  std::erase_if(sets_, [&](const Set& set) { return set.size() > 2 * std::size_t{set.known} + kFewUnsorted; });
}

}  // namespace halocline::queries
