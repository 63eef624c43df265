#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/fix_log.h"
#include "cli/fix_replay.h"
#include "cli/input.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

struct Flags {
  ConfigFlags config;
  std::string session, file, speed = "max";
};

void show_parked(const v1::ListFixSessionsResponse& answer) {
  if (answer.parked() > 0) {
    std::string instruments;
    for (const v1::ParkedFor& one : answer.parked_for()) {
      instruments += (instruments.empty() ? "" : ", ") + one.instrument() + " " + count_text(one.reports());
    }
    std::printf("waiting for their instrument: %s trade reports (%s)\n", count_text(answer.parked()).c_str(), instruments.c_str());
  }
  if (answer.parked_released() + answer.parked_refused() > 0) {
    std::printf("waited until it came: %s entered the books, %s were refused\n", count_text(answer.parked_released()).c_str(),
                count_text(answer.parked_refused()).c_str());
  }
}

int show_sessions(const Session& session) {
  const Result<v1::ListFixSessionsResponse> answer = session.connect().list_fix_sessions();
  if (!answer.ok()) return report(answer.status());
  if (session.json) return print_json(to_json(answer.value())), kDone;
  Table table({{"session"}, {"state"}, {"from"}, {"next in", Table::kRight}, {"durable", Table::kRight}, {"next out", Table::kRight},
               {"received", Table::kRight}, {"a second", Table::kRight}, {"rejected", Table::kRight}, {"ignored", Table::kRight},
               {"by type"}});
  for (const v1::FixSession& one : answer.value().sessions()) {
    std::string types;
    for (const v1::FixMessageCount& count : one.by_type()) {
      types += (types.empty() ? "" : ", ") + count.type() + " " + count_text(count.count());
    }
    const Style style = one.state() == "logged on" ? Style::kGreen : Style::kDim;
    table.add({one.name(), {one.state(), style}, one.address() + (one.tls() ? " (TLS)" : ""), count_text(one.next_in()),
               count_text(one.durable_in()), count_text(one.next_out()), count_text(one.received()),
               count_text(static_cast<std::uint64_t>(one.received_per_second() + 0.5)), count_text(one.rejected()),
                   count_text(one.ignored()),
               types});
  }
  table.print(stdout);
  show_parked(answer.value());
  for (const v1::FixSession& one : answer.value().sessions()) {
    if (one.last_error().empty()) continue;
    std::printf("%s, last error at %s: %s\n", one.name().c_str(), time_text(one.last_error_time_ns()).c_str(), one.last_error().c_str());
  }
  return kDone;
}

int reset(const Session& session, const std::string& name) {
  if (const Status done = session.connect().reset_fix_session(name); !done.ok()) return report(done);
  if (session.json) {
    print_json(Json{{"session", name}, {"next_in", 1}, {"next_out", 1}});
  } else {
    std::printf("session %s is logged out and begins at 1 in both directions\n", name.c_str());
  }
  return kDone;
}

const char* fate_text(fix::Fate fate) {
  switch (fate) {
    case fix::Fate::kCommands: return "taken";
    case fix::Fate::kIgnored: return "ignored";
    case fix::Fate::kRefused: return "refused";
    case fix::Fate::kMalformed: return "malformed";
  }
  return "";
}

void print_mapped(const Session& session, std::uint64_t line, const std::string& of, const fix::Message& message, const fix::Mapped& mapped,
                  const std::vector<fix::MappedField>& why) {
  const std::optional<fix::Reply> answer = answer_to(message, mapped);
  const std::string type(message.type()), text = why_not(message, mapped);
  if (session.json) {
    Json fields = Json::array();
    for (const fix::MappedField& field : why) {
      fields.push_back({{"command", field.command}, {"field", field.field}, {"value", field.value}, {"from", field.from}});
    }
    print_json(Json{{"line", line}, {"session", of}, {"type", type}, {"fate", fate_text(mapped.fate)}, {"commands", mapped.commands},
                    {"answer", answer.has_value() ? answer->type : ""}, {"text", text}, {"fields", std::move(fields)}});
    return;
  }
  std::printf("line %llu, MsgType %s by the rules of %s: %s%s%s%s\n", static_cast<unsigned long long>(line), type.c_str(), of.c_str(),
              fate_text(mapped.fate), answer.has_value() ? (", answered by MsgType " + answer->type).c_str() : "",
              text.empty() ? "" : ": ", text.c_str());
  int command = -1;
  for (const fix::MappedField& field : why) {
    const std::string head = command == field.command ? "    " : "  " + std::to_string(field.command + 1) + ":";
    std::printf("%s %-12s  %s  (%s)\n", head.c_str(), field.field.c_str(), field.value.c_str(), field.from.c_str());
    command = field.command;
  }
}

