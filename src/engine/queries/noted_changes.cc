#include "engine/queries/noted_changes.h"

namespace halocline::queries {

Changes::Wanted NotedChanges::wanted() const {
  using enum Changes::Of;
  Changes::Wanted wanted;
  if (everything()) return wanted;
  for (const Changes::Of what : {kNewNodes, kLimits, kAlerts, kInstruments, kPriced, kCurrencies, kQueries}) wanted.add(what);
  if (positions_) {
    wanted.add(kPositions), wanted.add(kRevalued);
    wanted.position_kinds = kAllNodeKinds;
  }
  if (nodes_) {
    wanted.add(kNodes);
    wanted.node_kinds = kAllNodeKinds;
  }
  return wanted;
}

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
  for (std::size_t what = 0; what < Changes::kSorts; ++what) append(static_cast<Changes::Of>(what));
  if (changes.reshaped || size_ > kMost) note_everything();
}

void NotedChanges::note_everything() {
  rows_.clear();
  rows_.reshaped = true;
}

}  // namespace halocline::queries
