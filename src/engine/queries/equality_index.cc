#include "engine/queries/equality_index.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/prefetch.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kFewest = 16;                       // slots
constexpr std::size_t kMostKnown = std::size_t{1} << 18;  // about 10 MiB

std::uint64_t hash_of_value(const Value& value, ValueType type) {
  if (type == ValueType::kText) return hash_bytes(value.text);
  return hash_ids(static_cast<std::uint64_t>(value.number), static_cast<std::uint64_t>(value.number >> 64));
}

}  // namespace

void WantedNames::want(std::uint64_t hash) {
  if (++wanted_[hash] == 1) wanted_by_id_.clear();
}

void WantedNames::want_no_more(std::uint64_t hash) {
  const auto at = wanted_.find(hash);
  if (--at->second != 0) return;
  wanted_.erase(at);
  wanted_by_id_.clear();
}

void WantedNames::keep_wanted(const Column& column, const Reader& reader, std::span<const std::uint32_t> rows,
                              std::vector<std::uint32_t>& places) {
  const std::uint64_t version = reader.state.catalog.names_version();
  if (version < version_) return;
  if (version > version_) forget(version);
  ids_.resize(places.size());
  column.ids(reader, rows, places, ids_.data());
  std::span<const Wanted> known = wanted_by_id_;
  const std::uint32_t* id_at = ids_.data();
  std::uint32_t* kept = places.data();
  for (const std::uint32_t place : std::span<const std::uint32_t>(places)) {
    const std::uint32_t id = *id_at++;
    Wanted wanted = id < known.size() ? known[id] : Wanted::kUnknown;
    if (wanted == Wanted::kUnknown && id != kNoId) [[unlikely]] {
      wanted = find_out(column, reader, rows[place], id);
      known = wanted_by_id_;
    }
    *kept = place;
    kept += wanted == Wanted::kYes ? 1 : 0;
  }
  places.resize(static_cast<std::size_t>(kept - places.data()));
}

WantedNames::Wanted WantedNames::find_out(const Column& column, const Reader& reader, std::uint32_t row, std::uint32_t id) {
  if (id >= wanted_by_id_.size()) wanted_by_id_.resize(std::bit_ceil(id + std::size_t{1}));
  return wanted_by_id_[id] = wanted_.contains(hash_of(column, reader, row, id)) ? Wanted::kYes : Wanted::kNo;
}

std::uint64_t WantedNames::hash_of(const Column& column, const Reader& reader, std::uint32_t row, std::uint32_t id) {
  const std::uint64_t version = reader.state.catalog.names_version();
  if (version > version_) forget(version);
  if (version < version_) return hash_bytes(column.load(reader, row).text);  // of books before a name changed
  if (id >= hashes_.size()) hashes_.resize(std::bit_ceil(id + std::size_t{1}));
  if (hashes_[id] == 0) hashes_[id] = hash_bytes(column.load(reader, row).text);
  return hashes_[id];
}

void WantedNames::forget(std::uint64_t version) {
  hashes_.clear(), wanted_by_id_.clear();
  version_ = version;
}

EqualityIndex::EqualityIndex(const Table& table, std::vector<std::uint32_t> columns, bool remembers)
    : table_(table), columns_(std::move(columns)), remembers_(remembers), names_(columns_.size()), slots_(kFewest) {
  for (std::uint32_t i = 0; i < columns_.size(); ++i) {
    if (table.columns[columns_[i]].ids != nullptr) by_names_wanted_.push_back(i);
  }
}

