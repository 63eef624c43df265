#include "engine/queries/noted_changes.h"

namespace halocline::queries {

void NotedChanges::note(const Changes& changes) {
  if (rows_.reshaped) return;
  const auto append = [&](Changes::Of what) {
    rows_.note_all(what, changes.rows(what));
    size_ += changes.rows(what).size();
  };
  if (trades_) {
    for (const Changes::ChangedTrade& one : changes.trades) rows_.note_new_trade(one.trade);
    size_ += changes.trades.size();
  }
  using enum Changes::Of;
  if (positions_) {
    append(kPositions);
    append(kRevalued);
  }
  if (nodes_) append(kNodes);
  for (const Changes::Of what : {kNewNodes, kLimits, kAlerts, kInstruments, kPriced, kCurrencies, kQueries}) append(what);
  if (changes.reshaped || size_ > kMost) note_everything();
}

void NotedChanges::note_everything() {
  rows_.clear();
  rows_.reshaped = true;
}

}  // namespace halocline::queries
