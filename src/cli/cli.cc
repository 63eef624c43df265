#include "cli/cli.h"

#include <algorithm>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "client/server_address.h"

namespace halocline::cli {
namespace {

// What was not expected is said by the parser; people want to know what they could have meant.
void suggest(const CommandLine& line, int argc, char** argv) {
  const Verb* at = &line;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.empty() || word[0] == '-') {
      if (!word.starts_with("--")) continue;
      const std::string typed = word.substr(0, word.find('='));
      std::vector<std::string> known;
      for (Verb::Word& option : at->long_options()) known.push_back(std::move(option.name));
      if (std::find(known.begin(), known.end(), typed) != known.end()) continue;
      if (const std::string meant = closest(typed, known); !meant.empty()) {
        std::fprintf(stderr, "halocline: did you mean %s?\n", meant.c_str());
        return;
      }
      continue;
    }
    std::vector<std::string> known;
    const Verb* next = nullptr;
    for (const Verb* sub : at->subcommands()) {
      known.push_back(sub->name());
      if (sub->name() == word) next = sub;
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
  CommandLine app("halocline", "Halocline: positions, P&L, exposures and limits, current to the last event and exact at every one.",
                  "halocline " HALOCLINE_VERSION);
  app.require_subcommand();
  app.footer("Example: halocline serve &  halocline ref load floor.toml  halocline trade --csv trades.csv  halocline nodes\n"
             "`halocline COMMAND --help` has an example each; exit codes and output are described in docs/cli.md.");
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
  const CommandLine::Parsed parsed = app.parse(argc, argv);
  if (!parsed.error.empty()) {
    std::fprintf(stderr, "halocline: %s\n", parsed.error.c_str());
    suggest(app, argc, argv);
    std::string path = "halocline";
    for (const Verb* at = app.chosen(); at != nullptr; at = at->chosen()) path += " " + at->name();
    std::fprintf(stderr, "Run `%s --help` for more.\n", path.c_str());
    return kUsage;
  }
  if (!parsed.go_on) return kDone;
  if (const auto address = parse_server_address(session.server); !address.ok()) return usage_error(address.status().message());
  const int code = session.action();
  if (std::fflush(stdout) != 0 && code == kDone) return kFailed;  // a full disk behind a redirection
  return code;
}

}  // namespace halocline::cli
