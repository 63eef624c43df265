// Words for refusals: which field, what was wrong.
//
//   refusal_detail(Outcome::kUnknownBook, trade)   →   book "EQ9" is not known
//
// Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "command/command.h"
#include "command/outcome.h"

namespace halocline::rpc {

// A sentence for a command that the engine refused; empty for an outcome that is no refusal.
std::string refusal_detail(Outcome outcome, const Command& command);
std::string refusal_detail(Outcome outcome, const Trade& trade);

// The text in quotes, control characters as \xNN.
std::string quoted(std::string_view text);

}  // namespace halocline::rpc
