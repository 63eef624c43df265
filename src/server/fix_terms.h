// What the [[fix.session]] entries of a configuration come to: the terms that the FIX gateway takes. Pure functions.
#pragma once

#include <vector>

#include "base/status.h"
#include "gateways/fix/fix_gateway.h"
#include "server/config.h"

namespace halocline {

// kInvalidArgument: the entry, with its place, and what is wrong in it.
Result<std::vector<FixSessionTerms>> fix_session_terms(const Config& config);

// Everything the gateway wants to know.
Result<FixOptions> fix_options(const Config& config);

}  // namespace halocline
