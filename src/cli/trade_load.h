// Many trades from CSV or JSON lines over a TradeStream, with progress, a summary by outcome, and every refused row with
// its line and reason.
#pragma once

#include <string>

#include "cli/session.h"

namespace halocline::cli {

enum class TradeFormat { kCsv, kJsonLines };

// The exit code: kDone when all rows are in effect, kRefused when a row was refused or was none, kUsage when the file
// could not be read as such at all (nothing, or nothing more, was sent then).
int load_trades(const Session& session, const std::string& path, TradeFormat format);

}  // namespace halocline::cli
