// The server's configuration as `serve` and `config` load it: file, environment, then --set on top.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "server/config.h"

namespace halocline::cli {

class Verb;

struct ConfigFlags {
  std::string file;                    // empty: none
  std::vector<std::string> settings;  // "section.key=value"
};

void add_config_options(Verb& command, ConfigFlags& flags);
// kInvalidArgument with what was wrong, also for a file that is not there.
Result<Config> load_server_config(const ConfigFlags& flags);

}  // namespace halocline::cli
