// The messages we answer with: TradeCaptureReportAck, BusinessMessageReject and Reject, from what a message was and what became of it. Pure
// functions. docs/fix.md, "What becomes of a message".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command/fix.h"
#include "gateways/fix/mapping.h"
#include "gateways/fix/session_machine.h"

namespace halocline::fix {

struct Reply {
  std::string type;  // MsgType
  std::vector<TagValue> body;
};

// To a message whose commands the engine has seen. `records`: its FixReceived and the commands, framed.
Reply reply_to(std::span<const std::byte> records, ToldOutcome told, const MappingRules& rules);
// To a message that became no commands.
Reply reply_to_refused(const Message& message, const Mapped& mapped);
// To one that breaks the session's rules: a Reject.
Reply reject_of(const Message& message, const Mapped& mapped);

// "UNKNOWN_BOOK: no book "B9" (tag 1)": an outcome and what it is about.
std::string outcome_text(Outcome outcome, const Command& command, const MappingRules& rules);

}  // namespace halocline::fix
