// Positions and the sums above them: keeps every position, its node's currency bucket and the node's measures right after each
// change, doing work only where something changed. A trade touches nine nodes, a price the positions in its
// instrument, an FX rate the buckets of its currency.
//
// Each command: change things, then take touched() (sorted by node id), look at peaks and limits, then clear_touched().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/pair_map.h"
#include "engine/state/state.h"

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

class Exposure {
 public:
  explicit Exposure(State& state) : state_(state) {}

  // A new node, instrument or currency: make room for it in the lists. Call after adding it to the catalog.
  void node_added(std::uint32_t node);
  void instrument_added(std::uint32_t instrument);
  void currency_added(std::uint32_t currency);

  std::uint32_t find_position(std::uint32_t node, std::uint32_t instrument) const { return position_at_.find(node, instrument); }
  // Tells the processor to fetch what find_position() will look at.
  void prefetch_position(std::uint32_t node, std::uint32_t instrument) const { position_at_.prefetch(node, instrument); }
  // Whether the position (kNoId: none yet) may take the change: its bound (limits::kMaxPositionQuantity), unless it comes nearer to zero.
  bool within_bound(const Leg& leg) const;
  // Changes a position (made when there is none) and all sums above it. For a FIRM position the instrument's,
  // underlying's, sector's and currency's nodes as well. Returns the position's id. Its split of P&L is the caller's to care for.
  std::uint32_t change(const Leg& leg);

  // The instrument's mark or staleness was changed in the catalog; `was_stale` is how it stood in the sums.
  void revalue(std::uint32_t instrument, bool was_stale);
  // The currency's rate was changed in the catalog.
  void reconvert(std::uint32_t currency);
  // Takes the firm's position in the instrument out of the sums of one aggregating node and adds it to another; kNoId: nowhere.
  void move_instrument(std::uint32_t instrument, std::uint32_t from_node, std::uint32_t to_node);

  // The largest |value| in the firm's currency over gross, e8.
  Int128 concentration(std::uint32_t node);

  // Counts a trade command of this size in the rates and largest trades of its nodes (kNoId: none there), for the second of `time`.
  void count_trade(std::span<const std::uint32_t> nodes, Nanos time, Money size);
  // Lets seconds leave the rate windows when time gets from `from` to `to`.
  void pass_time(Nanos from, Nanos to);
  // When the next second leaves a window, INT64_MAX when all are empty.
  Nanos rate_deadline(Nanos now) const;

  void touch(std::uint32_t node) {
    if (touched_in_[node] == round_) return;
    touched_in_[node] = round_;
    touched_.push_back(node);
  }
  std::span<const std::uint32_t> touched();
  void clear_touched();

 private:
  struct Sums {
    Money net = 0, long_exposure = 0, short_exposure = 0, cash = 0, stale = 0;
  };
  static Sums sums_of(Money value, Money cash, bool stale);
  static Sums difference(const Sums& after, const Sums& before);
  std::uint32_t bucket_of(std::uint32_t node, std::uint32_t currency);
  std::uint32_t make_position(std::uint32_t node, std::uint32_t instrument);
  void add_to_bucket(std::uint32_t bucket, const Sums& change, std::uint32_t position, Money value);
  void convert(BucketRecord& bucket);
  void position_changed(std::uint32_t position, const Sums& change);
  void find_largest(std::uint32_t bucket);

  State& state_;
  // The buckets of a firm position's instrument, underlying, sector and currency node; kNoId until first used.
  struct AboveFirm {
    std::uint32_t buckets[4] = {kNoId, kNoId, kNoId, kNoId};
  };
  PairMap position_at_;
  std::vector<AboveFirm> above_firm_;
  std::vector<std::vector<std::uint32_t>> positions_of_instrument_;
  std::vector<std::vector<std::uint32_t>> buckets_of_currency_;
  std::vector<std::uint32_t> rated_;  // nodes whose rate is not zero
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint64_t> touched_in_;  // the round in which a node was touched last
  std::uint64_t round_ = 1;
};

}  // namespace halocline
