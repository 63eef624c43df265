// Include before <toml++/toml.h>. The parser asserts on some inputs that it should refuse ("[[["): here that is an exception,
// caught where its parse errors are.
#pragma once

#include <stdexcept>
#include <string>

namespace halocline {

struct TomlAssertion : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr void toml_assert(bool holds, const char* condition) {
  if (!holds) throw TomlAssertion(std::string("not TOML (") + condition + ")");
}

}  // namespace halocline

#define TOML_ASSERT(condition) ::halocline::toml_assert(static_cast<bool>(condition), #condition)
