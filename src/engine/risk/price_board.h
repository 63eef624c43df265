// Marks and FX rates: takes prices, and knows when a mark becomes stale. docs/semantics.md, "Prices".
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "command/outcome.h"
#include "engine/risk/exposure.h"
#include "engine/state/changes.h"
#include "engine/state/state.h"

namespace halocline {

class PriceBoard {
 public:
  PriceBoard(State& state, Exposure& exposure, Changes& changes) : state_(state), exposure_(exposure), changes_(changes) {}

  void instrument_added(std::uint32_t instrument);
  // The state came from elsewhere: arms its marks.
  void resume();

  Outcome apply(const Price& price);
  Outcome apply(const FxRate& rate);

  // `currency` may be kNoId, for one that is to be added.
  bool valid_rate(std::uint32_t currency, std::int64_t rate) const;
  // False when it had that rate.
  bool set_rate(std::uint32_t currency, std::int64_t rate);
  void set_stale_after(std::uint32_t instrument, std::int64_t stale_after);

  // Marks whose time has come, up to the state's time, become stale.
  void pass_time();
  // When the next mark may become stale, INT64_MAX when none will.
  Nanos stale_deadline() const;

 private:
  Nanos stale_from(std::uint32_t instrument) const;
  void arm(std::uint32_t instrument);

  struct Due {
    Nanos time;
    std::uint32_t instrument;
    bool operator>(const Due& other) const { return time > other.time; }
  };

  State& state_;
  Exposure& exposure_;
  Changes& changes_;
  // At most one entry of an instrument counts: the one at armed_[instrument]. A price later than that does not queue another: the entry
  // is put off when its time comes, so a tick costs nothing here.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> stale_;
  std::vector<Nanos> armed_;
};

}  // namespace halocline