int map_file(const Session& session, const Flags& flags) {
  Result<FixRules> rules = FixRules::load(flags.config, flags.session);
  if (!rules.ok()) return report(rules.status());
  FixRules of = rules.take();
  const Result<Input> input = open_input(flags.file);
  if (!input.ok()) return report(input.status());
  LineReader lines(input.value().get());
  std::string line, text;
  bool any = false, all_taken = true;
  while (true) {
    const Result<bool> more = lines.next(line);
    if (!more.ok()) return report(more.status());
    if (!more.value()) break;
    fix::Message message;
    if (!message_in(line, text)) continue;
    any = true;
    const std::string where = "line " + std::to_string(lines.line());
    if (!message.parse(text)) return usage_error(where + ": no row of TAG=VALUE that begins with 8, 9 and 35");
    if (fix::is_admin(message.type())) {
      const std::string type(message.type());
      if (session.json) {
        print_json(Json{{"line", lines.line()}, {"type", type}, {"fate", "admin"}});
      } else {
        std::printf("%s, MsgType %s: a message of the session layer\n", where.c_str(), type.c_str());
      }
      continue;
    }
    const FixRules::Session* const mapped_by = of.of(message);
    if (mapped_by == nullptr) return usage_error(where + ": its version and comp ids are of no [[fix.session]]; --session NAME chooses "
        "one");
    std::vector<std::byte> records;
    std::vector<fix::MappedField> why;
    const fix::Mapped mapped = mapped_by->mapping.map(message, records, &why);
    all_taken = all_taken && (mapped.fate == fix::Fate::kCommands || mapped.fate == fix::Fate::kIgnored);
    print_mapped(session, lines.line(), mapped_by->name, message, mapped, why);
  }
  if (!any) return usage_error((flags.file == "-" ? "standard input" : flags.file) + " holds no FIX message (8=FIX…)");
  return all_taken ? kDone : kRefused;
}

}  // namespace

void add_fix(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("fix", "FIX sessions: how they are, what a message becomes, a log fed in");
  command->require_subcommand();
  command->footer("Examples:\n  halocline fix sessions\n  halocline fix map --message message.fix --config halocline.toml\n"
                  "  halocline fix replay yesterday.log");
  auto flags = std::make_shared<Flags>();

  Verb* sessions = command->add_subcommand("sessions", "state, numbers, rates, messages by type and last error of each");
  sessions->footer("Example: halocline fix sessions --json | jq '.sessions[].next_in'");
  add_server_options(*sessions, session);
  sessions->callback([&session] { session.action = [&session] { return show_sessions(session); }; });

  Verb* reset_command = command->add_subcommand("reset", "log a session out and begin both its numbers at 1");
  reset_command->footer("Example: halocline fix reset oms\nThe counterparty must begin at 1 as well (ResetSeqNumFlag, or its own reset).");
  reset_command->add_option("SESSION", flags->session, "the session's name")->required();
  add_server_options(*reset_command, session);
  reset_command->callback([flags, &session] { session.action = [flags, &session] { return reset(session, flags->session); }; });

  Verb* map = command->add_subcommand("map", "what messages would become and which tag decided; without a server");
  map->footer("Example: halocline fix map --message message.fix --config halocline.toml --session oms");
  map->add_option("--message", flags->file, "a file with a message a line, SOH, | or ^A between the tags (- for standard "
      "input)")->required();
  map->add_option("--session", flags->session, "by the rules of this session; else of the one that the comp ids say");
  add_config_options(*map, flags->config);
  add_json_option(*map, session);
  map->callback([flags, &session] { session.action = [flags, &session] { return map_file(session, *flags); }; });

  Verb* replay = command->add_subcommand("replay", "feed the messages of a FIX log into a server, over gRPC");
  replay->footer("Examples:\n  halocline fix replay yesterday.log --config halocline.toml\n  halocline fix replay yesterday.log --speed "
      "real\n"
                 "Sending a log twice changes nothing.");
  replay->add_option("FILE", flags->file, "lines that hold a message (- for standard input)")->required();
  replay->add_option("--session", flags->session, "by the rules of this session; else of the one that the comp ids say");
  replay->add_option("--speed", flags->speed, "max, or real: as fast as SendingTime(52) says")
      ->one_of({"max", "real"})->capture_default_str();
  add_config_options(*replay, flags->config);
  add_server_options(*replay, session);
  replay->callback([flags, &session] {
    session.action = [flags, &session] {
      Result<FixRules> rules = FixRules::load(flags->config, flags->session);
      if (!rules.ok()) return report(rules.status());
      FixRules of = rules.take();
      return replay_fix(session, flags->file, of, flags->speed == "real");
    };
  });
}

}  // namespace halocline::cli
