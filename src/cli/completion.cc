// Shell completion, made from the command line itself, so that it can't be out of date.
#include "cli/commands.h"

namespace halocline::cli {
namespace {

struct Words {
  std::string path;  // "", "limit", "limit set"
  std::vector<Verb::Word> commands, options;
};

void collect(const Verb& command, const std::string& path, std::vector<Words>& all) {
  Words words{path, {}, command.long_options()};
  for (const Verb* sub : command.subcommands()) words.commands.push_back({sub->name(), sub->about()});
  all.push_back(words);
  for (const Verb* sub : command.subcommands()) collect(*sub, path.empty() ? sub->name() : path + " " + sub->name(), all);
}

std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string names(const Words& words) {
  std::string all;
  for (const auto& [name, about] : words.commands) all += name + " ";
  for (const auto& [name, about] : words.options) all += name + " ";
  return all;
}

// The words before the cursor that are commands choose the list.
void bash(const std::vector<Words>& all) {
  std::puts("# halocline completion for bash: source <(halocline completion bash)\n_halocline() {\n  local path= word words= i\n"
            "  for ((i = 1; i < COMP_CWORD; i++)); do\n    word=${COMP_WORDS[i]}\n    case \"$path${path:+ }$word\" in");
  for (const Words& words : all) {
    if (!words.path.empty()) std::printf("      '%s') path='%s' ;;\n", words.path.c_str(), words.path.c_str());
  }
  std::puts("    esac\n  done\n  case \"$path\" in");
  for (const Words& words : all) std::printf("    '%s') words='%s' ;;\n", words.path.c_str(), names(words).c_str());
  std::puts("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
            "complete -o default -F _halocline halocline");
}

void zsh(const std::vector<Words>& all) {
  std::puts("#compdef halocline\n# halocline completion for zsh: source <(halocline completion zsh)\n_halocline() {\n"
            "  local at= word i\n  local -a list\n"
            "  for ((i = 2; i < CURRENT; i++)); do\n    word=${words[i]}\n    case \"$at${at:+ }$word\" in");
  for (const Words& words : all) {
    if (!words.path.empty()) std::printf("      '%s') at='%s' ;;\n", words.path.c_str(), words.path.c_str());
  }
  std::puts("    esac\n  done\n  case \"$at\" in");
  for (const Words& words : all) {
    std::printf("    '%s') list=(", words.path.c_str());
    for (const auto& list : {words.commands, words.options}) {
      for (const auto& [name, about] : list) {
        std::string text = name + ":" + about;
        for (std::size_t at = name.size() + 1; (at = text.find(':', at)) != std::string::npos; at += 2) text.insert(at, "\\");
        std::printf("%s ", single_quoted(text).c_str());
      }
    }
    std::puts(") ;;");
  }
  std::puts("  esac\n  _describe 'halocline' list || _files\n}\ncompdef _halocline halocline");
}

void fish(const std::vector<Words>& all) {
  std::puts("# halocline completion for fish: halocline completion fish | source\ncomplete -c halocline -e");
  for (const Words& words : all) {
    std::string condition = words.path.empty() ? "__fish_use_subcommand" : "";
    for (std::size_t at = 0; at < words.path.size();) {
      const std::size_t end = std::min(words.path.find(' ', at), words.path.size());
      condition += (condition.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") + words.path.substr(at, end - at);
      at = end + 1;
    }
    for (const auto& [name, about] : words.commands) {
      std::printf("complete -c halocline -f -n %s -a %s -d %s\n", single_quoted(condition).c_str(), name.c_str(),
                  single_quoted(about).c_str());
    }
    for (const auto& [name, about] : words.options) {
      std::printf("complete -c halocline -n %s -l %s -d %s\n", single_quoted(condition).c_str(), name.substr(2).c_str(),
                  single_quoted(about).c_str());
    }
  }
}

}  // namespace

void add_completion(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("completion", "print a completion script for your shell");
  command->footer("Examples:\n  source <(halocline completion bash)\n  halocline completion zsh > ~/.zfunc/_halocline\n"
                  "  halocline completion fish | source");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->one_of({"bash", "zsh", "fish"});
  command->callback([shell, &app, &session] {
    session.action = [shell, &app] {
      std::vector<Words> all;
      collect(app, "", all);
      *shell == "bash" ? bash(all) : *shell == "zsh" ? zsh(all) : fish(all);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace halocline::cli
