#include "server/engine_books.h"

#include <utility>

#include "engine/changed_trades.h"
#include "engine/views.h"

namespace halocline {

Books::Effect EngineBooks::apply(Seq seq, Nanos time, CommandType type, std::span<const std::byte> payload,
                                 std::vector<AlertEvent>& events) {
  const Applied applied = engine_.apply(seq, time, type, payload, events);
  return {applied.outcome, applied.first_seq};
}

void EngineBooks::changed_trades(const TradeVisitor& visit) {
  Snapshot now = engine_.snapshot();
  views::changed_trades(*now, visited_.get(), visit);
  visited_ = std::move(now);
}

std::string EngineBooks::digest() { return views::state_digest(*engine_.snapshot()); }

}  // namespace halocline
