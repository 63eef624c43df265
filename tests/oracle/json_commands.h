// Commands as JSON lines, the format of compare.py: one way from text to commands for all drivers of tests.
#pragma once

#include <nlohmann/json.hpp>

#include "command/command.h"

namespace halocline::testing {

// The texts of the command are views into `in`, which must outlive it. Ends the program when it is no command.
Command command_of(const nlohmann::json& in);

// Whether the codec takes it: texts that the gateways must have refused have no encoding.
bool encodable(const nlohmann::json& in);

}  // namespace halocline::testing
