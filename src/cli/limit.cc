#include "cli/commands.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "command/command.h"

namespace halocline::cli {
namespace {

constexpr const char* kMeasures =
    "net, gross, long, short, day_loss, total_loss, drawdown, concentration, largest_trade, trade_rate or stale";

struct Flags {
  std::string name, on, measure, warn, breach, hysteresis, owner, escalate_after, as_of;
  bool hard = false;
};

Status read(const Flags& flags, v1::Limit& limit) {
  const auto wrong = [](const std::string& what) { return Status(Code::kInvalidArgument, what); };
  limit.set_name(flags.name);
  v1::NodeKind kind;
  std::string node;
  if (!parse_node(flags.on, kind, node) || node.empty()) {
    return wrong("--on: \"" + flags.on + "\" is not KIND:NAME like trader:anna, or KIND:* for all; kinds are " + kNodeKinds);
  }
  limit.set_kind(kind);
  limit.set_node(node);
  const Measure measure = measure_from(flags.measure);
  if (static_cast<int>(measure) == 0) return wrong("--measure: \"" + flags.measure + "\" is none of " + kMeasures);
  limit.set_measure(static_cast<v1::Measure>(measure));
  for (const std::string* text : {&flags.warn, &flags.breach}) {
    if (!text->empty() && !parse_decimal128(*text)) {
      return wrong(std::string(text == &flags.warn ? "--warn" : "--breach") + ": \"" + *text + "\" is not a decimal number like 5000000");
    }
  }
  limit.set_warn(flags.warn);
  limit.set_breach(flags.breach);
  if (!flags.hysteresis.empty()) {
    const std::optional<std::int64_t> value = parse_decimal(flags.hysteresis);
    if (!value) return wrong("--hysteresis: \"" + flags.hysteresis + "\" is not a fraction like 0.05");
    limit.set_hysteresis_e8(*value);
  }
  if (!flags.escalate_after.empty()) {
    const std::optional<std::int64_t> after = parse_duration(flags.escalate_after);
    if (!after) return wrong("--escalate-after: \"" + flags.escalate_after + "\" is not a duration like 30s or 5m");
    limit.set_escalate_after_ns(*after);
  }
  limit.set_hard(flags.hard);
  limit.set_owner(flags.owner);
  return ok_status();
}

int set(const Session& session, const Flags& flags) {
  v1::Limit limit;
  if (const Status status = read(flags, limit); !status.ok()) return usage_error(status.message());
  const Result<v1::Ack> ack = session.connect().set_limit(limit);
  if (!ack.ok()) return report(ack.status());
  return show_ack(session, ack.value(), "limit " + flags.name);
}

int remove(const Session& session, const Flags& flags) {
  const Result<v1::Ack> ack = session.connect().remove_limit(flags.name);
  if (!ack.ok()) return report(ack.status());
  return show_ack(session, ack.value(), "limit " + flags.name);
}

int list(const Session& session, const Flags& flags) {
  v1::ListLimitsRequest request;
  if (!flags.as_of.empty()) set_as_of(flags.as_of, *request.mutable_as_of());
  v1::LimitsPage all;
  const Status status = session.connect().list_limits(request, [&](const v1::LimitsPage& page) { all.MergeFrom(page); });
  if (!status.ok()) return report(status);
  if (session.json) return print_json(to_json(all)), kDone;
  if (all.limits_size() == 0) {
    std::puts("No limits. Set one: halocline limit set NAME --on trader:* --measure gross --breach 5000000");
    return kDone;
  }
  Table table({{"name"}, {"on"}, {"measure"}, {"warn", Table::kRight}, {"breach", Table::kRight}, {"hysteresis", Table::kRight}, {"kind"},
               {"owner"}, {"escalates after", Table::kRight}, {"alerts", Table::kRight}});
  for (const v1::Limit& limit : all.limits()) {
    const Json json = to_json(limit);
    table.add({limit.name(), json["kind"].get<std::string>() + ":" + limit.node(), json["measure"].get<std::string>(),
               limit.warn() == "0" ? "" : with_separators(limit.warn()), with_separators(limit.breach()),
               limit.hysteresis_e8() == 0 ? "" : percent_text(e8_text(limit.hysteresis_e8())), limit.hard() ? "hard" : "soft",
               limit.owner(),
               limit.escalate_after_ns() == 0 ? "" : duration_text(limit.escalate_after_ns()),
               {limit.active_alerts() == 0 ? "" : count_text(limit.active_alerts()), Style::kRed}});
  }
  table.print(stdout);
  return kDone;
}

}  // namespace

void add_limit(Verb& app, Session& session) {
  Verb* limit = app.add_subcommand("limit", "limits on nodes, and templates for all nodes of a kind");
  limit->require_subcommand();
  limit->footer("Example: halocline limit set trader-gross --on 'trader:*' --measure gross --breach 5000000");
  auto flags = std::make_shared<Flags>();
  const auto sub = [&](const char* name, const char* about, const char* example, auto action) {
    Verb* command = limit->add_subcommand(name, about);
    command->footer(example);
    add_server_options(*command, session);
    command->callback([flags, &session, action] { session.action = [flags, &session, action] { return action(session, *flags); }; });
    return command;
  };
  Verb* set_command = sub("set", "set a limit, or change its levels",
      "Examples:\n  halocline limit set trader-gross --on 'trader:*' --measure gross --warn 4000000 --breach 5000000\n"
      "  halocline limit set anna --on trader:anna --measure day_loss --breach 250000 --hard --owner risk --escalate-after 5m", set);
  set_command->add_option("NAME", flags->name, "the limit's own name")->required();
  set_command->add_option("--on", flags->on, "KIND:NAME, or KIND:* for every node of the kind")->required();
  set_command->add_option("--measure", flags->measure, kMeasures)->required();
  set_command->add_option("--warn", flags->warn, "the level that warns (default none)");
  set_command->add_option("--breach", flags->breach, "the level that is a breach")->required();
  set_command->add_option("--hysteresis", flags->hysteresis, "fraction to fall below a level before it is left, e.g. 0.05");
  set_command->add_flag("--hard", flags->hard, "not to be exceeded (default: soft, to be explained)");
  set_command->add_option("--owner", flags->owner, "who answers for it");
  set_command->add_option("--escalate-after", flags->escalate_after, "a hard breach unacknowledged for so long escalates");
  Verb* list_command = sub("list", "all limits with their active alerts", "Example: halocline limit list --json", list);
  add_as_of_option(*list_command, flags->as_of);
  Verb* remove_command = sub("remove", "remove a limit; its alerts are cleared",
                                 "Example: halocline limit remove trader-gross", remove);
  remove_command->add_option("NAME", flags->name, "the limit's name")->required();
}

}  // namespace halocline::cli
