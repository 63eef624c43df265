#include "engine/queries/trade_queries.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kMostFetched = 256;  // of what trades find, at a time

const Table& trades() { return table_of(Source::kTrades); }

}  // namespace

bool TradeQueries::takes(const Plan& plan) {
  return plan.tables.size() == 1 && plan.tables[0]->source == Source::kTrades && plan.time_bounds.empty();
}

std::uint32_t TradeQueries::selection_of(const std::shared_ptr<const Plan>& plan) {
  const auto [at, is_new] = by_condition_.try_emplace(plan->condition_identity, 0);
  if (!is_new) return at->second;
  if (free_selections_.empty()) {
    const auto first = static_cast<std::uint32_t>(selections_.size()) * kChunk;
    selections_.push_back(std::make_unique<std::array<Selection, kChunk>>());
    for (std::uint32_t i = kChunk; i > 0; --i) free_selections_.push_back(first + i - 1);
  }
  const std::uint32_t id = at->second = free_selections_.back();
  free_selections_.pop_back();
  Selection& added = selection(id);
  added.plan = plan;
  if (std::optional<IndexedCondition> condition = choose_condition(plan->conjuncts, trades())) {
    added.indexed = std::make_unique<const IndexedCondition>(std::move(*condition));
  }
  added.index_decides = (added.indexed != nullptr ? added.indexed->conjuncts : 0) == plan->conjuncts.size();
  if (added.indexed != nullptr) {
    index_.add(id, *added.indexed);
  } else {
    unindexed_.push_back(id);
  }
  return id;
}

Projection& TradeQueries::projection_of(const std::shared_ptr<const Plan>& plan) {
  std::unique_ptr<Projection>& projection = projections_[plan->outputs_identity];
  if (projection == nullptr) projection = std::make_unique<Projection>(plan);
  ++projection->users;
  return *projection;
}

std::unique_ptr<TradeQueries::Grouped> TradeQueries::grouped_alike(const std::shared_ptr<const Plan>& plan) {
  Alike& alike = grouped_alike_[plan->groups_identity];
  if (++alike.users == 1) {
    alike.plan = plan;
    for (const Program& key : plan->keys) {
      const bool is_name = key.column() != nullptr && key.column()->ids != nullptr;
      alike.names.push_back(is_name ? &packed_names_.try_emplace(key.column(), *key.column()).first->second : nullptr);
    }
  }
  return std::make_unique<Grouped>(Grouped{Grouping(alike.plan, alike.names)});
}

TradeQueries::Grouped* TradeQueries::grouped(const Selection& of, const std::string& identity) {
  const auto at = std::find_if(of.groupings.begin(), of.groupings.end(),
                               [&](const auto& one) { return one->grouping.identity() == identity; });
  return at == of.groupings.end() ? nullptr : at->get();
}

TradeQueries::Ranked* TradeQueries::ranked(const Selection& of, Id id) {
  return std::find_if(of.rankings.begin(), of.rankings.end(), [&](const auto& one) { return one->id == id; })->get();
}

std::optional<std::size_t> TradeQueries::known_groups(const Plan& plan) const {
  const auto at = plan.grouped ? by_condition_.find(plan.condition_identity) : by_condition_.end();
  if (at == by_condition_.end()) return std::nullopt;
  const Grouped* known = grouped(selection(at->second), plan.groups_identity);
  return known == nullptr ? std::nullopt : std::optional(known->grouping.size());
}

std::size_t TradeQueries::cost_of_rows(Id id) const {
  const Query& query = queries_.at(id);
  const Selection& of = selection(query.selection);
  if (query.plan->limit) return static_cast<std::size_t>(std::min<std::uint64_t>(*query.plan->limit, state_.trades.size()));
  if (query.plan->grouped) return grouped(of, query.plan->groups_identity)->grouping.size();
  const auto known = answers_.find(id);
  return known == answers_.end() ? state_.trades.size() : known->second.size();
}

void TradeQueries::add_unread(const Newcomer& newcomer) {
  const auto& [id, plan] = newcomer;
  const Query& query = queries_.emplace(id, Query{plan, selection_of(plan), &projection_of(plan)}).first->second;
  selection(query.selection).add(Listing{id, query.projection});
}

