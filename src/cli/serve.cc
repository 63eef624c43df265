#include "server/serve.h"

#include "cli/commands.h"
#include "cli/server_config.h"

namespace halocline::cli {

void add_serve(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("serve", "run the server until SIGTERM or Ctrl-C");
  command->footer(
      "Examples:\n  halocline serve\n"
      "  halocline serve --config halocline.toml --set server.listen=127.0.0.1:0 --set journal.durability=os");
  auto flags = std::make_shared<ConfigFlags>();
  add_config_options(*command, *flags);
  command->callback([flags, &session] {
    session.action = [flags] {
      const Result<Config> config = load_server_config(*flags);
      return config.ok() ? halocline::serve(config.value()) : report(config.status());
    };
  });
}

}  // namespace halocline::cli