void EqualityIndex::add(const std::string& key, Query query, const IndexedCondition& condition) {
  if (2 * (lists_.size() + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of_key(key);
  Slot& slot = slot_of(hash, key);
  if (slot.list == kNowhere) {
    slot = {hash, static_cast<std::uint32_t>(lists_.size())};
    lists_.push_back({key});
    heads_.emplace_back();
    forget_known();
  }
  List& list = lists_[slot.list];
  Head& head = heads_[slot.list];
  if (condition.range) {
    list.ranges.add(*condition.range, condition.low, condition.high, query);
  } else if (head.first == kNobody) {
    head.first = query;
  } else {
    list.others.push_back(query);
  }
  head.has_more = !list.others.empty() || !list.ranges.empty();
  ++size_;
  each_named(key, [](WantedNames& names, std::uint64_t of) { names.want(of); });
}

// What is left of a list without queries is used again by its key, and dropped when the table grows.
void EqualityIndex::remove(const std::string& key, Query query, const IndexedCondition& condition) {
  const std::uint32_t at = slot_of(hash_of_key(key), key).list;
  CHECK(at != kNowhere, "a point that is not there is removed");
  List& list = lists_[at];
  Head& head = heads_[at];
  if (condition.range) {
    list.ranges.remove(*condition.range, condition.low, query);
  } else if (head.first != query) {
    CHECK(std::erase(list.others, query) != 0, "a point that is not there is removed");
  } else {
    head.first = list.others.empty() ? kNobody : list.others.back();
    if (!list.others.empty()) list.others.pop_back();
  }
  head.has_more = !list.others.empty() || !list.ranges.empty();
  --size_;
  each_named(key, [](WantedNames& names, std::uint64_t of) { names.want_no_more(of); });
}

// The column that asks for the fewest names comes first: most rows end there.
void EqualityIndex::screen(const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& places) {
  for (const std::uint32_t i : by_names_wanted_) names_[i].keep_wanted(table_.columns[columns_[i]], reader, rows, places);
}

void EqualityIndex::find_lists(const Reader& reader, std::span<const std::uint32_t> rows, std::uint32_t* lists) {
  if (!goes_by_ids(reader)) {
    for (const std::uint32_t row : rows) *lists++ = search(reader, row);
    return;
  }
  Ids ids;
  ids.fill(kNoId);
  if (rows.size() == 1) {
    for (std::size_t i = 0; i < columns_.size(); ++i) ids[i] = table_.columns[columns_[i]].id(reader, rows[0]);
    *lists = list_of(ids, reader, rows[0]);
    return;
  }
  ids_.assign(rows.size(), ids);
  places_.resize(rows.size());
  std::iota(places_.begin(), places_.end(), 0u);
  column_ids_.resize(rows.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    table_.columns[columns_[i]].ids(reader, rows, places_, column_ids_.data());
    for (std::size_t place = 0; place < rows.size(); ++place) ids_[place][i] = column_ids_[place];
  }
  for (const Ids& of_row : ids_) prefetch_all(&known_[place_of(of_row)]);
  for (std::size_t place = 0; place < rows.size(); ++place) {
    lists[place] = list_of(ids_[place], reader, rows[place]);
    if (lists[place] != kNowhere) prefetch_line(&heads_[lists[place]]);
  }
  fetch_more({lists, rows.size()});
}

// Of a row with these ids.
std::uint32_t EqualityIndex::list_of(const Ids& ids, const Reader& reader, std::uint32_t row) {
  // Null meets no equality.
  if (std::find(ids.begin(), ids.begin() + columns_.size(), kNoId) != ids.begin() + columns_.size()) return kNowhere;
  Known& one = known(ids);
  if (one.list == kFree) {
    one = {ids, search(reader, row)};
    ++known_size_;
  }
  return one.list;
}

void EqualityIndex::fetch_more(std::span<const std::uint32_t> lists) {
  with_more_.clear();
  for (const std::uint32_t list : lists) {
    if (list == kNowhere || !heads_[list].has_more) continue;
    with_more_.push_back(&lists_[list]);
    prefetch_all(&lists_[list]);
  }
  for (int step = 0; step < RangeIndex::kFetchSteps; ++step) {
    for (const List* list : with_more_) list->ranges.fetch(step);
  }
}

bool EqualityIndex::is_of_texts() const {
  return std::ranges::all_of(columns_, [this](std::uint32_t column) { return table_.columns[column].type == ValueType::kText; });
}

void EqualityIndex::append(std::uint32_t list, const Reader& reader, std::uint32_t row, std::vector<Query>& found, Int128* room) const {
  const Head& head = heads_[list];
  if (head.first != kNobody) found.push_back(head.first);
  if (!head.has_more) return;
  const List& more = lists_[list];
  found.insert(found.end(), more.others.begin(), more.others.end());
  more.ranges.find(table_, reader, row, found, room);
}

std::uint32_t EqualityIndex::search(const Reader& reader, std::uint32_t row) {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = table_.columns[columns_[i]];
    std::uint64_t of_value = 0;
    if (column.ids != nullptr) {
      const std::uint32_t id = column.id(reader, row);
      if (id == kNoId) return kNowhere;  // null, which meets no equality
      of_value = names_[i].hash_of(column, reader, row, id);
    } else {
      const Value value = column.load(reader, row);
      if (value.null) return kNowhere;
      of_value = hash_of_value(value, column.type);
    }
    hash = hash_ids(hash, of_value);
  }
  if (!has(hash)) return kNowhere;
  scratch_.clear();
  for (const std::uint32_t column : columns_) pack(table_.columns[column].load(reader, row), table_.columns[column].type, scratch_);
  return slot_of(hash, scratch_).list;
}

template <class Change>
void EqualityIndex::each_named(const std::string& key, Change change) {
  PackedReader reader(key);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = table_.columns[columns_[i]];
    const Value value = reader.next(column.type);
    if (column.ids != nullptr) change(names_[i], hash_of_value(value, column.type));
  }
  std::sort(by_names_wanted_.begin(), by_names_wanted_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return std::pair(names_[a].size(), a) < std::pair(names_[b].size(), b); });
}

