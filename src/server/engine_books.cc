#include "server/engine_books.h"

#include <utility>
#include <variant>

#include "base/background_thread.h"
#include "engine/differences.h"
#include "engine/lookahead.h"
#include "engine/queries/live_queries.h"
#include "engine/views.h"

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
  return ok_status();
}

void EngineBooks::apply(Seq first, Nanos time, std::span<const Command> commands, const Told& told) {
  const auto trade_at = [&](std::size_t i) { return std::get_if<Trade>(&commands[i]); };
  apply_ahead(*engine_, commands.size(), trade_at, [&](std::size_t i, const TradeHint& hint) {
    events_.clear();
    const Trade* trade = trade_at(i);
    const Applied applied = trade != nullptr ? engine_->apply(first + i, time, *trade, hint, events_)
                                             : engine_->apply(first + i, time, commands[i], events_);
    told(i, {applied.outcome, applied.first_seq}, events_);
    if (i % kABreath == 0) breathe();
  });
  // Nobody watches these books.
  static_cast<void>(engine_->queries().take());
  static_cast<void>(engine_->take_refused_releases());
  static_cast<void>(engine_->take_dropped_queries());
}

void EngineBooks::changed_trades(const TradeVisitor& visit) {
  Snapshot now = engine_->snapshot();
  views::changed_trades(*now, trades_visited_.get(), breathing(visit));
  trades_visited_ = std::move(now);
}

void EngineBooks::changed_positions(const PositionVisitor& visit) {
  Snapshot now = engine_->snapshot();
  views::changed_positions(*now, positions_visited_.get(), breathing(visit));
  positions_visited_ = std::move(now);
}

void EngineBooks::changed_nodes(const NodeVisitor& visit) {
  std::vector<NodeRow> now = views::nodes(*engine_->snapshot(), {});
  for (std::size_t id = 0; id < now.size(); ++id) {
    if (id >= nodes_visited_.size() || !(now[id] == nodes_visited_[id])) visit(now[id]);
  }
  nodes_visited_ = std::move(now);
}

std::string EngineBooks::digest() { return digest_.of(engine_->snapshot()); }

}  // namespace halocline
