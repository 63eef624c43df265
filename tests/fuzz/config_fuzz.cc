// Any bytes as a configuration: the text of the file up to the first zero byte, then variables of the environment, each ended by one.
// What must hold: it is refused with a message, or the effective values written out as TOML are taken again and say the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "server/config.h"

namespace {

using namespace halocline;

std::string to_toml(const std::vector<EffectiveValue>& values) {
  std::string text, section;
  for (const EffectiveValue& value : values) {
    const std::size_t dot = value.key.find('.');
    if (value.key.substr(0, dot) != section) {
      section = value.key.substr(0, dot);
      text += "[" + section + "]\n";
    }
    text += value.key.substr(dot + 1) + " = " + value.value + "\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> parts;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (;;) {
    const std::size_t zero = rest.find('\0');
    parts.emplace_back(rest.substr(0, zero));
    if (zero == std::string_view::npos) break;
    rest.remove_prefix(zero + 1);
  }
  const std::vector<std::string> environment(parts.begin() + 1, parts.end());
  const Result<Config> config = parse_config(parts[0], "fuzz.toml", environment);
  if (!config.ok()) {
    CHECK(!config.status().message().empty(), "a refusal without a message");
    return 0;
  }
  const std::vector<EffectiveValue> values = effective_values(config.value());
  const std::string toml = to_toml(values);
  const Result<Config> again = parse_config(toml, "again.toml", {});
  CHECK(again.ok(), "what `config show` says is refused: %s\n%s", again.status().message().c_str(), toml.c_str());
  const std::vector<EffectiveValue> same = effective_values(again.value());
  CHECK(values.size() == same.size(), "%zu values became %zu", values.size(), same.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(values[i].key == same[i].key && values[i].value == same[i].value, "%s was %s and is %s", values[i].key.c_str(),
          values[i].value.c_str(), same[i].value.c_str());
  }
  return 0;
}