void TradeQueries::adopt(const Newcomer& newcomer, TradeQueries& from, Id theirs) {
  const auto& [id, plan] = newcomer;
  const Query& query = queries_.emplace(id, Query{plan, selection_of(plan), &projection_of(plan)}).first->second;
  Selection& of = selection(query.selection);
  Selection& there = from.selection(from.queries_.at(theirs).selection);
  if (!plan->grouped) {
    const auto at = std::find_if(there.rankings.begin(), there.rankings.end(), [&](const auto& one) { return one->id == theirs; });
    std::unique_ptr<Ranked>& moved = of.rankings.emplace_back(std::move(*at));
    there.rankings.erase(at);
    moved->id = id;
    moved->projection = query.projection;
    moved->ranking.use(*query.projection);
    return;
  }
  Grouping& prepared = grouped(there, plan->groups_identity)->grouping;
  Grouped* known = grouped(of, plan->groups_identity);
  if (known == nullptr) {
    known = of.groupings.emplace_back(grouped_alike(plan)).get();
    known->grouping.take_groups(prepared);
  }
  known->grouping.take_user(id, plan, *query.projection, prepared, theirs);
}

std::vector<Status> TradeQueries::add(std::span<const Newcomer> newcomers) {
  std::vector<Reading> readings;
  std::vector<std::size_t> reading_of(newcomers.size(), newcomers.size());
  for (std::size_t i = 0; i < newcomers.size(); ++i) {
    const auto& [id, plan] = newcomers[i];
    const Query& query = queries_.emplace(id, Query{plan, selection_of(plan), &projection_of(plan)}).first->second;
    Selection& of = selection(query.selection);
    Reading reading{&of, query.projection};
    if (plan->grouped) {
      if (grouped(of, plan->groups_identity) != nullptr) continue;
      reading.grouping = &of.groupings.emplace_back(grouped_alike(plan))->grouping;
    } else if (plan->limit) {
      auto ranked = std::make_unique<Ranked>(Ranked{id, query.projection, Ranking(plan, *query.projection)});
      reading.ranking = &of.rankings.emplace_back(std::move(ranked))->ranking;
    } else {
      of.add(Listing{id, query.projection});
    }
    reading_of[i] = readings.size();
    readings.push_back(std::move(reading));
  }
  read(readings);

  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  std::vector<Status> out;
  for (std::size_t i = 0; i < newcomers.size(); ++i) {
    const auto& [id, plan] = newcomers[i];
    Status status = reading_of[i] < readings.size() ? readings[reading_of[i]].status : ok_status();
    if (plan->grouped) {
      const Query& query = queries_.at(id);
      Grouping& grouping = grouped(selection(query.selection), plan->groups_identity)->grouping;
      grouping.add(id, plan, *query.projection, reader);
      if (status.ok()) status = grouping.within_bounds();
    } else if (!plan->limit && status.ok()) {
      keep_answer(id, *plan, std::move(readings[reading_of[i]].rows));
    }
    out.push_back(std::move(status));
  }
  return out;
}

void TradeQueries::read(std::vector<Reading>& readings) {
  finder_.begin_round();
  std::vector<std::size_t> others;
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const IndexedCondition* const indexed = readings[i].selection->indexed.get();
    const auto found = indexed != nullptr ? finder_.find(*indexed) : std::nullopt;
    if (!found) {
      others.push_back(i);
      continue;
    }
    for (const std::uint32_t trade : *found) {
      if (!trades().exists(state_, trade) || !readings[i].status.ok()) continue;
      look_at(trade, nullptr, &reader);
      offer(readings[i], trade, false);
    }
  }
  if (!others.empty()) read_all(readings, others);
  for (const Reading& reading : readings) {
    if (reading.grouping != nullptr) reading.grouping->forget_changes();
  }
}

