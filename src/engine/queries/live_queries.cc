#include "engine/queries/live_queries.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "base/limits.h"
#include "engine/queries/noted_changes.h"
#include "engine/queries/preparation.h"

namespace halocline::queries {
namespace {

constexpr std::size_t kMostHeld = 4'096;  // rows that are put down one by one when a query that was prepared begins

// Without a bound it is SIZE_MAX and stays so.
bool take_from(std::size_t& budget, std::size_t rows) {
  if (rows > budget) return false;
  if (budget != SIZE_MAX) budget -= rows;
  return true;
}

// Of the nodes that meet the condition, by the column that says their kind.
NodeKinds kinds_met(const Table& table, std::string_view name, const std::optional<IndexedCondition>& condition) {
  if (!condition || condition->kind != IndexedCondition::Kind::kPoints) return kAllNodeKinds;
  const auto names_kind = [&](std::uint32_t column) { return table.columns[column].name == name; };
  const auto kind_at = std::find_if(condition->columns.begin(), condition->columns.end(), names_kind);
  if (kind_at == condition->columns.end()) return kAllNodeKinds;
  NodeKinds kinds = 0;
  for (const std::string& point : condition->points) {
    PackedReader values(point);
    Value value;
    for (auto column = condition->columns.begin(); column <= kind_at; ++column) value = values.next(table.columns[*column].type);
    for (auto kind = NodeKind::kFirm; kind <= NodeKind::kCurrency; kind = static_cast<NodeKind>(static_cast<int>(kind) + 1)) {
      if (kind_name(kind) == value.text) kinds |= bit_of(kind);
    }
  }
  return kinds;
}

// Whose changes concern the rows of a source, in the order in which sources are looked at. Those of trades are noted apart.
struct RowsOf {
  Source source;
  Changes::Of of;
  std::optional<Changes::Of> also = std::nullopt;
};
constexpr RowsOf kRowsOf[] = {
    {Source::kPositions, Changes::Of::kPositions, Changes::Of::kRevalued},
    {Source::kBooks, Changes::Of::kNewNodes},  // what a book reads changes with a name or a desk only
    {Source::kNodes, Changes::Of::kNodes},
    {Source::kLimits, Changes::Of::kLimits},
    {Source::kAlerts, Changes::Of::kAlerts},
    {Source::kPrices, Changes::Of::kPriced, Changes::Of::kInstruments},
    {Source::kInstruments, Changes::Of::kInstruments},
    {Source::kCurrencies, Changes::Of::kCurrencies},
    {Source::kQueries, Changes::Of::kQueries},
};

// The rows whose changes a query must be told of.
Changes::Wanted wanted_by(const Plan& plan, const std::optional<IndexedCondition>& condition) {
  Changes::Wanted wanted;
  for (const Table* table : plan.tables) {
    for (const RowsOf& rows : kRowsOf) {
      if (rows.source != table->source) continue;
      wanted.add(rows.of);
      if (rows.also) wanted.add(*rows.also);
    }
    if (table->source == Source::kPositions) wanted.position_kinds |= kinds_met(*table, "node_kind", condition);
    if (table->source == Source::kNodes) wanted.node_kinds |= kinds_met(*table, "kind", condition);
  }
  return wanted;
}

}  // namespace

LiveQueries::LiveQueries(const State& state, Changes& changes) : state_(state), changes_(changes), of_trades_(state) {}
LiveQueries::~LiveQueries() = default;

LiveQueries::Watchers& LiveQueries::watchers(Source source) {
  std::unique_ptr<Watchers>& of = by_source_[source];
  if (of == nullptr) of = std::make_unique<Watchers>(table_of(source));
  return *of;
}

void LiveQueries::note_aside() {
  const Changes::Wanted wanted = noted_ != nullptr ? noted_->wanted() : Changes::Wanted{};
  changes_.want(wanted, 1);
  changes_.want(std::exchange(wanted_aside_, wanted), -1);
  weigh();
}

std::vector<Result<LiveQueries::Id>> LiveQueries::add(std::span<const std::shared_ptr<const Plan>> plans) {
  settle_gathered();
  std::vector<Result<Id>> out;
  std::vector<TradeQueries::Newcomer> over_trades;
  for (const std::shared_ptr<const Plan>& plan : plans) out.push_back(enter(plan, over_trades));
  const std::vector<Status> started = over_trades.empty() ? std::vector<Status>() : of_trades_.add(over_trades);
  weigh();
  for (std::size_t i = 0; i < over_trades.size(); ++i) {
    if (started[i].ok()) continue;
    for (Result<Id>& one : out) {
      if (one.ok() && one.value() == over_trades[i].id) one = started[i];
    }
    drop(over_trades[i].id);
  }
  return out;
}

Result<LiveQueries::Id> LiveQueries::enter(const std::shared_ptr<const Plan>& plan, std::vector<TradeQueries::Newcomer>& over_trades) {
  if (plan->explain) return Status(Code::kInvalidArgument, "EXPLAIN can be asked once, not watched");
  if (!plan->unwatchable.empty()) return Status(Code::kInvalidArgument, plan->unwatchable);
  if (const auto known = by_identity_.find(plan->identity); known != by_identity_.end()) {
    ++queries_.at(known->second)->users;
    return known->second;
  }
  if (queries_.size() >= limits::kMaxLiveQueries) {
    return Status(Code::kResourceExhausted, "there are already " + std::to_string(limits::kMaxLiveQueries) + " continuous queries");
  }
  auto entry = std::make_unique<Entry>();
  entry->plan = plan;
  entry->users = 1;
  entry->since = state_.seq;
  const Id id = next_;
  const bool at_once = take_from(may_read_, cost_of(*plan));
  if (TradeQueries::lists(*plan) && !at_once) {
    of_trades_.add_unread({id, plan});
  } else if (!at_once) {
    entry->put_off = true;
    put_off_.push_back({id, plan});
  } else if (TradeQueries::takes(*plan)) {
    over_trades.push_back({id, plan});
  } else if (Status started = start(id, *entry); !started.ok()) {
    return started;
  }
  ++next_;
  by_identity_.emplace(plan->identity, id);
  if (queries_.empty()) ++changes_.wanted;
  queries_.emplace(id, std::move(entry));
  return id;
}

Status LiveQueries::start(Id id, Entry& entry) {
  entry.live = std::make_unique<LiveQuery>(entry.plan);
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  if (Status built = entry.live->build(reader); !built.ok()) return built;
  connect(id, entry);
  return ok_status();
}

void LiveQueries::connect(Id id, Entry& entry) {
  const Plan& plan = *entry.plan;
  if (plan.tables.size() == 1) entry.indexed = choose_condition(plan.conjuncts, *plan.tables[0]);
  if (most_read_ != SIZE_MAX && entry.live->size() > std::max(most_read_, kMostHeld)) entry.indexed.reset();
  for (std::size_t side = 0; side < plan.tables.size(); ++side) {
    Watchers& of = watchers(plan.tables[side]->source);
    of.far.clear();
    if (!entry.indexed) {
      of.others.emplace_back(id, side);
      continue;
    }
    of.index.add(id, *entry.indexed);
    entry.live->each_row([&](std::uint32_t row) { of.holders.add(row, id); });
  }
  entry.wanted = wanted_by(plan, entry.indexed);
  changes_.want(entry.wanted, 1);
  schedule(id, entry);
}

std::size_t LiveQueries::cost_of(const Plan& plan) const {
  if (const auto known = TradeQueries::takes(plan) ? of_trades_.known_groups(plan) : std::nullopt) return *known;
  std::size_t rows = 0, pairs = 1;
  for (const Table* table : plan.tables) {
    rows += table->size(state_);
    pairs *= table->size(state_);
  }
  return std::max(rows, pairs);  // a join may pair each row with all of the other side
}

bool LiveQueries::read_now(Id id) {
  settle_gathered();
  const Entry& entry = *queries_.at(id);
  return take_from(may_tell_, entry.live != nullptr ? entry.live->answer_size() : of_trades_.cost_of_rows(id));
}

std::vector<LiveQueries::PutOff> LiveQueries::take_put_off(std::size_t most) {
  std::vector<PutOff> out;
  for (; !put_off_.empty() && out.size() < most; put_off_.pop_front()) {
    if (queries_.contains(put_off_.front().id)) out.push_back(std::move(put_off_.front()));
  }
  return out;
}

void LiveQueries::note_for(const Preparation& preparation) {
  noted_ = std::make_unique<NotedChanges>(preparation.nothing_noted());
  note_aside();
}

NotedChanges LiveQueries::take_noted() {
  NotedChanges noted = std::move(*noted_);
  noted_.reset();
  note_aside();
  return noted;
}

std::vector<std::pair<LiveQueries::Id, Status>> LiveQueries::adopt(Preparation& preparation) {
  settle_gathered();
  std::vector<std::pair<Id, Status>> out;
  LiveQueries& from = preparation.live_;
  for (const Preparation::One& one : preparation.queries_) {
    const Id id = one.query.id;
    const auto at = queries_.find(id);
    if (at == queries_.end()) continue;  // nobody wants it any more
    out.emplace_back(id, one.status);
    if (!one.status.ok()) {
      drop(id);
      continue;
    }
    Entry& entry = *at->second;
    entry.put_off = false;
    entry.since = state_.seq;
    if (std::unique_ptr<LiveQuery>& prepared = from.queries_.at(one.aside)->live; prepared != nullptr) {
      entry.live = std::move(prepared);
      connect(id, entry);
    } else {
      of_trades_.adopt({id, entry.plan}, from.of_trades_, one.aside);
    }
  }
  weigh();
  return out;
}

std::vector<KeptRow> LiveQueries::rows(Id id) {
  settle_gathered();
  const Entry& entry = *queries_.at(id);
  return entry.live != nullptr ? entry.live->rows() : of_trades_.rows(id);
}

void LiveQueries::remove(Id id) {
  settle_gathered();
  const auto at = queries_.find(id);
  if (at == queries_.end()) return;  // it failed
  if (--at->second->users == 0) drop(id);
}

void LiveQueries::drop(Id id) {
  const auto at = queries_.find(id);
  Entry& entry = *at->second;
  const Plan& plan = *entry.plan;
  if (entry.live == nullptr && !entry.put_off) {
    std::shared_ptr<void> kept = of_trades_.remove(id);
    if (dropped_ && kept != nullptr) dropped_(std::move(kept));
  }
  if (entry.live != nullptr) changes_.want(entry.wanted, -1);
  for (std::size_t side = 0; entry.live != nullptr && side < plan.tables.size(); ++side) {
    Watchers& of = watchers(plan.tables[side]->source);
    if (!entry.indexed) {
      std::erase(of.others, std::pair(id, side));
      continue;
    }
    of.index.remove(id, *entry.indexed);
    entry.live->each_row([&](std::uint32_t row) { of.holders.remove(row, id); });
  }
  if (entry.due != INT64_MAX) due_.erase({entry.due, id});
  std::erase(touched_, id);
  by_identity_.erase(plan.identity);
  if (dropped_ && entry.live != nullptr) dropped_(std::move(entry.live));
  queries_.erase(at);
  if (!queries_.empty()) return weigh();
  by_source_.clear();
  if (noted_ != nullptr) noted_->note_everything();  // what changes now may go unseen
  note_aside();
  if (--changes_.wanted == 0) changes_.clear();
}

// An indexed query is found by the rows it holds too, whatever they read now.
void LiveQueries::hold(Id id, const Entry& entry, std::uint32_t row, bool holds) {
  if (!entry.indexed) return;
  RowHolders& holders = watchers(entry.plan->tables[0]->source).holders;
  holds ? holders.add(row, id) : holders.remove(row, id);
}

void LiveQueries::touch(Id id, Entry& entry) {
  if (std::exchange(entry.touched, true)) return;
  touched_.push_back(id);
}

// Brings due_ up to the query's own deadline.
void LiveQueries::schedule(Id id, Entry& entry) {
  const Nanos due = entry.live->deadline();
  if (due == entry.due) return;
  if (entry.due != INT64_MAX) due_.erase({entry.due, id});
  if (due != INT64_MAX) due_.emplace(due, id);
  entry.due = due;
}

void LiveQueries::pass_time() {
  if (due_.empty() || due_.begin()->first > state_.time) return;
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  while (!due_.empty() && due_.begin()->first <= state_.time) {
    const Id id = due_.begin()->second;
    Entry& entry = *queries_.at(id);
    entry.live->pass_time(reader, [&](std::uint32_t row, bool holds) { hold(id, entry, row, holds); });
    schedule(id, entry);
    touch(id, entry);
  }
}

void LiveQueries::look(Id id, std::size_t side, std::uint32_t row, const Reader& reader) {
  Entry& entry = *queries_.at(id);
  if (!entry.indexed) {
    entry.live->row_changed(side, row, reader);
    return touch(id, entry);
  }
  if (std::exchange(entry.looked_at, round_) == round_) return;
  const bool held = entry.live->holds(row);
  entry.live->row_changed(side, row, reader);
  const bool holds = entry.live->holds(row);
  if (held != holds) hold(id, entry, row, holds);
  if (held || holds) touch(id, entry);
  schedule(id, entry);  // a row that is not held may be waiting for its time
}

bool LiveQueries::is_far(const Watchers& of, std::uint32_t row) const {
  return row < of.far.size() && (*changes_.moved)[row].is_before(of.far[row]);
}

void LiveQueries::note_far(Watchers& of, std::uint32_t row, Int128 room) const {
  if (row >= of.far.size()) of.far.resize(changes_.moved->size());
  of.far[row] = (*changes_.moved)[row];
  of.far[row].distance += room;
}

void LiveQueries::row_changed(Watchers& of, std::uint32_t row, const Reader& reader) {
  if (is_far(of, row)) return;
  ++round_;
  found_.clear();
  const Int128 room = of.index.empty() ? 0 : of.index.find(reader, row, found_);
  of.holders.append(row, found_);
  if (found_.empty() && room > 0 && of.others.empty() && of.source == Source::kNodes && changes_.moved != nullptr) note_far(of, row, room);
  for (const Id id : found_) look(id, 0, row, reader);
  for (const auto& [id, side] : of.others) look(id, side, row, reader);
}

// Most rows that change concern nobody, and of those that change together most can be told by what they are names of.
void LiveQueries::keep_concerned(Watchers& of, const std::vector<std::uint32_t>& rows, const Reader& reader) {
  if (rows.size() == 1 || !of.others.empty() || !of.index.screens()) {
    concerned_ = rows;
  } else {
    of.index.screen(reader, rows, likely_);
    concerned_.clear();
    for (const std::uint32_t place : likely_) concerned_.push_back(rows[place]);
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(concerned_), [&](std::uint32_t row) { return of.holders.holds(row); });
  }
  if (concerned_.size() < 2) return;
  std::sort(concerned_.begin(), concerned_.end());
  concerned_.erase(std::unique(concerned_.begin(), concerned_.end()), concerned_.end());
}

