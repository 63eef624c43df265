#include "engine/queries/trade_queries.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "base/prefetch.h"
#include "engine/queries/result_set.h"

namespace halocline::queries {
namespace {

const Table& trades() { return table_of(Source::kTrades); }

}  // namespace

bool TradeQueries::takes(const Plan& plan) {
  return plan.tables.size() == 1 && plan.tables[0]->source == Source::kTrades && plan.time_bounds.empty();
}

std::uint32_t TradeQueries::selection_of(const std::shared_ptr<const Plan>& plan) {
  const auto [at, is_new] = by_condition_.try_emplace(plan->condition_identity, 0);
  if (!is_new) return at->second;
  if (free_selections_.empty()) {
    free_selections_.push_back(static_cast<std::uint32_t>(selections_.size()));
    selections_.emplace_back();
  }
  const std::uint32_t id = at->second = free_selections_.back();
  free_selections_.pop_back();
  auto selection = std::make_unique<Selection>();
  selection->plan = plan;
  selection->indexed = choose_condition(plan->conjuncts, trades());
  selection->index_decides = (selection->indexed ? selection->indexed->conjuncts : 0) == plan->conjuncts.size();
  if (selection->indexed) {
    index_.add(id, *selection->indexed);
  } else {
    unindexed_.push_back(id);
  }
  selections_[id] = std::move(selection);
  return id;
}

Projection& TradeQueries::projection_of(const std::shared_ptr<const Plan>& plan) {
  std::unique_ptr<Projection>& projection = projections_[plan->outputs_identity];
  if (projection == nullptr) projection = std::make_unique<Projection>(plan);
  ++projection->users;
  return *projection;
}

// Each trade that meets the condition now; until `visit` says false.
template <class Visit>
void TradeQueries::each_trade(const Selection& of, Visit visit) {
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  const auto size = static_cast<std::uint32_t>(state_.trades.size());
  for (std::uint32_t trade = 0; trade < size; ++trade) {
    if (!trades().exists(state_, trade)) continue;
    Inputs inputs;
    inputs.rows[0] = trade;
    if (of.holds(reader, inputs) && !visit(trade, reader, inputs)) return;
  }
}

Status TradeQueries::add(Id id, std::shared_ptr<const Plan> plan) {
  const Query query{plan, selection_of(plan), &projection_of(plan)};
  queries_.emplace(id, query);
  const Status started = start(id, query);
  if (!started.ok()) remove(id);
  return started;
}

// Its answer, from nothing.
Status TradeQueries::start(Id id, const Query& query) {
  Selection& selection = *selections_[query.selection];
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  if (query.plan->grouped) {
    auto known = std::find_if(selection.groupings.begin(), selection.groupings.end(),
                              [&](const auto& one) { return one->grouping.identity() == query.plan->groups_identity; });
    if (known == selection.groupings.end()) {
      known = selection.groupings.insert(known, std::make_unique<Grouped>(Grouped{Grouping(query.plan)}));
      Grouping& grouping = (*known)->grouping;
      each_trade(selection, [&](std::uint32_t, const Reader& at, const Inputs& inputs) {
        grouping.count(at, inputs, false);
        return grouping.within_bounds().ok();
      });
      grouping.forget_changes();
    }
    (*known)->grouping.add(id, query.plan, *query.projection, reader);
    return (*known)->grouping.within_bounds();
  }
  if (query.plan->limit) {
    Ranked& ranked = *selection.rankings.emplace_back(
        std::make_unique<Ranked>(Ranked{id, query.projection, Ranking(query.plan, *query.projection)}));
    each_trade(selection, [&](std::uint32_t trade, const Reader& at, const Inputs& inputs) {
      subject_ = Subject{++subjects_, key_of_rows(trade, kNoId), nullptr, &at, {}, inputs};
      ranked.ranking.change(trade, subject_, false, true, at);
      return ranked.ranking.within_bounds().ok();
    });
    ranked.ranking.forget_changes();
    return ranked.ranking.within_bounds();
  }
  selection.listings.push_back({id, query.projection});
  Result<std::vector<KeptRow>> rows = read_rows(query);
  if (!rows.ok()) return rows.status();
  last_answer_ = {id, rows.take()};
  return ok_status();
}

Result<std::vector<KeptRow>> TradeQueries::read_rows(const Query& query) {
  std::vector<KeptRow> out;
  std::size_t bytes = 0;
  Status failure;
  each_trade(*selections_[query.selection], [&](std::uint32_t trade, const Reader& reader, const Inputs& inputs) {
    KeptRow& row = out.emplace_back();
    row.key = key_of_rows(trade, kNoId);
    query.projection->pack_row(reader, inputs, row.row);
    query.projection->pack_order(reader, inputs, row.key, row.order);
    bytes += sizeof row + row.row.size() + row.order.size();
    if (out.size() > limits::kMaxQueryRows) failure = too_many_rows();
    else if (bytes > limits::kMaxLiveQueryBytes) failure = too_many_bytes();
    return failure.ok();
  });
  if (!failure.ok()) return failure;
  if (!query.plan->order.empty()) std::sort(out.begin(), out.end(), [](const KeptRow& a, const KeptRow& b) { return a.order < b.order; });
  return out;
}

std::vector<KeptRow> TradeQueries::rows(Id id) {
  const Query& query = queries_.at(id);
  const Selection& selection = *selections_[query.selection];
  if (query.plan->grouped) {
    Splits splits(state_);
    const auto grouped = std::find_if(selection.groupings.begin(), selection.groupings.end(),
                                      [&](const auto& one) { return one->grouping.identity() == query.plan->groups_identity; });
    return (*grouped)->grouping.rows(id, Reader{state_, splits, state_.time});
  }
  if (query.plan->limit) {
    const auto ranked = std::find_if(selection.rankings.begin(), selection.rankings.end(), [&](const auto& one) { return one->id == id; });
    return (*ranked)->ranking.rows();
  }
  if (last_answer_.id != id) {
    Result<std::vector<KeptRow>> rows = read_rows(query);
    last_answer_ = {id, rows.ok() ? rows.take() : std::vector<KeptRow>{}};
  }
  return last_answer_.rows;
}

void TradeQueries::remove(Id id) {
  const auto at = queries_.find(id);
  if (--at->second.projection->users == 0) projections_.erase(at->second.plan->outputs_identity);
  drop(at->second.selection, id);
  queries_.erase(at);
  if (last_answer_.id == id) last_answer_ = {};
}

void TradeQueries::drop(std::uint32_t number, Id id) {
  Selection& selection = *selections_[number];
  std::erase_if(selection.listings, [&](const Listing& one) { return one.id == id; });
  std::erase_if(selection.rankings, [&](const auto& one) { return one->id == id; });
  std::erase_if(selection.groupings, [&](const auto& one) { return one->grouping.remove(id) && one->grouping.unused(); });
  if (!selection.unused()) return;
  if (selection.indexed) {
    index_.remove(number, *selection.indexed);
  } else {
    std::erase(unindexed_, number);
  }
  by_condition_.erase(selection.plan->condition_identity);
  selections_[number].reset();
  free_selections_.push_back(number);
}

void TradeQueries::change(Selection& of, std::uint32_t trade, bool was, bool is, std::vector<LiveEvents>& events) {
  for (const Listing& one : of.listings) {
    const std::shared_ptr<const QueryEvents>& what = one.projection->events(subject_, was, is, state_.seq, state_.time);
    if (what != nullptr) events.push_back({one.id, what, {}});
  }
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

void TradeQueries::trade_changed(std::uint32_t trade, const Reader* before, const Reader* now, std::vector<LiveEvents>& events) {
  found_.clear();
  if (!index_.empty()) {
    if (now != nullptr) index_.find(*now, trade, found_);
    if (before != nullptr) index_.find(*before, trade, found_);
  }
  found_.insert(found_.end(), unindexed_.begin(), unindexed_.end());
  if (found_.empty()) return;
  for (const std::uint64_t number : found_) prefetch_line(selections_[number].get());
  subject_.number = ++subjects_;
  subject_.key = key_of_rows(trade, kNoId);
  subject_.before = before;
  subject_.now = now;
  subject_.before_inputs.rows[0] = before != nullptr ? trade : kNoId;
  subject_.now_inputs.rows[0] = now != nullptr ? trade : kNoId;
  subject_.reason = now == nullptr ? RowReason::kGone : RowReason::kChanged;
  for (const std::uint64_t number : found_) {
    Selection& of = *selections_[number];
    if (before != nullptr && std::exchange(of.looked_at, subject_.number) == subject_.number) continue;
    const bool was = before != nullptr && of.holds(*before, subject_.before_inputs);
    const bool is = now != nullptr && ((before == nullptr && of.index_decides) || of.holds(*now, subject_.now_inputs));
    if (was || is) change(of, trade, was, is, events);
  }
}

// A name or what belongs to what has changed: any trade may read differently.
void TradeQueries::look_at_all(const Changes& changes, std::vector<LiveEvents>& events) {
  CHECK(changes.before != nullptr, "the books before a command that reshaped them are not known");
  const State& books_before = *changes.before;
  Splits splits_before(books_before), splits_now(state_);
  Reader before{books_before, splits_before, books_before.time}, now{state_, splits_now, state_.time};
  const auto size = static_cast<std::uint32_t>(state_.trades.size());
  for (std::uint32_t trade = 0; trade < size; ++trade) {
    const bool was = trade < books_before.trades.size() && trades().exists(books_before, trade), is = trades().exists(state_, trade);
    trade_changed(trade, was ? &before : nullptr, is ? &now : nullptr, events);
  }
}

void TradeQueries::settle(Changes& changes, std::vector<LiveEvents>& events) {
  const std::size_t first = events.size();
  if (last_answer_.id != 0) last_answer_ = {};
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  state_reader_ = &reader;
  if (changes.reshaped) {
    look_at_all(changes, events);
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
      trade_changed(trade, was ? &before : nullptr, is ? &now : nullptr, events);
    }
  }
  if (!changed_rankings_.empty() || !changed_groupings_.empty()) settle_kept(events);
  state_reader_ = nullptr;
  bring_together(events, first);
}

void TradeQueries::settle_kept(std::vector<LiveEvents>& events) {
  for (Ranked* one : changed_rankings_) {
    one->changed = false;
    auto what = std::make_shared<QueryEvents>();
    what->seq = state_.seq;
    what->time = state_.time;
    one->ranking.drain(what->rows);
    Status status = one->ranking.within_bounds();
    if (!status.ok()) {
      events.push_back({one->id, nullptr, std::move(status)});
    } else if (!what->rows.empty()) {
      events.push_back({one->id, std::move(what), {}});
    }
  }
  for (Grouped* one : changed_groupings_) {
    one->changed = false;
    const Status status = one->grouping.within_bounds();
    if (status.ok()) {
      one->grouping.settle(*state_reader_, subjects_, events);
    } else {
      one->grouping.forget_changes();
      one->grouping.each_query([&](Id id) { events.push_back({id, nullptr, status}); });
    }
  }
  changed_rankings_.clear();
  changed_groupings_.clear();
}

// All that one query was told as one, in the order of keys.
void TradeQueries::bring_together(std::vector<LiveEvents>& events, std::size_t first) {
  const auto begin = events.begin() + static_cast<std::ptrdiff_t>(first);
  const auto by_query = [](const LiveEvents& a, const LiveEvents& b) { return a.query < b.query; };
  if (!std::is_sorted(begin, events.end(), by_query)) std::stable_sort(begin, events.end(), by_query);
  auto last = begin;
  for (auto one = begin; one != events.end();) {
    auto end = one + 1;
    while (end != events.end() && end->query == one->query) ++end;
    if (end - one > 1) {
      auto all = std::make_shared<QueryEvents>(*one->events);
      for (auto more = one + 1; more != end; ++more) {
        all->rows.insert(all->rows.end(), more->events->rows.begin(), more->events->rows.end());
      }
      std::sort(all->rows.begin(), all->rows.end(), [](const RowEvent& a, const RowEvent& b) { return a.key < b.key; });
      one->events = std::move(all);
    }
    if (last != one) *last = std::move(*one);
    ++last;
    one = end;
  }
  events.erase(last, events.end());
}

}  // namespace halocline::queries