// Goes through the trades as they are; each finds the readings it may concern as it would find what is kept up to date.
void TradeQueries::read_all(std::vector<Reading>& readings, const std::vector<std::size_t>& which) {
  PredicateIndex index(trades(), PredicateIndex::Rows::kOnce);
  PredicateIndex::Found found_together;
  std::vector<std::uint64_t> everywhere, found;
  for (const std::size_t i : which) {
    const IndexedCondition* const indexed = readings[i].selection->indexed.get();
    indexed != nullptr ? index.add(i, *indexed) : everywhere.push_back(i);
  }
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  const auto size = static_cast<std::uint32_t>(state_.trades.size());
  std::size_t open = which.size();
  std::vector<std::uint32_t> some;
  for (std::uint32_t trade = 0; trade < size && open != 0;) {
    for (some.clear(); trade < size && some.size() < kMostTogether; ++trade) {
      if (trades().exists(state_, trade)) some.push_back(trade);
    }
    index.find(reader, some, found_together);
    for (std::size_t place = 0; place < some.size(); ++place) {
      const std::span<const std::uint64_t> indexed = found_together.of(place);
      if (indexed.empty() && everywhere.empty()) continue;
      found = everywhere;
      found.insert(found.end(), indexed.begin(), indexed.end());
      look_at(some[place], nullptr, &reader);
      for (const std::uint64_t i : found) {
        if (!readings[i].status.ok()) continue;
        offer(readings[i], some[place], true);
        if (!readings[i].status.ok()) --open;
      }
    }
  }
}

void TradeQueries::offer(Reading& reading, std::uint32_t trade, bool found_by_index) {
  const Reader& reader = *subject_.now;
  const bool decided = found_by_index && reading.selection->index_decides;
  if (!decided && !reading.selection->holds(reader, subject_.now_inputs)) return;
  if (reading.grouping != nullptr) {
    reading.grouping->count(reader, subject_.now_inputs, false);
    reading.status = reading.grouping->within_bounds();
    return;
  }
  if (reading.ranking != nullptr) {
    reading.ranking->change(trade, subject_, false, true, reader);
    reading.ranking->forget_changes();  // nobody is told how the answer came about
    reading.status = reading.ranking->within_bounds();
    return;
  }
  KeptRow& row = reading.rows.emplace_back();
  row.key = subject_.key;
  reading.projection->pack_row(reader, subject_.now_inputs, row.row);
  reading.projection->pack_order(reader, subject_.now_inputs, row.key, row.order);
  reading.bytes += sizeof row + row.row.size() + row.order.size();
  if (reading.rows.size() > limits::kMaxQueryRows) reading.status = too_many_rows();
  else if (reading.bytes > limits::kMaxLiveQueryBytes) reading.status = too_many_bytes();
}

void TradeQueries::keep_answer(Id id, const Plan& plan, std::vector<KeptRow> rows) {
  if (!plan.order.empty()) std::sort(rows.begin(), rows.end(), [](const KeptRow& a, const KeptRow& b) { return a.order < b.order; });
  answers_[id] = std::move(rows);
}

std::vector<KeptRow> TradeQueries::rows(Id id) {
  const Query& query = queries_.at(id);
  Selection& of = selection(query.selection);
  if (query.plan->grouped) {
    Splits splits(state_);
    return grouped(of, query.plan->groups_identity)->grouping.rows(id, Reader{state_, splits, state_.time});
  }
  if (query.plan->limit) return ranked(of, id)->ranking.rows();
  if (last_answer_ != id) answers_.erase(last_answer_);
  last_answer_ = id;
  if (!answers_.contains(id)) {
    std::vector<Reading> readings{Reading{&of, query.projection}};
    read(readings);
    keep_answer(id, *query.plan, readings[0].status.ok() ? std::move(readings[0].rows) : std::vector<KeptRow>{});
  }
  return answers_.at(id);
}

std::shared_ptr<void> TradeQueries::remove(Id id) {
  const auto at = queries_.find(id);
  std::shared_ptr<void> kept = drop(at->second.selection, id);
  if (--at->second.projection->users == 0) projections_.erase(at->second.plan->outputs_identity);
  queries_.erase(at);
  answers_.erase(id);
  if (queries_.empty()) finder_.forget();  // of what changes now nobody tells it
  return kept;
}

