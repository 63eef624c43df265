#include "cli/cli.h"

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/text.h"
#include "client/server_address.h"

namespace halocline::cli {
namespace {

// CLI11 says that an argument was not expected; people want to know what they could have meant.
void suggest(const CLI::App& app, int argc, char** argv) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.empty() || word[0] == '-') {
      if (!word.starts_with("--")) continue;
      const std::string typed = word.substr(0, word.find('='));
      std::vector<std::string> known;
      for (const CLI::Option* option : at->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
      if (std::find(known.begin(), known.end(), typed) != known.end()) continue;
      if (const std::string meant = closest(typed, known); !meant.empty()) {
        std::fprintf(stderr, "halocline: did you mean %s?\n", meant.c_str());
        return;
      }
      continue;
    }
    std::vector<std::string> known;
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : at->get_subcommands({})) {
      known.push_back(sub->get_name());
      if (sub->get_name() == word) next = sub;
    }
    if (next == nullptr) {
      if (const std::string meant = closest(word, known); !meant.empty() && meant != word) {
        std::fprintf(stderr, "halocline: did you mean `%s`?\n", meant.c_str());
      }
      return;
    }
    at = next;
  }
}

}  // namespace

int run(int argc, char** argv) {
  Session session;
  CLI::App app("Halocline: positions, P&L, exposures and limits, current to the last event and exact at every one.", "halocline");
  app.set_version_flag("--version", "halocline " HALOCLINE_VERSION);
  app.require_subcommand(1);
  app.footer("Example: halocline serve &  halocline ref load floor.toml  halocline trade --csv trades.csv  halocline nodes\n"
             "`halocline COMMAND --help` has an example each; exit codes and output are described in docs/cli.md.");
  app.get_formatter()->column_width(34);
  add_serve(app, session);
  add_trade(app, session);
  add_price(app, session);
  add_fx(app, session);
  add_ref(app, session);
  add_limit(app, session);
  add_alerts(app, session);
  add_ack(app, session);
  add_positions(app, session);
  add_nodes(app, session);
  add_query(app, session);
  add_watch(app, session);
  add_diff(app, session);
  add_backtest(app, session);
  add_eod(app, session);
  add_fix(app, session);
  add_status(app, session);
  add_journal(app, session);
  add_audit(app, session);
  add_bench(app, session);
  add_config(app, session);
  add_completion(app, session);
  if (argc == 1) {
    std::fputs(app.help().c_str(), stderr);
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "halocline: %s\n", error.what());
    suggest(app, argc, argv);
    const CLI::App* at = &app;
    std::string path = "halocline";
    while (!at->get_subcommands().empty()) {
      at = at->get_subcommands().front();
      path += " " + at->get_name();
    }
    std::fprintf(stderr, "Run `%s --help` for more.\n", path.c_str());
    return kUsage;
  }
  if (const auto address = parse_server_address(session.server); !address.ok()) return usage_error(address.status().message());
  const int code = session.action();
  if (std::fflush(stdout) != 0 && code == kDone) return kFailed;  // a full disk behind a redirection
  return code;
}

}  // namespace halocline::cli
