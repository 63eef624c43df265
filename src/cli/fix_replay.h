// A FIX log into a server: its messages mapped as a session would, sent over gRPC, with a summary and every refused one with its line and
// reason.
#pragma once

#include <string>

#include "cli/fix_log.h"
#include "cli/session.h"

namespace halocline::cli {

// `real`: with the pauses that lie between the messages' SendingTimes. The exit code: kDone when everything is in effect, kRefused when a
// message was refused.
int replay_fix(const Session& session, const std::string& path, FixRules& rules, bool real);

}  // namespace halocline::cli
