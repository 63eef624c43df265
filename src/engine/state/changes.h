// What a command changed, row by row, for those who keep something up to date from it (engine/queries/live_queries.h). The parts of the
// engine note it while it is wanted; nobody notes anything when nobody wants it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/state/state.h"

namespace halocline {

class Changes {
 public:
  enum class Of : std::uint8_t {
    kPositions,
    kRevalued,  // positions by a mark alone: what they hold is the same
    kNodes,
    kNewNodes,  // are among kNodes too
    kLimits,
    kAlerts,
    kInstruments,
    kPriced,  // instruments whose mark or its staleness changed
    kCurrencies,
    kQueries,
  };
  struct ChangedTrade {
    std::uint32_t trade;
    std::uint32_t before;  // where in trades_before; kNoId: there was no such trade
  };

  int wanted = 0;       // by how many
  int rows_wanted = 0;  // by how many of them not of trades alone
  // Called before a trade that is known changes: for those who have yet to look at how it came (LiveQueries::gather_new_trades).
  std::function<void()> before_trade_changes;

  // In the order in which they changed: of a trade that changed more than once the first says how it was before the command.
  std::vector<ChangedTrade> trades;
  std::vector<TradeRecord> trades_before;
  bool reshaped = false;  // a name or what belongs to what: any row may read differently
  std::shared_ptr<const State> before;  // the books before the command, when it may reshape them

  // Ids in the state, in no order, some more than once. Who changes them keeps what was noted.
  std::vector<std::uint32_t>& rows(Of what) { return rows_[static_cast<std::size_t>(what)]; }
  const std::vector<std::uint32_t>& rows(Of what) const { return rows_[static_cast<std::size_t>(what)]; }

  void note(Of what, std::uint32_t row) {
    if (rows_wanted != 0) note_all(what, {&row, 1});
  }
  void note_all(Of what, std::span<const std::uint32_t> some) {
    if (rows_wanted == 0 || some.empty()) return;
    rows(what).insert(rows(what).end(), some.begin(), some.end());
    noted_ |= 1u << static_cast<unsigned>(what);
  }
  void note_new_trade(std::uint32_t trade) { trades.push_back({trade, kNoId}); }
  // Before it changes.
  void note_trade(std::uint32_t trade, const TradeRecord& was) {
    if (before_trade_changes) before_trade_changes();
    if (wanted == 0) return;  // the last who wanted it ended there
    trades.push_back({trade, static_cast<std::uint32_t>(trades_before.size())});
    trades_before.push_back(was);
  }

  bool empty() const { return trades.empty() && noted_ == 0 && !reshaped; }
  bool one_new_trade() const { return trades.size() == 1 && trades[0].before == kNoId && !reshaped; }
  void clear() {
    trades.clear();
    trades_before.clear();
    for (; noted_ != 0; noted_ &= noted_ - 1) rows_[static_cast<std::size_t>(std::countr_zero(noted_))].clear();
    reshaped = false;
    before.reset();
  }

 private:
  std::array<std::vector<std::uint32_t>, static_cast<std::size_t>(Of::kQueries) + 1> rows_;
  unsigned noted_ = 0;  // of which there are any, by their bits
};

}  // namespace halocline
