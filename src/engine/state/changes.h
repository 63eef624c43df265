// What a command changed, row by row, for those who keep something up to date from it (engine/queries/live_queries.h). The parts of the
// engine note it while it is wanted; nobody notes anything when nobody wants it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/state/state.h"

namespace halocline {

// Bits by NodeKind.
using NodeKinds = std::uint16_t;
inline constexpr NodeKinds kAllNodeKinds = 0xffff;
constexpr NodeKinds bit_of(NodeKind kind) { return static_cast<NodeKinds>(1u << static_cast<unsigned>(kind)); }

// How far the exposures (net, long, short, gross, stale) of a node may have moved.
struct Moved {
  Money distance = 0;           // at most this far in all, in the firm's currency …
  std::uint64_t otherwise = 0;  // … but for so many times, by a rate or beyond 64 bits

  // Whether it cannot have come as far, of the same node.
  bool is_before(const Moved& far) const { return otherwise == far.otherwise && distance < far.distance; }
};

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
  static constexpr std::size_t kSorts = static_cast<std::size_t>(Of::kQueries) + 1;
  // Rows that somebody wants noted. Of positions and nodes that trades change those of some kinds alone, as far as that is told apart:
  // of all else, and where it is not, others are noted too.
  struct Wanted {
    std::uint16_t of = 0;  // bits by Of
    NodeKinds position_kinds = 0, node_kinds = 0;

    constexpr void add(Of what) { of |= static_cast<std::uint16_t>(1u << static_cast<unsigned>(what)); }
  };
  struct ChangedTrade {
    std::uint32_t trade;
    std::uint32_t before;  // where in trades_before; kNoId: there was no such trade
  };

  int wanted = 0;  // by how many
  // Called before a trade that is known changes: for those who have yet to look at how it came (LiveQueries::gather_new_trades).
  std::function<void()> before_trade_changes;

  // By node, of those that somebody watches; nullptr where nobody keeps count.
  const std::vector<Moved>* moved = nullptr;

  // In the order in which they changed: of a trade that changed more than once the first says how it was before the command.
  std::vector<ChangedTrade> trades;
  std::vector<TradeRecord> trades_before;
  bool reshaped = false;  // a name or what belongs to what: any row may read differently
  std::shared_ptr<const State> before;  // the books before the command, when it may reshape them

  // Ids in the state, in no order, some more than once. Who changes them keeps what was noted.
  std::vector<std::uint32_t>& rows(Of what) { return rows_[static_cast<std::size_t>(what)]; }
  const std::vector<std::uint32_t>& rows(Of what) const { return rows_[static_cast<std::size_t>(what)]; }

  // One more who wants these, or one fewer (`by`: 1, -1).
  void want(const Wanted& rows, int by) {
    of_.count(rows.of, by);
    position_kinds_.count(rows.position_kinds, by);
    node_kinds_.count(rows.node_kinds, by);
  }
  bool wants_rows() const { return of_.any != 0; }
  bool wants(Of what) const { return (of_.any >> static_cast<unsigned>(what) & 1u) != 0; }
  bool wants_position(NodeKind holder) const { return (position_kinds_.any & bit_of(holder)) != 0; }
  bool wants_node(NodeKind kind) const { return (node_kinds_.any & bit_of(kind)) != 0; }

  void note(Of what, std::uint32_t row) { note_all(what, {&row, 1}); }
  void note_all(Of what, std::span<const std::uint32_t> some) {
    if (!wants(what) || some.empty()) return;
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

  // What changed is what is noted there; who wants what stays as it is here.
  void replace(Changes noted) {
    trades = std::move(noted.trades), trades_before = std::move(noted.trades_before);
    reshaped = noted.reshaped, before = std::move(noted.before);
    rows_ = std::move(noted.rows_), noted_ = noted.noted_;
  }

  bool empty() const { return trades.empty() && noted_ == 0 && !reshaped; }
  bool one_new_trade() const { return trades.size() == 1 && trades[0].before == kNoId && !reshaped; }
  void clear() {
    trades.clear();
    trades_before.clear();
    for (; noted_ != 0; noted_ &= noted_ - 1) rows_[static_cast<std::size_t>(std::countr_zero(noted_))].clear();
    reshaped = false;
    if (before != nullptr) before.reset();  // mostly not: a write each time costs the next command's look at it
  }

 private:
  // How often each of 16 bits is wanted.
  struct Counts {
    void count(std::uint16_t bits, int by) {
      for (unsigned i = 0; i < times.size(); ++i) {
        if ((bits >> i & 1u) == 0) continue;
        times[i] += by;
        any = static_cast<std::uint16_t>(times[i] != 0 ? any | 1u << i : any & ~(1u << i));
      }
    }
    std::uint16_t any = 0;
    std::array<int, 16> times{};
  };

  Counts of_, position_kinds_, node_kinds_;
  std::array<std::vector<std::uint32_t>, kSorts> rows_;
  unsigned noted_ = 0;  // of which there are any, by their bits
};

}  // namespace halocline
