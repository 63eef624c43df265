// What a FIX application message becomes: trade reports and prices, or why it becomes none. A pure function of the message and the
// session's rules; used by the sessions, `halocline fix map` and `halocline fix replay`. The rules are docs/fix.md, "What becomes of a
// message".
//
//   Mapping mapping(rules);
//   Mapped mapped = mapping.map(message, records);   // the commands, encoded, are appended to `records`
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "command/command.h"
#include "gateways/fix/message.h"
#include "gateways/fix/tag_rule.h"

namespace halocline::fix {

struct MappingRules {
  std::string source;
  bool park = false;  // wait for an unknown instrument
  TagRule book, trader, counterparty, desk, instrument, currency;
  TagRule id_day;  // where the day stands that goes before the ids: "20261124/E1"; empty: ids are for ever
};
inline constexpr std::size_t kIdDayBytes = 9;

enum class Fate : std::uint8_t {
  kCommands,  // it became commands
  kIgnored,   // it is of no interest, by the rules
  kRefused,   // it cannot be used: BusinessMessageReject, or TradeCaptureReportAck for a report that has an id
  kMalformed  // a field breaks the session's rules: Reject
};

// SessionRejectReason(373) of what is malformed.
enum class Malformed : std::uint8_t { kNone = 0, kMissing = 1, kWrongValue = 5, kWrongFormat = 6, kTwice = 13, kGroupCount = 16 };

// BusinessRejectReason(380).
enum class BusinessReason : std::uint8_t { kOther = 0, kUnknownId = 1, kUnknownSecurity = 2, kUnsupportedType = 3, kFieldMissing = 5 };

struct Mapped {
  Fate fate = Fate::kCommands;
  std::uint16_t commands = 0;
  FixReply reply = FixReply::kNone;  // of the commands
  int tag = 0;                       // refused or malformed: the field it is about, 0 for none
  Malformed malformed = Malformed::kNone;
  BusinessReason reason = BusinessReason::kOther;
  std::string text;        // refused, ignored: why, for a person
  std::string_view about;  // the message's own id: ExecID, TradeReportID, MDReqID
  bool acknowledged = false;  // it is answered by a TradeCaptureReportAck
};

// A field of a command, and where in the message it stood.
struct MappedField {
  std::uint16_t command = 0;  // which of the message's, from 0
  std::string field, value;   // by the names of docs/semantics.md
  std::string from;           // "tag 1", "party:12", …
};

class Mapping {
 public:
  explicit Mapping(MappingRules rules) : rules_(std::move(rules)) {}

  // `why`, when given, gets each field as far as the message was read.
  Mapped map(const Message& message, std::vector<std::byte>& records, std::vector<MappedField>* why = nullptr) const;

  // What a reply repeats of the message and its commands do not say, as FIX text of at most limits::kMaxFixAnswer bytes: tags of a
  // TradeCaptureReport for its TradeCaptureReportAck, the MDReqID of market data.
  static std::string echo(const Message& message);

  const MappingRules& rules() const { return rules_; }

  static constexpr std::size_t kMostCommands = 500;  // of a message: entries of market data

 private:
  MappingRules rules_;
};

}  // namespace halocline::fix
