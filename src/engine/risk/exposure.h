// Positions and the sums above them: keeps every position, its node's currency bucket and the node's measures right after each
// change, doing work only where something changed. A trade touches nine nodes, a price the positions in its
// instrument, an FX rate the buckets of its currency.
//
// Each command: change things, then take touched(), look at peaks and limits, then clear_touched().
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/pair_map.h"
#include "engine/state/changes.h"
#include "engine/state/state.h"
#include "engine/state/trade_effect.h"

namespace halocline {

// A change of one position.
struct Leg {
  std::uint32_t node = kNoId;
  std::uint32_t instrument = kNoId;
  std::uint32_t position = kNoId;  // where known
  Int128 quantity = 0;
  Money cash = 0;
  std::int32_t count = 0;
};

// A trade command to count at its nodes.
struct Tally {
  Tally(Nanos time, Money largest);
  std::size_t slot;  // of the second it counts in
  Money size;        // in the firm's currency
};

class Exposure {
 public:
  Exposure(State& state, Changes& changes) : state_(state), changes_(changes) { changes_.moved = &moved_; }
  Exposure(const Exposure&) = delete;
  Exposure& operator=(const Exposure&) = delete;

  // A new node, instrument or currency: make room for it in the lists. Call after adding it to the catalog.
  void node_added(std::uint32_t node);
  void instrument_added(std::uint32_t instrument);
  void currency_added(std::uint32_t currency);
  // The state came from elsewhere: works out the lists beside it.
  void resume();

  std::uint32_t find_position(std::uint32_t node, std::uint32_t instrument) const { return position_at_.find(node, instrument); }
  Holders find_positions(const Holders& nodes, std::uint32_t instrument) const { return position_at_.find(nodes, instrument); }
  // Tells the processor to fetch what find_positions() will look at.
  void prefetch_positions(const Holders& nodes, std::uint32_t instrument) const { position_at_.prefetch(nodes, instrument); }
  // … and what add_trade() will change of these nodes, and, once their positions are there, of the positions' buckets. Of FIRM and the
  // desk, which every trade changes, nothing.
  void prefetch_nodes(const Holders& nodes, std::uint32_t instrument) const;
  void prefetch_buckets(const Holders& positions, std::uint32_t instrument) const;
  // Whether the position (kNoId: none yet) may take the change: its bound (limits::kMaxPositionQuantity), unless it comes nearer to zero.
  bool within_bound(std::uint32_t position, Int128 quantity) const {
    const Int128 now = position == kNoId ? 0 : state_.positions[position].quantity;
    const Int128 then = now + quantity;
    constexpr auto kMost = static_cast<UInt128>(limits::kMaxPositionQuantity);
    if (static_cast<UInt128>(then) + kMost <= 2 * kMost) return true;  // -kMost … kMost
    return (then < 0 ? -then : then) <= (now < 0 ? -now : now);
  }
  // Changes a position (made when there is none) and all sums above it. For a FIRM position the instrument's,
  // underlying's, sector's and currency's nodes as well. Returns the position's id. Its split of P&L is the caller's to care for.
  std::uint32_t change(const Leg& leg);

  // The instrument's mark or staleness was changed in the catalog; `was_stale` is how it stood in the sums.
  void revalue(std::uint32_t instrument, bool was_stale);
  // The currency's rate was changed in the catalog; `before` is what it was.
  void reconvert(std::uint32_t currency, std::int64_t before);
  // Takes the firm's position in the instrument out of the sums of one aggregating node and adds it to another; kNoId: nowhere.
  void move_instrument(std::uint32_t instrument, std::uint32_t from_node, std::uint32_t to_node);

  // The largest |value| in the firm's currency over gross, e8.
  Int128 concentration(std::uint32_t node);

  // A new trade at its five position-holding nodes (FIRM first) and everything above them: what change(), folding the split of P&L
  // and count_trade() do, in one pass. Nodes without limits are touched only when their P&L may be a peak. `positions` are those
  // nodes' positions in the instrument; where there is none (kNoId) it is made.
  void add_trade(const Holders& nodes, Holders& positions, const TradeEffect& effect, const Tally& tally);

