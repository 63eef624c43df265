// A journaled command as JSON and as one line of text, for `journal inspect`.
#pragma once

#include <string>

#include "cli/json.h"
#include "command/command.h"

namespace halocline::cli {

Json command_json(const Command& command);  // {"type": "TRADE", …fields}, decimals as text
std::string command_line(const Command& command);

}  // namespace halocline::cli
