// The books that the history is written from (history/tables/books.h): an engine of its own, taken through the durable journal behind the
// live one. One thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "history/tables/books.h"

namespace halocline {

class EngineBooks final : public Books {
 public:
  Effect apply(Seq seq, Nanos time, CommandType type, std::span<const std::byte> payload, std::vector<AlertEvent>& events) override;
  void changed_trades(const TradeVisitor& visit) override;
  void changed_positions(const PositionVisitor& visit) override;
  void changed_nodes(const NodeVisitor& visit) override;
  std::string digest() override;

 private:
  Engine engine_;
  Snapshot trades_visited_, positions_visited_;  // by the last call; nullptr before the first
  std::vector<NodeRow> nodes_visited_;           // by id
};

}  // namespace halocline
