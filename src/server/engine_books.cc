#include "server/engine_books.h"

#include <utility>

#include "engine/differences.h"
#include "engine/views.h"

namespace halocline {

Status EngineBooks::resume(const State& books) {
  Result<std::unique_ptr<Engine>> resumed = Engine::resume(books);
  if (!resumed.ok()) return resumed.status();
  engine_ = resumed.take();
  return ok_status();
}

Books::Effect EngineBooks::apply(Seq seq, Nanos time, CommandType type, std::span<const std::byte> payload,
                                 std::vector<AlertEvent>& events) {
  const Applied applied = engine_->apply(seq, time, type, payload, events);
  return {applied.outcome, applied.first_seq};
}

void EngineBooks::changed_trades(const TradeVisitor& visit) {
  Snapshot now = engine_->snapshot();
  views::changed_trades(*now, trades_visited_.get(), visit);
  trades_visited_ = std::move(now);
}

void EngineBooks::changed_positions(const PositionVisitor& visit) {
  Snapshot now = engine_->snapshot();
  views::changed_positions(*now, positions_visited_.get(), visit);
  positions_visited_ = std::move(now);
}

void EngineBooks::changed_nodes(const NodeVisitor& visit) {
  std::vector<NodeRow> now = views::nodes(*engine_->snapshot(), {});
  for (std::size_t id = 0; id < now.size(); ++id) {
    if (id >= nodes_visited_.size() || !(now[id] == nodes_visited_[id])) visit(now[id]);
  }
  nodes_visited_ = std::move(now);
}

std::string EngineBooks::digest() { return views::state_digest(*engine_->snapshot()); }

}  // namespace halocline
