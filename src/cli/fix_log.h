// FIX messages out of a log, and the session whose rules they are mapped by. The mapping is the gateway's own.
//
//   LineReader lines(file);
//   while (lines.next(line)) if (message_in(line, text) && message.parse(text)) map(rules.of(message), message);
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/status.h"
#include "cli/server_config.h"
#include "gateways/fix/mapping.h"
#include "gateways/fix/message.h"
#include "gateways/fix/replies.h"
#include "server/fix_terms.h"

namespace halocline::cli {

// The FIX message in a line: from "8=FIX" on, with the SOH, "|" or "^A" between its tags as SOH, up to CheckSum. False when there is none.
bool message_in(std::string_view line, std::string& text);

// What the sender of a message that cannot be used is told at once; what the engine refuses comes later.
std::optional<fix::Reply> answer_to(const fix::Message& message, const fix::Mapped& mapped);
// Why a message became nothing, in the words of that answer; empty when it became something.
std::string why_not(const fix::Message& message, const fix::Mapped& mapped);

// Which session a message is of.
class FixRules {
 public:
  // From the configuration: the sessions' rules, or, without sessions, the default rules with SenderCompID as the source. `only`: always
  // this session's. kInvalidArgument: the configuration is wrong, or has no session of that name.
  static Result<FixRules> load(const ConfigFlags& flags, const std::string& only);

  struct Session {
    std::string name;
    fix::Mapping mapping;
  };
  // nullptr: the message is of no session, or one that we sent.
  const Session* of(const fix::Message& message);

 private:
  std::vector<FixSessionTerms> terms_;
  bool only_ = false;
  std::map<std::tuple<std::string, std::string, std::string>, Session> by_ids_;  // version, sender, target
};

}  // namespace halocline::cli
