#include "command/command.h"

#include <array>
#include <cstddef>

namespace halocline {
namespace {

template <std::size_t N>
std::string_view name_at(const std::array<std::string_view, N>& names, std::size_t index) {
  return index < N ? names[index] : std::string_view();
}

// The place of a name; 0 when it is not there, which is no valid value of any of the enums.
template <std::size_t N>
std::size_t place_of(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 1; i < N; ++i) {
    if (names[i] == name) return i;
  }
  return 0;
}

constexpr std::array<std::string_view, kCommandTypeCount> kTypes{
    "",         "TIMER",      "TRADE",  "PRICE",      "FX_RATE", "FIRM",         "CURRENCY", "DESK", "BOOK", "TRADER",
    "COUNTERPARTY", "INSTRUMENT", "RENAME", "END_OF_DAY", "LIMIT",   "LIMIT_REMOVE", "ALERT_ACK", "TRADE_REPORT",
    "FIX_RECEIVED", "FIX_SENT", "FIX_RESERVED", "FIX_RESET", "QUERY_CREATE", "QUERY_DROP"};
constexpr std::array<std::string_view, kNodeKindCount> kKinds{
    "", "firm", "desk", "book", "trader", "counterparty", "instrument", "underlying", "sector", "currency"};
constexpr std::array<std::string_view, kMeasureCount> kMeasures{
    "",         "net",           "gross",         "long",       "short", "day_loss", "total_loss",
    "drawdown", "concentration", "largest_trade", "trade_rate", "stale"};
constexpr std::array<std::string_view, 4> kInstrumentKinds{"", "equity", "future", "fx_pair"};
constexpr std::array<std::string_view, 4> kActions{"", "NEW", "AMEND", "CANCEL"};
constexpr std::array<std::string_view, 3> kLevels{"NONE", "WARN", "BREACH"};
constexpr std::array<std::string_view, 3> kSides{"", "BUY", "SELL"};

}  // namespace

CommandType type_of(const Command& command) { return static_cast<CommandType>(command.index() + 1); }

std::string_view type_name(CommandType type) { return name_at(kTypes, static_cast<std::size_t>(type)); }
std::string_view kind_name(NodeKind kind) { return name_at(kKinds, static_cast<std::size_t>(kind)); }
std::string_view measure_name(Measure measure) { return name_at(kMeasures, static_cast<std::size_t>(measure)); }
std::string_view instrument_kind_name(InstrumentKind kind) {
  return name_at(kInstrumentKinds, static_cast<std::size_t>(kind));
}
std::string_view action_name(Action action) { return name_at(kActions, static_cast<std::size_t>(action)); }
std::string_view level_name(AlertLevel level) { return name_at(kLevels, static_cast<std::size_t>(level)); }
std::string_view side_name(Side side) { return name_at(kSides, static_cast<std::size_t>(side)); }

NodeKind kind_from(std::string_view name) { return static_cast<NodeKind>(place_of(kKinds, name)); }
Measure measure_from(std::string_view name) { return static_cast<Measure>(place_of(kMeasures, name)); }
InstrumentKind instrument_kind_from(std::string_view name) {
  return static_cast<InstrumentKind>(place_of(kInstrumentKinds, name));
}
Action action_from(std::string_view name) { return static_cast<Action>(place_of(kActions, name)); }
Side side_from(std::string_view name) { return static_cast<Side>(place_of(kSides, name)); }

}  // namespace halocline
