// The books that the history is written from (history/tables/books.h): an engine of its own, taken through the durable journal behind the
// live one. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/running_digest.h"
#include "history/tables/books.h"

namespace halocline {

class EngineBooks final : public Books {
 public:
  EngineBooks() : engine_(std::make_unique<Engine>()) {}

  // Goes on from books of another engine, before anything was applied. Fails as Engine::resume does.
  Status resume(const State& books);
  Snapshot snapshot() { return engine_->snapshot(); }
  std::uint64_t trades() const { return engine_->counts().trades; }

  void apply(Seq first, Nanos time, std::span<const Command> commands, const Told& told) override;
  void changed_trades(const TradeVisitor& visit) override;
  void changed_positions(const PositionVisitor& visit) override;
  void changed_nodes(const NodeVisitor& visit) override;
  std::string digest() override;

 private:
  std::unique_ptr<Engine> engine_;
  std::vector<AlertEvent> events_;  // of the command that is applied
  Snapshot trades_visited_, positions_visited_;  // by the last call; nullptr before the first
  std::vector<NodeRow> nodes_visited_;           // by id
  views::RunningDigest digest_;
};

}  // namespace halocline