std::shared_ptr<void> TradeQueries::drop(std::uint32_t number, Id id) {
  Selection& of = selection(number);
  std::shared_ptr<void> kept;
  of.remove_listing(id);
  const auto ranked = std::find_if(of.rankings.begin(), of.rankings.end(), [&](const auto& one) { return one->id == id; });
  if (ranked != of.rankings.end()) {
    kept = std::move(*ranked);
    of.rankings.erase(ranked);
  }
  const auto grouped = std::find_if(of.groupings.begin(), of.groupings.end(), [&](const auto& one) { return one->grouping.has(id); });
  if (grouped != of.groupings.end()) {
    kept = (*grouped)->grouping.remove(id);
    if ((*grouped)->grouping.unused()) {
      const auto alike = grouped_alike_.find((*grouped)->grouping.identity());
      if (--alike->second.users == 0) grouped_alike_.erase(alike);
      kept = std::make_shared<std::pair<std::shared_ptr<void>, std::unique_ptr<Grouped>>>(std::move(kept), std::move(*grouped));
      of.groupings.erase(grouped);
    }
  }
  if (!of.unused()) return kept;
  if (of.indexed != nullptr) {
    index_.remove(number, *of.indexed);
  } else {
    std::erase(unindexed_, number);
  }
  by_condition_.erase(of.plan->condition_identity);
  of = Selection{};
  free_selections_.push_back(number);
  return kept;
}

void TradeQueries::change_kept(const Selection& of, std::uint32_t trade, bool was, bool is) {
  for (const auto& one : of.rankings) {
    one->ranking.change(trade, subject_, was, is, *state_reader_);
    if (!std::exchange(one->changed, true)) changed_rankings_.push_back(one.get());
  }
  for (const auto& one : of.groupings) {
    if (was) one->grouping.count(*subject_.before, subject_.before_inputs, true);
    if (is) one->grouping.count(*subject_.now, subject_.now_inputs, false);
    if (!std::exchange(one->changed, true)) changed_groupings_.push_back(one.get());
  }
}

TradeQueries::Asked TradeQueries::fetch(std::span<const std::uint64_t> found) {
  // Of trades that follow each other many find the same.
  const auto each = [&](std::span<const std::uint64_t> numbers, auto visit) {
    std::uint64_t last = ~std::uint64_t{0};
    for (const std::uint64_t number : numbers) {
      if (std::exchange(last, number) != number) visit(selection(number));
    }
  };
  each(found.first(std::min(found.size(), kMostFetched)), [](const Selection& of) { prefetch_all(&of); });
  Asked asked;
  each(found, [&](const Selection& of) {
    asked.one_listing &= of.index_decides && of.listings.empty();
    if (!of.keeps()) return;
    asked.kept = true;
    if (!of.rankings.empty()) prefetch_all(of.rankings[0].get());
    if (!of.groupings.empty()) prefetch_all(of.groupings[0].get());
  });
  return asked;
}

void TradeQueries::fetch_kept(std::span<const std::uint64_t> found, const Reader& reader, std::uint32_t trade) {
  Inputs inputs;
  inputs.rows[0] = trade;
  for (const std::uint64_t number : found) {
    const Selection& of = selection(number);
    if (!of.rankings.empty()) of.rankings[0]->ranking.fetch();
    if (of.groupings.empty()) continue;
    Grouping& grouping = of.groupings[0]->grouping;
    fetched_.emplace_back(&grouping, grouping.fetch(reader, inputs));
  }
}

void TradeQueries::fetch_groups() {
  for (const auto& [grouping, group] : fetched_) grouping->fetch_group(group);
  fetched_.clear();
}

void TradeQueries::look_at(std::uint32_t trade, const Reader* before, const Reader* now) {
  subject_.number = ++subjects_;
  subject_.key = key_ = key_of_rows(trade, kNoId);
  subject_.before = before;
  subject_.now = now;
  subject_.before_inputs.rows[0] = before != nullptr ? trade : kNoId;
  subject_.now_inputs.rows[0] = now != nullptr ? trade : kNoId;
  subject_.reason = now == nullptr ? RowReason::kGone : RowReason::kChanged;
}

