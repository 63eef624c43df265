#include "engine/differences.h"

#include "engine/changed_items.h"
#include "engine/figures.h"
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
  for_each_changed(now.trades, before == nullptr ? nullptr : &before->trades, [&](std::size_t i) { visit(change_of(now, i)); });
}

void changed_positions(const State& now, const State* before, const PositionVisitor& visit) {
  Splits splits(now);
  for_each_changed(now.positions, before == nullptr ? nullptr : &before->positions, [&](std::size_t i) {
    const PositionRecord& position = now.positions[i];
    const bool had = before != nullptr && i < before->positions.size() && before->positions[i].count != 0;
    if (had || position.count != 0) visit(position_row(now, position, splits));
  });
}

}  // namespace halocline::views
