#include "server/engine_books.h"

#include <utility>
#include <variant>

#include "base/background_thread.h"
#include "base/check.h"
#include "engine/differences.h"
#include "engine/lookahead.h"
#include "engine/queries/live_queries.h"
#include "engine/views.h"
#include "server/apply_records.h"

namespace halocline {
namespace {

constexpr std::size_t kABreath = 16;  // rows or commands: some tens of microseconds, beside which the look at the clock is nothing

// Visits, and lets others work in between.
template <class Visitor>
auto breathing(const Visitor& visit) {
  return [&visit, visited = std::size_t{0}](const auto& one) mutable {
    visit(one);
    if (++visited % kABreath == 0) breathe();
  };
}

}  // namespace

Status EngineBooks::resume(const State& books) {
  Result<std::unique_ptr<Engine>> resumed = Engine::resume(books);
  if (!resumed.ok()) return resumed.status();
  engine_ = resumed.take();
  applied_ = engine_->last_seq();
  return ok_status();
}

void EngineBooks::go_live(LiveEffects& effects) {
  stands_at_ = index_.complete(engine_->snapshot(), nullptr);
  effects.drop(applied_);
  effects_ = &effects;
  engine_.reset();
}

void EngineBooks::stand_at(Snapshot books) {
  CHECK(live());
  stands_at_ = std::move(books);
}

bool EngineBooks::stands() const { return !live() || views::seq_of(*stands_at_) == applied_; }

Snapshot EngineBooks::whole() { return live() ? index_.complete(snapshot(), breathe) : snapshot(); }

Status EngineBooks::go_alone(const JournalFiles& journal) {
  Result<std::unique_ptr<Engine>> engine = Engine::resume(*index_.complete(stands_at_, breathe));
  if (!engine.ok()) return engine.status();
  if (engine.value()->last_seq() < applied_) {
    const Result<std::unique_ptr<JournalReader>> reader = journal.open(engine.value()->last_seq() + 1);
    if (!reader.ok()) return reader.status();
    const auto on = [] { return true; };
    if (Status status = apply_journal(*engine.value(), *reader.value(), applied_, on); !status.ok()) return status;
  }
  engine_ = engine.take();
  stands_at_.reset(), effects_ = nullptr;
  return ok_status();
}

Snapshot EngineBooks::snapshot() {
  if (engine_ != nullptr) return engine_->snapshot();
  CHECK(stands(), "the books stand at seq %llu, %llu was applied last",
        static_cast<unsigned long long>(views::seq_of(*stands_at_)), static_cast<unsigned long long>(applied_));
  return stands_at_;
}

void EngineBooks::apply(Seq first, Nanos time, std::span<const Command> commands, const Told& told) {
  if (engine_ != nullptr) return apply_alone(first, time, commands, told);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    events_.clear();
    const Applied applied = effects_->take(first + i, events_);
    applied_ = first + i;
    told(i, {applied.outcome, applied.first_seq}, events_);
    if (i % kABreath == 0) breathe();
  }
}

void EngineBooks::apply_alone(Seq first, Nanos time, std::span<const Command> commands, const Told& told) {
  const auto trade_at = [&](std::size_t i) { return std::get_if<Trade>(&commands[i]); };
  apply_ahead(*engine_, commands.size(), trade_at, [&](std::size_t i, const TradeHint& hint) {
    events_.clear();
    const Trade* trade = trade_at(i);
    const Applied applied = trade != nullptr ? engine_->apply(first + i, time, *trade, hint, events_)
                                             : engine_->apply(first + i, time, commands[i], events_);
    applied_ = first + i;
    told(i, {applied.outcome, applied.first_seq}, events_);
    if (i % kABreath == 0) breathe();
  });
  // Nobody watches these books.
  static_cast<void>(engine_->queries().take());
  static_cast<void>(engine_->take_refused_releases());
  static_cast<void>(engine_->take_dropped_queries());
}

void EngineBooks::changed_trades(const TradeVisitor& visit) {
  Snapshot now = snapshot();
  views::changed_trades(*now, trades_visited_.get(), breathing(visit));
  trades_visited_ = std::move(now);
}

void EngineBooks::changed_positions(const PositionVisitor& visit) {
  Snapshot now = snapshot();
  views::changed_positions(*now, positions_visited_.get(), breathing(visit));
  positions_visited_ = std::move(now);
}

void EngineBooks::changed_nodes(const NodeVisitor& visit) {
  std::vector<NodeRow> now = views::nodes(*snapshot(), {});
  for (std::size_t id = 0; id < now.size(); ++id) {
    if (id >= nodes_visited_.size() || !(now[id] == nodes_visited_[id])) visit(now[id]);
  }
  nodes_visited_ = std::move(now);
}

std::string EngineBooks::digest() { return digest_.of(snapshot()); }

}  // namespace halocline
