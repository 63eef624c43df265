// alerts, alerts --follow, alerts ack (and ack).
#include <csignal>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "client/alert_follower.h"

namespace halocline::cli {
namespace {

struct Flags {
  bool all = false, follow = false;
  std::string on, as_of;
  std::uint64_t from = 0, count = 0;
  bool from_given = false;
  std::uint64_t id = 0;
  std::string by, note;
};

volatile std::sig_atomic_t interrupted = 0;

Style style_of(v1::AlertLevel level) {
  return level == v1::BREACH ? Style::kRed : level == v1::WARN ? Style::kYellow : Style::kGreen;
}

// What the row of a query's alert read: "trader=anna n=12".
std::string row_text(const std::string& row) {
  std::string text;
  const Json columns = Json::parse(row, nullptr, false);
  for (const auto& [name, value] : columns.items()) {
    text += (text.empty() ? "" : " ") + name + "=" + (value.is_string() ? value.get<std::string>() : "NULL");
  }
  return text;
}

std::string node_text(const Json& json) { return json["kind"].get<std::string>() + ":" + json["node"].get<std::string>(); }

std::string cause_text(const v1::AlertEvent& event) {
  switch (event.cause()) {
    case v1::CAUSE_TRADE:
      return "trade " + event.cause_source() + "/" + event.cause_trade_id() + " v" + std::to_string(event.cause_version());
    case v1::CAUSE_PRICE: return "price of " + event.cause_name();
    case v1::CAUSE_FX: return "rate of " + event.cause_name();
    case v1::CAUSE_TIMER: return "time";
    case v1::CAUSE_REFERENCE: return "reference data";
    case v1::CAUSE_LIMIT: return "the limit";
    case v1::CAUSE_ACK: return "acknowledged";
    case v1::CAUSE_END_OF_DAY: return "end of day";
    case v1::CAUSE_QUERY: return "the query";
    default: return "";
  }
}

// Counts and fractions keep their digits, money is rounded to its cents.
std::string measure_value(v1::Measure measure, const std::string& value) {
  if (measure == v1::CONCENTRATION) return percent_text(value);
  if (measure == v1::TRADE_RATE) return with_separators(value);
  return rounded(value, 2);
}

// One line an event: what a person needs to see at a glance, without a header that scrolls away.
void print_event(const v1::AlertEvent& event) {
  const Json json = to_json(event);
  std::string line = time_text(event.time_ns()) + "  #" + std::to_string(event.event_id()) + "  alert " +
                     std::to_string(event.alert_id()) + " ";
  std::string level = v1::AlertStep_Name(event.step());
  if (event.step() != v1::CLEARED) level += " " + v1::AlertLevel_Name(event.level());
  line += styled(level, event.step() == v1::CLEARED ? Style::kGreen : style_of(event.level()), stdout);
  if (event.query().empty()) {
    line += "  " + styled(node_text(json), Style::kBold, stdout) + " " + json["measure"].get<std::string>() + " " +
            measure_value(event.measure(), event.value()) + (event.step() == v1::CLEARED ? " left " : " against ") +
            measure_value(event.measure(), event.threshold()) + " (" + (event.hard() ? "hard " : "") + "limit " + event.limit() + ")";
  } else {
    line += "  " + styled(row_text(event.row()), Style::kBold, stdout) + " (query " + event.query() + ")";
  }
  if (event.step() == v1::ACKNOWLEDGED) line += " by " + event.by() + (event.note().empty() ? "" : ": " + event.note());
  if (event.reason() == v1::UNACKNOWLEDGED) line += " as nobody acknowledged it";
  if (event.reason() == v1::LIMIT_REMOVED) line += ", limit removed";
  if (event.reason() == v1::OVERRIDDEN) line += ", the node got a limit of its own";
  if (event.reason() == v1::QUERY_DROPPED) line += ", query dropped";
  line += "; seq " + count_text(event.seq()) + ", " + cause_text(event);
  std::puts(line.c_str());
}

int follow(const Session& session, const Flags& flags) {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t seen = 0;
  AlertFollower::Options options;
  options.after_event_id = flags.from;
  options.from_now = !flags.from_given && !flags.all;
  options.give_up_after = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_s * 1'000));
  bool first = true, broken = false;  // the follower's thread
  options.on_progress = [&](std::uint64_t event_id, std::uint64_t) {
    if (std::exchange(broken, false)) std::fputs("halocline: connected again\n", stderr);
    if (!session.json && std::exchange(first, false)) {
      std::fprintf(stderr, "following alerts; the newest event is #%llu. Ctrl-C ends and gives the bookmark.\n",
                   static_cast<unsigned long long>(event_id));
    }
  };
  options.on_break = [&](const Status& why) {
    if (std::exchange(broken, true)) return;  // once an outage, not at each attempt
    std::fprintf(stderr, "halocline: %s; resuming, nothing is lost\n", why.message().c_str());
  };
  if (const auto reachable = session.connect().status(); !reachable.ok()) return report(reachable.status());
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  AlertFollower follower(session.server, options, [&](const v1::AlertEvent& event) {
    std::lock_guard lock(mutex);
    if (flags.count != 0 && seen == flags.count) return;
    session.json ? print_json(to_json(event)) : print_event(event);
    std::fflush(stdout);
    if (++seen == flags.count) changed.notify_all();
  });
  Status ended;
  while (ended.ok() && interrupted == 0) {
    {
      std::unique_lock lock(mutex);
      const bool enough = changed.wait_for(lock, std::chrono::milliseconds(20), [&] { return flags.count != 0 && seen >= flags.count; });
      if (enough) break;
    }
    ended = follower.wait(std::chrono::nanoseconds(0));
  }
  const std::uint64_t bookmark = follower.bookmark();
  static_cast<void>(follower.stop());
  if (!ended.ok()) return report(ended);
  if (interrupted != 0 && !session.json) {
    std::fprintf(stderr, "\ngo on with: halocline alerts --follow --from %llu\n", static_cast<unsigned long long>(bookmark));
  }
  return kDone;
}

int list(const Session& session, const Flags& flags) {
  v1::ListAlertsRequest request;
  request.set_all(flags.all);
  v1::NodeKind kind = v1::NODE_KIND_UNSPECIFIED;
  std::string node;
  if (!flags.on.empty() && !parse_node(flags.on, kind, node)) {
    return usage_error("--on: \"" + flags.on + "\" is not KIND or KIND:NAME; kinds are " + kNodeKinds);
  }
  request.set_kind(kind);
  request.set_node(node);
  if (!flags.as_of.empty()) set_as_of(flags.as_of, *request.mutable_as_of());
  v1::AlertsPage all;
  const Status status = session.connect().list_alerts(request, [&](const v1::AlertsPage& page) { all.MergeFrom(page); });
  if (!status.ok()) return report(status);
  if (session.json) return print_json(to_json(all)), kDone;
  if (all.alerts_size() == 0) {
    std::printf("No %salerts as of seq %s.\n", flags.all ? "" : "active ", count_text(all.seq()).c_str());
    return kDone;
  }
  Table table({{"id", Table::kRight}, {"level"}, {"on"}, {"measure"}, {"value", Table::kRight}, {"threshold", Table::kRight},
               {"limit or query"}, {"kind"}, {"raised"}, {"seq", Table::kRight}, {"acknowledged"}});
  for (const v1::Alert& alert : all.alerts()) {
    const Json json = to_json(alert);
    const std::string level = alert.cleared() ? "cleared" : v1::AlertLevel_Name(alert.level());
    const bool of_limit = alert.query().empty();
    table.add({std::to_string(alert.alert_id()), {level, style_of(alert.level())},
               of_limit ? node_text(json) : row_text(alert.row()), json["measure"].get<std::string>(),
               of_limit ? measure_value(alert.measure(), alert.value()) : "",
               of_limit ? measure_value(alert.measure(), alert.threshold()) : "", of_limit ? alert.limit() : alert.query(),
               !of_limit ? "query" : alert.hard() ? "hard" : "soft", time_text(alert.raised_time_ns()), count_text(alert.raised_seq()),
               !alert.acknowledged() ? "" : alert.by() + (alert.note().empty() ? "" : ": " + alert.note())});
  }
  table.print(stdout);
  return kDone;
}

int ack(const Session& session, const Flags& flags) {
  v1::AckAlertRequest request;
  request.set_alert_id(flags.id);
  request.set_by(flags.by);
  request.set_note(flags.note);
  const Result<v1::Ack> answer = session.connect().ack_alert(request);
  if (!answer.ok()) return report(answer.status());
  return show_ack(session, answer.value(), "alert " + std::to_string(flags.id));
}

void add_ack_to(Verb& parent, Session& session) {
  Verb* command = parent.add_subcommand("ack", "acknowledge an alert");
  command->footer("Example: halocline ack 7 --by anna --note 'hedge is on its way'");
  auto flags = std::make_shared<Flags>();
  command->add_option("ID", flags->id, "the alert's id")->required();
  command->add_option("--by", flags->by, "who acknowledges")->required();
  command->add_option("--note", flags->note, "why, at most 256 bytes");
  add_server_options(*command, session);
  command->callback([flags, &session] { session.action = [flags, &session] { return ack(session, *flags); }; });
}

}  // namespace

void add_alerts(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("alerts", "active alerts; --follow shows every event as it happens");
  command->footer(
      "Examples:\n  halocline alerts --all                  cleared ones too\n"
      "  halocline alerts --follow --json        one event a line, from now on\n"
      "  halocline alerts --follow --from 120    everything after event 120, without gap or double\n"
      "  halocline alerts ack 7 --by anna");
  auto flags = std::make_shared<Flags>();
  command->add_flag("--all", flags->all, "cleared ones too; with --follow: all events from the first");
  command->add_option("--on", flags->on, "only of KIND or KIND:NAME, e.g. trader:anna");
  command->add_flag("--follow", flags->follow, "show events as they happen, until Ctrl-C");
  Option* from = command->add_option("--from", flags->from, "with --follow: after this event id; 0 for all (default: from now)");
  command->add_option("--count", flags->count, "with --follow: end after so many events");
  add_as_of_option(*command, flags->as_of);
  add_server_options(*command, session);
  command->callback([command, flags, from, &session] {
    if (command->chosen() != nullptr) return;
    flags->from_given = from->count() > 0;
    session.action = [flags, &session] {
      if (flags->follow && !flags->on.empty()) return usage_error("--on cannot be used with --follow: filter its --json output");
      if (flags->follow && !flags->as_of.empty()) return usage_error("--as-of cannot be used with --follow: --from EVENT_ID goes back");
      if (!flags->follow && (flags->from_given || flags->count != 0)) return usage_error("--from and --count need --follow");
      return flags->follow ? follow(session, *flags) : list(session, *flags);
    };
  });
  add_ack_to(*command, session);
}

void add_ack(Verb& app, Session& session) { add_ack_to(app, session); }

}  // namespace halocline::cli