void TradeQueries::show(std::span<const std::uint64_t> found, std::uint32_t trade, ToldEvents& told) {
  const Reader* const before = subject_.before;
  const Reader* const now = subject_.now;
  for (const std::uint64_t number : found) {
    Selection& of = selection(number);
    if (std::exchange(of.looked_at, subject_.number) == subject_.number) continue;
    const bool was = before != nullptr && of.holds(*before, subject_.before_inputs);
    const bool is = now != nullptr && ((before == nullptr && of.index_decides) || of.holds(*now, subject_.now_inputs));
    if (!was && !is) continue;
    of.each_listing([&](const Listing& one) {
      const QueryEvents* const what = one.projection->events(subject_, was, is, seq_, state_reader_->now, told.memory());
      if (what != nullptr) told.tell(one.id, *what);
    });
    if (of.keeps()) change_kept(of, trade, was, is);
  }
}

void TradeQueries::trade_changed(std::uint32_t trade, const Reader* before, const Reader* now, ToldEvents& told) {
  found_.clear();
  if (!index_.empty()) {
    if (now != nullptr) index_.find(*now, trade, found_);
    if (before != nullptr) index_.find(*before, trade, found_);
    // In the order the queries came, mostly, which is that of the events.
    if (!std::is_sorted(found_.begin(), found_.end())) std::sort(found_.begin(), found_.end());
  }
  found_.insert(found_.end(), unindexed_.begin(), unindexed_.end());
  if (found_.empty()) return;
  if (fetch(found_).kept) fetch_kept(found_, now != nullptr ? *now : *before, trade), fetch_groups();
  look_at(trade, before, now);
  show(found_, trade, told);
}

// A name or what belongs to what has changed: any trade may read differently.
void TradeQueries::look_at_all(const Changes& changes, ToldEvents& told) {
  CHECK(changes.before != nullptr, "the books before a command that reshaped them are not known");
  const State& books_before = *changes.before;
  Splits splits_before(books_before), splits_now(state_);
  Reader before{books_before, splits_before, books_before.time}, now{state_, splits_now, state_.time};
  const auto size = static_cast<std::uint32_t>(state_.trades.size());
  for (std::uint32_t trade = 0; trade < size; ++trade) {
    const bool was = trade < books_before.trades.size() && trades().exists(books_before, trade), is = trades().exists(state_, trade);
    trade_changed(trade, was ? &before : nullptr, is ? &now : nullptr, told);
  }
}

void TradeQueries::settle(Changes& changes, ToldEvents& told) {
  if (!answers_.empty()) answers_.clear();
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  state_reader_ = &reader;
  seq_ = state_.seq;
  if (changes.reshaped) {
    finder_.forget();
    look_at_all(changes, told);
  } else {
    std::vector<Changes::ChangedTrade>& changed = changes.trades;
    if (changed.size() > 1) {
      // Of a trade that changed more than once the first says how it was before the command.
      const auto by_trade = [](const auto& a, const auto& b) { return a.trade < b.trade; };
      std::stable_sort(changed.begin(), changed.end(), by_trade);
      const auto same = [](const auto& a, const auto& b) { return a.trade == b.trade; };
      changed.erase(std::unique(changed.begin(), changed.end(), same), changed.end());
    }
    for (const auto& [trade, at] : changed) {
      Reader before = reader, now = reader;
      if (at != kNoId) before.trade = &changes.trades_before[at];
      now.trade = &state_.trades[trade];
      const bool was = at != kNoId && before.trade->status != TradeStatus::kMerged, is = now.trade->status != TradeStatus::kMerged;
      trade_changed(trade, was ? &before : nullptr, is ? &now : nullptr, told);
      finder_.note(trade, now);
    }
  }
  if (keeps_changed()) settle_kept(told);
  state_reader_ = nullptr;
}

void TradeQueries::keep_likely(std::vector<NewTrade>& gathered) {
  if (!answers_.empty()) answers_.clear();
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  if (!finder_.empty()) {
    for (const NewTrade& one : gathered) finder_.note(one.trade, reader);
  }
  if (!unindexed_.empty() || !index_.screens()) return;
  screened_.resize(gathered.size());
  std::ranges::transform(gathered, screened_.begin(), &NewTrade::trade);
  index_.screen(reader, screened_, likely_);
  for (std::size_t i = 0; i < likely_.size(); ++i) gathered[i] = gathered[likely_[i]];
  gathered.resize(likely_.size());
}

