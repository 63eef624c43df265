#include "engine/changed_trades.h"

#include <algorithm>
#include <cstring>

#include "engine/state/state.h"
#include "engine/views.h"

namespace halocline::views {
namespace {

TradeChange change_of(const State& state, std::size_t number) {
  const TradeRecord& record = state.trades[number];
  TradeChange change;
  change.number = number;
  if (record.status == TradeStatus::kMerged) {
    change.standing = TradeStanding::kGone;
    return change;
  }
  change.row = trade_row(state, record);
  const bool live = record.status == TradeStatus::kLive;
  change.standing = live ? TradeStanding::kLive : record.book == kNoId ? TradeStanding::kTombstone : TradeStanding::kCancelled;
  return change;
}

}  // namespace

void changed_trades(const State& now, const State* before, const TradeVisitor& visit) {
  constexpr std::size_t kChunk = decltype(State::trades)::kPerChunk;
  const std::size_t known = before == nullptr ? 0 : before->trades.size();
  for (std::size_t chunk = 0; chunk < now.trades.size(); chunk += kChunk) {
    // A chunk at the same place in memory has not been written since.
    if (chunk < known && &now.trades[chunk] == &before->trades[chunk] && std::min(chunk + kChunk, now.trades.size()) <= known) continue;
    for (std::size_t i = chunk; i < std::min(chunk + kChunk, now.trades.size()); ++i) {
      if (i < known && std::memcmp(&now.trades[i], &before->trades[i], sizeof(TradeRecord)) == 0) continue;
      visit(change_of(now, i));
    }
  }
}

}  // namespace halocline::views