void LiveQueries::rows_changed(Source source, const std::vector<std::uint32_t>& rows, const Reader& reader) {
  if (rows.empty()) return;
  const auto at = by_source_.find(source);
  if (at == by_source_.end()) return;
  Watchers& of = *at->second;
  keep_concerned(of, rows, reader);
  for (const std::uint32_t row : concerned_) row_changed(of, row, reader);
}

void LiveQueries::settle_all() {
  if (noted_ != nullptr) noted_->note(changes_);
  if (queries_.empty() || (changes_.empty() && touched_.empty())) return;
  look_at_others();
  const bool of_trades = !of_trades_.empty() && (changes_.reshaped || !changes_.trades.empty());
  if (touched_.empty() && !of_trades) return;
  if (gathers_ && touched_.empty() && changes_.one_new_trade()) return gather();
  settle_gathered();
  const std::size_t first = told_.size(), failures = told_.failures();
  if (of_trades && !of_trades_.empty()) of_trades_.settle(changes_, told_);
  settle_others();
  told_.bring_together(first);
  if (told_.failures() != failures) drop_failed(first);
}

void LiveQueries::gather_new_trades() {
  gathers_ = true;
  gathered_.reserve(kMostGathered);
  changes_.before_trade_changes = [this] { settle_gathered(); };
  weigh();
}

