// What became of a command. Normal values that are counted and returned to the sender, never exceptions.
// The numbers are part of the API (api/halocline/v1/types.proto carries the same) and never change.
#pragma once

#include <cstdint>
#include <string_view>

namespace halocline {

enum class Outcome : std::uint8_t {
  kNone = 0,
  // The command is in effect.
  kAccepted = 1,
  kTombstone = 2,  // a cancel of a trade not seen before: kept, so that the late trade is STALE
  kUnchanged = 3,  // reference data or a limit that says what already holds
  kParked = 6,     // a trade report that waits for its instrument
  // The sender has nothing to do: the engine knows as much or more.
  kDuplicate = 4,  // the same version with the same content; first_seq says when it was accepted
  kStale = 5,      // an older version, price or date than the current one
  // Refused; state is as it was.
  kConflict = 16,  // the same version with other content
  kNoFirm = 17,
  kAlreadySet = 18,
  kInvalidName = 19,
  kInvalidVersion = 20,
  kInvalidAction = 21,
  kInvalidSide = 22,
  kInvalidQuantity = 23,
  kInvalidPrice = 24,
  kInvalidRate = 25,
  kInvalidLimit = 26,
  kOutOfRange = 27,
  kUnknownBook = 28,
  kUnknownTrader = 29,
  kUnknownCounterparty = 30,
  kUnknownInstrument = 31,
  kUnknownCurrency = 32,
  kUnknownDesk = 33,
  kUnknownName = 34,
  kUnknownNode = 35,
  kUnknownLimit = 36,
  kUnknownAlert = 37,
  kImmutableField = 38,
  kNameTaken = 39,
  kAlertCleared = 40,
  kAlreadyAcknowledged = 41,
  kTooMany = 42,
  kWrongDesk = 43,      // the book is of another desk than the report says
  kWrongCurrency = 44,  // the instrument is in another currency than the report says
  kInvalidQuery = 45,   // the text is wrong, or its answer is beyond a bound
  kUnknownQuery = 46,
};

inline constexpr int kOutcomeCount = 47;

// Whether the command is in effect now, by itself or by an earlier equal one.
constexpr bool is_refused(Outcome outcome) { return outcome >= Outcome::kConflict; }

// "ACCEPTED", "UNKNOWN_BOOK", …; "" for a number without a meaning.
std::string_view outcome_name(Outcome outcome);

}  // namespace halocline
