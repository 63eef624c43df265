#include "cli/command_line.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <utility>

namespace halocline::cli {
namespace {

constexpr std::size_t kNameColumn = 34;

std::unique_ptr<CLI::App> make_program(const std::string& name, const std::string& about, const std::string& version) {
  auto app = std::make_unique<CLI::App>(about, name);
  app->set_version_flag("--version", version);
  app->get_formatter()->column_width(kNameColumn);
  return app;
}

}  // namespace

Option* Option::required() { return option_.required(), this; }
Option* Option::excludes(Option* other) { return option_.excludes(&other->option_), this; }
Option* Option::capture_default_str() { return option_.capture_default_str(), this; }
Option* Option::between(double least, double most) {
  return check([least, most](const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return std::string();
    char wrong[96];
    std::snprintf(wrong, sizeof wrong, "must be from %.15g to %.15g", least, most);
    return std::string(wrong);
  });
}
Option* Option::one_of(std::vector<std::string> values) { return option_.check(CLI::IsMember(std::move(values)).description("")), this; }
Option* Option::check(std::function<std::string(const std::string&)> wrong) { return option_.check(std::move(wrong)), this; }
Option* Option::one_at_a_time() { return option_.allow_extra_args(false), this; }
std::size_t Option::count() const { return option_.count(); }

Option* Verb::keep(CLI::Option* option) { return options_.emplace_back(std::make_unique<Option>(*option)).get(); }

Verb* Verb::add_subcommand(const std::string& name, const std::string& about) {
  return subcommands_.emplace_back(std::make_unique<Verb>(*app_.add_subcommand(name, about))).get();
}
Option* Verb::add_option(const std::string& name, std::string& value, const std::string& about) {
  return keep(app_.add_option(name, value, about));
}
Option* Verb::add_option(const std::string& name, std::vector<std::string>& values, const std::string& about) {
  return keep(app_.add_option(name, values, about));
}
Option* Verb::add_option(const std::string& name, std::uint64_t& value, const std::string& about) {
  return keep(app_.add_option(name, value, about));
}
Option* Verb::add_option(const std::string& name, std::optional<std::uint64_t>& value, const std::string& about) {
  return keep(app_.add_option(name, value, about));
}
Option* Verb::add_option(const std::string& name, std::uint32_t& value, const std::string& about) {
  return keep(app_.add_option(name, value, about));
}
Option* Verb::add_option(const std::string& name, double& value, const std::string& about) {
  return keep(app_.add_option(name, value, about));
}
Option* Verb::add_flag(const std::string& name, bool& value, const std::string& about) {
  return keep(app_.add_flag(name, value, about));
}
void Verb::footer(const std::string& text) { app_.footer(text); }
void Verb::callback(std::function<void()> chosen) { app_.callback(std::move(chosen)); }
void Verb::require_subcommand() { app_.require_subcommand(1); }

std::string Verb::name() const { return app_.get_name(); }
std::string Verb::about() const { return app_.get_description(); }

std::vector<const Verb*> Verb::subcommands() const {
  std::vector<const Verb*> all;
  for (const std::unique_ptr<Verb>& command : subcommands_) all.push_back(command.get());
  return all;
}

std::vector<Verb::Word> Verb::long_options() const {
  std::vector<Word> all;
  for (const CLI::Option* option : std::as_const(app_).get_options()) {
    for (const std::string& name : option->get_lnames()) all.push_back({"--" + name, option->get_description()});
  }
  return all;
}

const Verb* Verb::chosen() const {
  for (const std::unique_ptr<Verb>& command : subcommands_) {
    if (app_.got_subcommand(&command->app_)) return command.get();
  }
  return nullptr;
}

CommandLine::CommandLine(const std::string& name, const std::string& about, const std::string& version)
    : CommandLine(make_program(name, about, version)) {}
CommandLine::CommandLine(std::unique_ptr<CLI::App> app) : Verb(*app), program_(std::move(app)) {}
CommandLine::~CommandLine() = default;

std::string CommandLine::help() const { return program_->help(); }

CommandLine::Parsed CommandLine::parse(int argc, char** argv) {
  try {
    program_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return {false, error.what()};
    program_->exit(error);  // --help, --version: prints it
    return {false, ""};
  }
  return {};
}

}  // namespace halocline::cli
