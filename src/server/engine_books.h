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
  std::string digest() override;

 private:
  Engine engine_;
  Snapshot visited_;  // by the last changed_trades(); nullptr before the first
};

}  // namespace halocline