  // Raises the node's peak of day P&L when it is above. Exact, but the sum is only worked out when scaled_pnl says that it may be.
  void look_at_peak(std::uint32_t node);
  // The node's day P&L counts from here on, with neither a peak nor a largest trade.
  void begin_day(std::uint32_t node);
  // What `of` had when the day began was at the one node (kNoId: nowhere) and is at the other now.
  void move_day_base(std::uint32_t of, std::uint32_t from, std::uint32_t to);

  // Counts a trade command in the rates and largest trades of its nodes (kNoId: none there).
  void count_trade(std::span<const std::uint32_t> nodes, const Tally& tally);
  // Lets seconds leave the rate windows when time gets from `from` to `to`.
  void pass_time(Nanos from, Nanos to);
  // When the next second leaves a window, INT64_MAX when all are empty.
  Nanos rate_deadline(Nanos now) const;

  void touch(std::uint32_t node) {
    if (touched_in_[node] == round_) return;
    touched_in_[node] = round_;
    touched_.push_back(node);
  }
  // Of a node that has limits or is of a kind that is wanted (Changes).
  const Moved& moved(std::uint32_t node) const { return moved_[node]; }

  // The nodes touched since clear_touched(), each once, in no order.
  std::span<const std::uint32_t> touched() const { return touched_; }
  void clear_touched();

 private:
  // How far the sums of a bucket move; `scaled_pnl`: by how much that moves its node's.
  struct Shift {
    Money net = 0, long_exposure = 0, pnl = 0, stale = 0;
    Int128 scaled_pnl = 0;
  };
  // The shift from one value of a position to another at the same staleness.
  static Shift shift_of(Money before, Money after, Money cash, bool stale, std::int64_t rate);
  std::uint32_t bucket_of(std::uint32_t node, std::uint32_t currency);
  std::uint32_t make_position(std::uint32_t node, std::uint32_t instrument);
  // Moves the sums of a bucket in which the position now has a value of this size, and its node's P&L. Returns the node.
  NodeRecord& move(BucketRecord& bucket, const Shift& shift, std::uint32_t position, Money size);
  // Moves all buckets that sum up the position, and their nodes.
  void position_moved(std::uint32_t position, const PositionRecord& record, const Shift& shift, std::int64_t rate);
  // The same for one bucket.
  void move_node(std::uint32_t bucket, const Shift& shift, std::uint32_t position, Money value, std::int64_t rate);
  // Touches a node whose sums moved when it has limits or its P&L may be a peak; how far it moved counts for those who watch it.
  void look_at_moved(std::uint32_t id, const NodeRecord& node, const Shift& shift, std::int64_t rate);
  void prefetch_node(std::uint32_t node) const;
  void note_trade(const Holders& nodes, const Holders& positions, std::uint32_t instrument);
  void note_node(std::uint32_t node) {
    if (changes_.wants_node(state_.catalog.nodes[node].kind)) touch(node);
  }
  // The same by a new trade: its node counts it. `size`: |value|.
  void add_to_node(std::uint32_t bucket, const Shift& shift, std::uint32_t position, Money size, std::int64_t rate, const Tally& tally);
  // The buckets that sum up the firm's position in the instrument: instrument, underlying, sector, currency; kNoId for none.
  const std::array<std::uint32_t, 4>& buckets_above(std::uint32_t instrument);
  static bool may_be_peak(const NodeRecord& node) { return node.scaled_pnl >= node.peak_at; }
  // After peak_pnl or day_base changed.
  void set_peak_at(NodeRecord& node) const;
  void count(std::uint32_t id, NodeRecord& node, const Tally& tally);
  void find_largest(std::uint32_t bucket);

  State& state_;
  Changes& changes_;
  struct AboveFirm {
    bool known = false;
    std::array<std::uint32_t, 4> buckets{kNoId, kNoId, kNoId, kNoId};
  };
  PairMap position_at_;
  std::vector<AboveFirm> above_firm_;
  std::vector<std::vector<std::uint32_t>> positions_of_instrument_;
  std::vector<std::vector<std::uint32_t>> buckets_of_currency_;
  std::vector<std::uint32_t> rated_;  // nodes whose rate is not zero
  std::vector<std::uint32_t> touched_;
  std::vector<Moved> moved_;
  std::vector<std::uint64_t> touched_in_;  // the round in which a node was touched last
  std::uint64_t round_ = 1;
};

}  // namespace halocline
