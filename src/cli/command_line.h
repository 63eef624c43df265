// What may stand on a command line: commands add themselves to it, with their options, and are run by their callbacks. CLI11 does the work,
// and is seen by command_line.cc alone: its headers take longer to compile than any command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace halocline::cli {

// Of a verb. Its methods but count() give the option itself, to be followed by another.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(option) {}

  Option* required();
  Option* excludes(Option* other);
  // The value as it is now is its default, and shown as such.
  Option* capture_default_str();
  Option* between(double least, double most);
  Option* one_of(std::vector<std::string> values);
  // `wrong` says what is wrong with a value; "" for nothing.
  Option* check(std::function<std::string(const std::string&)> wrong);
  // One value each time it is given, where it may be given again.
  Option* one_at_a_time();

  // How often it was given.
  std::size_t count() const;

 private:
  CLI::Option& option_;
};

// A command to be typed, and the options it takes. (Command is what the engine is told.)
class Verb {
 public:
  explicit Verb(CLI::App& app) : app_(app) {}
  Verb(const Verb&) = delete;
  Verb& operator=(const Verb&) = delete;

  // What they return belongs to this verb. `name`: "--long", or of an argument without a flag what the help calls it.
  Verb* add_subcommand(const std::string& name, const std::string& about);
  Option* add_option(const std::string& name, std::string& value, const std::string& about);
  Option* add_option(const std::string& name, std::vector<std::string>& values, const std::string& about);
  Option* add_option(const std::string& name, std::uint64_t& value, const std::string& about);
  Option* add_option(const std::string& name, std::optional<std::uint64_t>& value, const std::string& about);
  Option* add_option(const std::string& name, std::uint32_t& value, const std::string& about);
  Option* add_option(const std::string& name, double& value, const std::string& about);
  Option* add_flag(const std::string& name, bool& value, const std::string& about);
  void footer(const std::string& text);
  // Called after parsing when this verb was chosen, also with one below it.
  void callback(std::function<void()> chosen);
  void require_subcommand();

  // What there is, for suggestions and completion.
  struct Word {
    std::string name, about;
  };
  std::string name() const;
  std::string about() const;
  std::vector<const Verb*> subcommands() const;
  std::vector<Word> long_options() const;  // with their dashes
  const Verb* chosen() const;              // the subcommand that was parsed, or null

 private:
  Option* keep(CLI::Option* option);

  CLI::App& app_;
  std::vector<std::unique_ptr<Verb>> subcommands_;
  std::vector<std::unique_ptr<Option>> options_;
};

// The program itself.
class CommandLine : public Verb {
 public:
  CommandLine(const std::string& name, const std::string& about, const std::string& version);
  ~CommandLine();

  std::string help() const;
  struct Parsed {
    bool go_on = true;  // false: --help or --version was answered, or `error` says what is wrong
    std::string error;
  };
  Parsed parse(int argc, char** argv);

 private:
  explicit CommandLine(std::unique_ptr<CLI::App> app);

  std::unique_ptr<CLI::App> program_;
};

}  // namespace halocline::cli