TradeQueries::Asked TradeQueries::find(std::span<const NewTrade> some, const Reader& reader) {
  screened_.clear();
  for (const NewTrade& one : some) {
    screened_.push_back(one.trade);
    state_.trades.prefetch(one.trade);
  }
  index_.find(reader, screened_, found_together_);
  const Asked asked = fetch(found_together_.queries);
  if (!asked.kept) return asked;
  for (std::size_t place = 0; place < some.size(); ++place) fetch_kept(found_together_.of(place), reader, some[place].trade);
  fetch_groups();
  return asked;
}

std::span<const std::uint64_t> TradeQueries::found_in_order(std::size_t place) {
  const std::span<const std::uint64_t> found = found_together_.of(place);
  // It mostly is.
  if (unindexed_.empty() && (found.size() < 2 || std::is_sorted(found.begin(), found.end()))) [[likely]] return found;
  found_.assign(found.begin(), found.end());
  std::sort(found_.begin(), found_.end());
  found_.insert(found_.end(), unindexed_.begin(), unindexed_.end());
  return found_;
}

std::size_t TradeQueries::settle(std::span<const NewTrade> some, ToldEvents& told) {
  Splits splits(state_);
  Reader reader{state_, splits, state_.time};  // of the books as they are at a trade's time
  const Asked asked = find(some, reader);
  if (unindexed_.empty() && asked.one_listing && !asked.kept) return list(some, reader, told), some.size();
  Reader new_trade = reader;
  state_reader_ = &reader;
  const std::size_t failures = told.failures();
  std::size_t place = 0;
  for (; place < some.size() && told.failures() == failures; ++place) {
    const std::span<const std::uint64_t> found = found_in_order(place);
    if (found.empty()) continue;
    const NewTrade& one = some[place];
    reader.now = new_trade.now = one.time;
    new_trade.trade = &state_.trades[one.trade];
    seq_ = one.seq;
    look_at(one.trade, nullptr, &new_trade);
    const std::size_t first = told.size();
    show(found, one.trade, told);
    if (keeps_changed()) settle_kept(told);
    told.bring_together(first);
  }
  state_reader_ = nullptr;
  return place;
}

void TradeQueries::list(std::span<const NewTrade> some, Reader& new_trade, ToldEvents& told) {
  look_at(kNoId, nullptr, &new_trade);  // what is the same of all
  for (std::size_t place = 0; place < some.size(); ++place) {
    const std::span<const std::uint64_t> found = found_in_order(place);
    if (found.empty()) continue;
    const auto [trade, seq, time] = some[place];
    subject_.number = ++subjects_;
    key_ = key_of_rows(trade, kNoId);
    subject_.now_inputs.rows[0] = trade;
    new_trade.now = time;
    new_trade.trade = &state_.trades[trade];
    const std::size_t first = told.size();
    // Most that follow each other select the same of it.
    const Projection* last = nullptr;
    const QueryEvents* what = nullptr;
    for (const std::uint64_t number : found) {
      const Listing& listing = selection(number).listing;
      if (std::exchange(last, listing.projection) != listing.projection) {
        what = listing.projection->events(subject_, false, true, seq, time, told.memory());
      }
      told.tell(listing.id, *what);
    }
    if (found.size() > 1) told.bring_together(first);
  }
}

// What the command did to all that it concerned.
void TradeQueries::settle_kept(ToldEvents& told) {
  const std::uint64_t round = ++subjects_;
  for (Ranked* one : changed_rankings_) {
    one->changed = false;
    const QueryEvents* const what = one->ranking.drain(round, seq_, state_reader_->now, told.memory());
    if (Status status = one->ranking.within_bounds(); !status.ok()) {
      told.fail(one->id, std::move(status));
    } else if (what != nullptr) {
      told.tell(one->id, *what);
    }
  }
  for (Grouped* one : changed_groupings_) {
    one->changed = false;
    const Status status = one->grouping.within_bounds();
    if (status.ok()) {
      one->grouping.settle(*state_reader_, seq_, subjects_, told);
    } else {
      one->grouping.forget_changes();
      one->grouping.each_query([&](Id id) { told.fail(id, status); });
    }
  }
  changed_rankings_.clear();
  changed_groupings_.clear();
}

}  // namespace halocline::queries
