// A text as a JSON string, quotes included: control characters escaped, all other bytes as they are.
#pragma once

#include <string>
#include <string_view>

namespace halocline {

void append_quoted(std::string& out, std::string_view text);

}  // namespace halocline
