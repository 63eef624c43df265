#include "command/outcome.h"

#include <array>

namespace halocline {
namespace {

constexpr std::array<std::string_view, kOutcomeCount> make_names() {
  std::array<std::string_view, kOutcomeCount> names{};
  auto set = [&names](Outcome outcome, std::string_view name) { names[static_cast<std::size_t>(outcome)] = name; };
  set(Outcome::kNone, "NONE");
  set(Outcome::kAccepted, "ACCEPTED");
  set(Outcome::kTombstone, "TOMBSTONE");
  set(Outcome::kUnchanged, "UNCHANGED");
  set(Outcome::kDuplicate, "DUPLICATE");
  set(Outcome::kStale, "STALE");
  set(Outcome::kParked, "PARKED");
  set(Outcome::kConflict, "CONFLICT");
  set(Outcome::kNoFirm, "NO_FIRM");
  set(Outcome::kAlreadySet, "ALREADY_SET");
  set(Outcome::kInvalidName, "INVALID_NAME");
  set(Outcome::kInvalidVersion, "INVALID_VERSION");
  set(Outcome::kInvalidAction, "INVALID_ACTION");
  set(Outcome::kInvalidSide, "INVALID_SIDE");
  set(Outcome::kInvalidQuantity, "INVALID_QUANTITY");
  set(Outcome::kInvalidPrice, "INVALID_PRICE");
  set(Outcome::kInvalidRate, "INVALID_RATE");
  set(Outcome::kInvalidLimit, "INVALID_LIMIT");
  set(Outcome::kOutOfRange, "OUT_OF_RANGE");
  set(Outcome::kUnknownBook, "UNKNOWN_BOOK");
  set(Outcome::kUnknownTrader, "UNKNOWN_TRADER");
  set(Outcome::kUnknownCounterparty, "UNKNOWN_COUNTERPARTY");
  set(Outcome::kUnknownInstrument, "UNKNOWN_INSTRUMENT");
  set(Outcome::kUnknownCurrency, "UNKNOWN_CURRENCY");
  set(Outcome::kUnknownDesk, "UNKNOWN_DESK");
  set(Outcome::kUnknownName, "UNKNOWN_NAME");
  set(Outcome::kUnknownNode, "UNKNOWN_NODE");
  set(Outcome::kUnknownLimit, "UNKNOWN_LIMIT");
  set(Outcome::kUnknownAlert, "UNKNOWN_ALERT");
  set(Outcome::kImmutableField, "IMMUTABLE_FIELD");
  set(Outcome::kNameTaken, "NAME_TAKEN");
  set(Outcome::kAlertCleared, "ALERT_CLEARED");
  set(Outcome::kAlreadyAcknowledged, "ALREADY_ACKNOWLEDGED");
  set(Outcome::kTooMany, "TOO_MANY");
  set(Outcome::kWrongDesk, "WRONG_DESK");
  set(Outcome::kWrongCurrency, "WRONG_CURRENCY");
  set(Outcome::kInvalidQuery, "INVALID_QUERY");
  set(Outcome::kUnknownQuery, "UNKNOWN_QUERY");
  return names;
}

constexpr auto kNames = make_names();

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  const auto index = static_cast<std::size_t>(outcome);
  return index < kNames.size() ? kNames[index] : std::string_view();
}

}  // namespace halocline