std::uint64_t EqualityIndex::hash_of_key(const std::string& key) const {
  PackedReader reader(key);
  std::uint64_t hash = 0;
  for (const std::uint32_t column : columns_) {
    const ValueType type = table_.columns[column].type;
    hash = hash_ids(hash, hash_of_value(reader.next(type), type));
  }
  return hash;
}

EqualityIndex::Slot& EqualityIndex::slot_of(std::uint64_t hash, const std::string& key) {
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].list != kNowhere && (slots_[at].hash != hash || lists_[slots_[at].list].key != key)) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return slots_[at];
}

bool EqualityIndex::has(std::uint64_t hash) const {
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].list != kNowhere && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
  return slots_[at].list != kNowhere;
}

void EqualityIndex::grow() {
  drop_empty_lists();
  slots_.assign(std::bit_ceil(std::max(kFewest, 4 * (lists_.size() + 1))), {});
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    const std::uint64_t hash = hash_of_key(lists_[i].key);
    slot_of(hash, lists_[i].key) = {hash, static_cast<std::uint32_t>(i)};
  }
}

void EqualityIndex::drop_empty_lists() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    if (heads_[i].first == kNobody && !heads_[i].has_more) continue;
    if (kept != i) lists_[kept] = std::move(lists_[i]), heads_[kept] = heads_[i];
    ++kept;
  }
  if (kept == lists_.size()) return;
  lists_.resize(kept);
  heads_.resize(kept);
  forget_known();
}

bool EqualityIndex::goes_by_ids(const Reader& reader) {
  if (!remembers_ || by_names_wanted_.size() != columns_.size() || columns_.size() > kMostNamed) return false;
  const std::uint64_t version = reader.state.catalog.names_version();
  if (version < names_version_) return false;  // of books before a name changed
  if (version > names_version_) forget_known();
  names_version_ = version;
  if (2 * (known_size_ + kMostTogether) > known_.size()) grow_known();
  return true;
}

// Beyond a bound it begins anew.
void EqualityIndex::grow_known() {
  const bool is_full = known_.size() == 2 * kMostKnown;
  const std::size_t slots = is_full ? known_.size() : std::max(2 * known_.size(), 4 * kMostTogether);
  const std::vector<Known> before = std::exchange(known_, std::vector<Known>(slots, Known{{}, kFree}));
  known_size_ = 0;
  if (is_full) return;
  for (const Known& one : before) {
    if (one.list == kFree) continue;
    known(one.ids) = one;
    ++known_size_;
  }
}

std::size_t EqualityIndex::place_of(const Ids& ids) const {
  const std::uint64_t low = ids[0] | std::uint64_t{ids[1]} << 32, high = ids[2] | std::uint64_t{ids[3]} << 32;
  return hash_ids(low, high) & (known_.size() - 1);
}

EqualityIndex::Known& EqualityIndex::known(const Ids& ids) {
  std::size_t at = place_of(ids);
  while (known_[at].list != kFree && known_[at].ids != ids) at = (at + 1) & (known_.size() - 1);
  return known_[at];
}

void EqualityIndex::forget_known() {
  if (known_size_ == 0) return;
  known_.clear();
  known_size_ = 0;
}

}  // namespace halocline::queries
