// What changed in the books, as those who keep a copy of them are told.
#pragma once

#include <cstdint>
#include <functional>

#include "command/rows.h"

namespace halocline {

enum class TradeStanding : std::uint8_t {
  kLive,
  kCancelled,
  kTombstone,  // cancelled before it was seen: no fields
  kGone,       // merged into another trade: there is no row any more
};

struct TradeChange {
  std::uint64_t number = 0;  // from 0 without gaps, in the order in which trades were first seen; it stays, also when the key changes
  TradeStanding standing = TradeStanding::kLive;
  TradeRow row;              // as it is now; of a gone one nothing
};

using TradeVisitor = std::function<void(const TradeChange&)>;
using PositionVisitor = std::function<void(const PositionRow&)>;  // as it is now; without trades: it is closed
using NodeVisitor = std::function<void(const NodeRow&)>;

}  // namespace halocline