void LiveQueries::settle_gathered() {
  if (gathered_.empty()) return;
  of_trades_.keep_likely(gathered_);
  for (std::span<const NewTrade> rest(gathered_); !rest.empty() && !of_trades_.empty();) {
    const std::size_t first = told_.size(), failures = told_.failures();
    rest = rest.subspan(of_trades_.settle(rest.first(std::min(rest.size(), TradeQueries::kMostTogether)), told_));
    if (told_.failures() != failures) drop_failed(first);
  }
  gathered_.clear();
}

void LiveQueries::drop_failed(std::size_t first) {
  for (auto one = told_.begin() + static_cast<std::ptrdiff_t>(first); one != told_.end(); ++one) {
    if (one->failure != nullptr) drop(one->query);
  }
}

// Those that are no TradeQueries: what changed goes to them.
void LiveQueries::look_at_others() {
  if (by_source_.empty()) return;
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  if (changes_.reshaped) {
    for (const auto& [source, of] : by_source_) of->far.clear();
    for (const auto& [id, entry] : queries_) {
      if (entry->live == nullptr) continue;
      entry->live->refresh(reader, [this, id = id, &entry = *entry](std::uint32_t row, bool holds) { hold(id, entry, row, holds); });
      touch(id, *entry);
    }
  } else {
    if (watched(Source::kTrades)) {
      std::vector<std::uint32_t> trades;
      for (const Changes::ChangedTrade& one : changes_.trades) trades.push_back(one.trade);
      rows_changed(Source::kTrades, trades, reader);
    }
    for (const RowsOf& one : kRowsOf) {
      if (one.also) changes_.note_all(one.of, changes_.rows(*one.also));
      rows_changed(one.source, changes_.rows(one.of), reader);
    }
  }
}

// And what their answers became is told.
void LiveQueries::settle_others() {
  if (touched_.empty()) return;
  Splits splits(state_);
  const Reader reader{state_, splits, state_.time};
  std::sort(touched_.begin(), touched_.end());
  for (const Id id : touched_) {
    Entry& entry = *queries_.at(id);
    entry.touched = false;
    schedule(id, entry);
    const Result<std::span<const RowEvent>> rows = entry.live->drain(reader, told_.memory());
    if (!rows.ok()) {
      told_.fail(id, rows.status());
    } else if (!rows.value().empty()) {
      told_.tell(id, told_.memory().events(state_.seq, state_.time, rows.value()));
    }
  }
  touched_.clear();
}

}  // namespace halocline::queries
