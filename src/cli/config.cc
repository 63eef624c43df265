#include "cli/commands.h"
#include "cli/json.h"
#include "cli/server_config.h"
#include "cli/table.h"

namespace halocline::cli {

void add_config(Verb& app, Session& session) {
  Verb* config_command = app.add_subcommand("config", "check or show the server's configuration");
  config_command->require_subcommand();
  config_command->footer("Example: halocline config show --config halocline.toml");
  auto flags = std::make_shared<ConfigFlags>();

  Verb* check = config_command->add_subcommand("check", "whether serve would take it; says what is wrong and where");
  check->footer("Example: halocline config check --config halocline.toml");
  add_config_options(*check, *flags);
  check->callback([flags, &session] {
    session.action = [flags] {
      const Result<Config> config = load_server_config(*flags);
      if (!config.ok()) return report(config.status());
      std::printf("%s\n", flags->file.empty() ? "The configuration is right." : (flags->file + " is right.").c_str());
      return static_cast<int>(kDone);
    };
  });

  Verb* show = config_command->add_subcommand("show", "every key with its value and where that comes from");
  show->footer("Examples:\n  halocline config show --set journal.durability=os\n  halocline config show --example > halocline.toml");
  auto example = std::make_shared<bool>(false);
  add_config_options(*show, *flags);
  show->add_flag("--example", *example, "print a commented file with all defaults instead");
  add_json_option(*show, session);
  show->callback([flags, example, &session] {
    session.action = [flags, example, &session] {
      if (*example) return std::fputs(example_toml().c_str(), stdout), static_cast<int>(kDone);
      const Result<Config> config = load_server_config(*flags);
      if (!config.ok()) return report(config.status());
      Table table({{"key"}, {"value"}, {"from"}});
      Json json = Json::object();
      for (const EffectiveValue& value : effective_values(config.value())) {
        json[value.key] = Json{{"value", value.value}, {"from", value.origin}};
        table.add({value.key, value.value, {value.origin, Style::kDim}});
      }
      session.json ? print_json(json) : table.print(stdout);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace halocline::cli
