#include "engine/queries/noted_changes.h"

namespace halocline::queries {

void NotedChanges::note(const Changes& changes) {
  if (rows_.reshaped) return;
  const auto append = [this](std::vector<std::uint32_t>& to, const std::vector<std::uint32_t>& rows) {
    to.insert(to.end(), rows.begin(), rows.end());
    size_ += rows.size();
  };
  if (trades_) {
    for (const Changes::ChangedTrade& one : changes.trades) rows_.note_new_trade(one.trade);
    size_ += changes.trades.size();
  }
  if (positions_) {
    append(rows_.positions, changes.positions);
    append(rows_.revalued, changes.revalued);
  }
  if (nodes_) append(rows_.nodes, changes.nodes);
  append(rows_.new_nodes, changes.new_nodes);
  append(rows_.limits, changes.limits);
  append(rows_.alerts, changes.alerts);
  append(rows_.instruments, changes.instruments);
  append(rows_.currencies, changes.currencies);
  append(rows_.queries, changes.queries);
  append(rows_.priced, changes.priced);
  if (changes.reshaped || size_ > kMost) note_everything();
}

void NotedChanges::note_everything() {
  rows_.clear();
  rows_.reshaped = true;
}

}  // namespace halocline::queries
