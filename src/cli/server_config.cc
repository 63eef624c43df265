#include "cli/server_config.h"

#include "cli/command_line.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

std::string variable_of(const ConfigKey& key) {
  std::string name = std::string("HALOCLINE_") + key.section + "_" + key.name;
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace

void add_config_options(Verb& command, ConfigFlags& flags) {
  if (const char* file = std::getenv("HALOCLINE_CONFIG"); file != nullptr) flags.file = file;
  command.add_option("--config", flags.file, "a TOML file (or HALOCLINE_CONFIG); `config show --example` describes every key");
  command.add_option("--set", flags.settings, "SECTION.KEY=VALUE, before file and environment; may be given again")
      ->one_at_a_time();
}

Result<Config> load_server_config(const ConfigFlags& flags) {
  // A setting stands in the place of its environment variable.
  std::vector<std::string> environment = process_environment();
  std::vector<std::size_t> set;
  for (const std::string& setting : flags.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) return Status(Code::kInvalidArgument, "--set \"" + setting + "\" is not SECTION.KEY=VALUE");
    const std::string name = setting.substr(0, equals);
    const auto keys = config_keys();
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.full_name() == name; });
    if (found == keys.end()) {
      std::vector<std::string> known;
      for (const ConfigKey& key : keys) known.push_back(key.full_name());
      const std::string meant = closest(name, known);
      return Status(Code::kInvalidArgument, "--set: unknown key " + name + (meant.empty() ? "; `halocline config show` lists all"
                                                                                         : ": did you mean " + meant + "?"));
    }
    const std::string variable = variable_of(*found) + "=";
    std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(variable); });
    environment.push_back(variable + setting.substr(equals + 1));
    set.push_back(static_cast<std::size_t>(found - keys.begin()));
  }
  Result<Config> config = load_config(flags.file, environment);
  if (!config.ok()) {
    std::string message = config.status().message();
    for (const std::size_t key : set) {
      const std::string place = "environment " + variable_of(config_keys()[key]) + ": ";
      if (message.starts_with(place)) message.replace(0, place.size(), "--set: ");
    }
    // A file that is not there is a wrong command line, not a missing thing.
    return Status(config.status().code() == Code::kNotFound ? Code::kInvalidArgument : config.status().code(), message);
  }
  for (const std::size_t key : set) {
    if (key < config.value().origins.size()) config.value().origins[key] = "--set";
  }
  return config;
}

}  // namespace halocline::cli
