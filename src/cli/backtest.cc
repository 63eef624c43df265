// backtest: the alerts that a query, or a limit that does not exist yet, would have raised between two instants.
#include <map>

#include "base/decimal.h"
#include "cli/commands.h"
#include "cli/past.h"
#include "cli/text.h"
#include "client/query_watcher.h"

namespace halocline::cli {
namespace {

struct Flags {
  std::string sql, from, to = "now", on, measure, breach;
  std::vector<std::string> parameters;
};

// What is compared with a limit's level, as docs/semantics.md has it.
const std::map<std::string, std::string> kMeasures = {
    {"net", "ABS(net)"}, {"gross", "gross"}, {"long", "long"}, {"short", "short"}, {"day_loss", "-day_pnl"}, {"total_loss", "-total_pnl"},
    {"drawdown", "drawdown"}, {"concentration", "concentration"}, {"largest_trade", "largest_trade"}, {"trade_rate", "trade_rate"},
    {"stale", "stale"}};

// The limit as a query whose rows are its alerts.
Result<std::string> query_of(const Flags& flags) {
  const auto wrong = [](const std::string& what) { return Status(Code::kInvalidArgument, what); };
  v1::NodeKind kind;
  std::string name;
  if (!parse_node(flags.on, kind, name) || name.empty()) {
    return wrong("--on: \"" + flags.on + "\" is not KIND:NAME or KIND:*; kinds are " + kNodeKinds);
  }
  const auto measure = kMeasures.find(flags.measure);
  if (measure == kMeasures.end()) return wrong("--measure: \"" + flags.measure + "\" is no measure");
  const std::optional<Int128> breach = parse_decimal128(flags.breach);
  if (!breach || *breach <= 0) return wrong("--breach: \"" + flags.breach + "\" is no number above 0");
  std::string sql = "SELECT name, " + measure->second + " AS " + flags.measure + " FROM nodes WHERE kind = '" +
                    flags.on.substr(0, flags.on.find(':')) + "' AND " + measure->second + " >= " + to_decimal(*breach);
  if (name == "*") return sql;
  std::string quoted;
  for (const char c : name) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return sql + " AND name = '" + quoted + "'";
}

// Tells of each row that comes or goes up to the end. On the watcher's thread, but for finish().
class Story {
 public:
  Story(const Session& session, const Moment& from, const Moment& to) : json_(session.json), from_(from), to_(to) {}

  void open_at_begin(const std::vector<Json>& rows) {
    for (const Json& row : rows) tell(from_.seq, from_.time, "OPEN", row);
    open_ = rows.size();
  }

  // True when it has come to the end.
  bool take(const v1::SubscribeMessage& message) {
    if (message.has_rows()) {
      for (const v1::QueryColumn& column : message.rows().columns()) columns_.push_back(column.name());
    }
    if (message.seq() > to_.seq) return true;
    for (const v1::RowChange& change : message.changes().changes()) {
      if (change.kind() == v1::INSERT) tell(message.seq(), message.time_ns(), "RAISED", object(change.after())), ++raised_;
      if (change.kind() == v1::DELETE) tell(message.seq(), message.time_ns(), "CLEARED", object(change.before())), ++cleared_;
    }
    return message.seq() == to_.seq && !(message.has_changes() && message.changes().more()) && !message.has_rows();
  }

  void finish() const {
    if (json_) return;
    std::printf("%s open at the beginning, %s raised, %s cleared, %s open at the end; from seq %s (%s) to seq %s (%s)\n",
                count_text(open_).c_str(), count_text(raised_).c_str(), count_text(cleared_).c_str(),
                count_text(open_ + raised_ - cleared_).c_str(), count_text(from_.seq).c_str(), time_text(from_.time).c_str(),
                count_text(to_.seq).c_str(), time_text(to_.time).c_str());
  }

 private:
  Json object(const v1::QueryRow& row) const {
    Json out = Json::object();
    for (int i = 0; i < row.values_size(); ++i) out[columns_[static_cast<std::size_t>(i)]] = query_json(row.values(i));
    return out;
  }
  void tell(std::uint64_t seq, std::int64_t time, const char* step, const Json& row) const {
    if (json_) return print_json({{"seq", seq}, {"time", time_text(time)}, {"step", step}, {"row", row}});
    std::string text;
    for (const auto& [name, value] : row.items()) {
      const std::string shown = value.is_string() ? value.get<std::string>() : value.is_null() ? "NULL" : value.dump();
      text += (text.empty() ? "" : " ") + name + "=" + shown;
    }
    std::printf("%s  seq %-8s %-7s %s\n", time_text(time).c_str(), count_text(seq).c_str(), step, text.c_str());
  }

  const bool json_;
  const Moment from_, to_;
  std::vector<std::string> columns_;
  std::uint64_t open_ = 0, raised_ = 0, cleared_ = 0;
};

int run_again(const Session& session, const Flags& flags) {
  std::string sql = flags.sql;
  if (sql.empty()) {
    const Result<std::string> limit = query_of(flags);
    if (!limit.ok()) return usage_error(limit.status().message());
    sql = limit.value();
  }
  Client client = session.connect();
  const Result<Moment> from = moment_of(client, flags.from), to = moment_of(client, flags.to);
  if (!from.ok() || !to.ok()) return report(from.ok() ? to.status() : from.status());
  if (from.value().seq > to.value().seq) return usage_error("--from is after --to");
  v1::SubscribeRequest request;
  request.set_sql(sql);
  request.set_after_seq(from.value().seq);
  if (const Status status = parse_parameters(flags.parameters, *request.mutable_parameters()); !status.ok()) return report(status);
  Story story(session, from.value(), to.value());
  v1::QueryRequest first;
  first.set_sql(sql);
  *first.mutable_parameters() = request.parameters();
  first.mutable_as_of()->set_seq(from.value().seq);
  const Result<std::vector<Json>> rows = rows_of(client, first);
  if (!rows.ok()) return report(rows.status());
  story.open_at_begin(rows.value());
  if (from.value().seq == to.value().seq) return story.finish(), kDone;
  std::mutex mutex;
  bool complete = false;
  QueryWatcher::Options options;
  options.give_up_after = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_s * 1'000));
  QueryWatcher watcher(session.server, request, options, [&](const v1::SubscribeMessage& message) {
    const std::lock_guard lock(mutex);
    complete = complete || story.take(message);
  });
  Status ended;
  for (bool done = false; ended.ok() && !done;) {
    ended = watcher.wait(std::chrono::milliseconds(20));
    const std::lock_guard lock(mutex);
    done = complete;
  }
  static_cast<void>(watcher.stop());
  if (!ended.ok()) return report(ended);
  story.finish();
  return kDone;
}

}  // namespace

void add_backtest(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("backtest", "the alerts that a query or a limit would have raised in the past");
  command->footer(
      "Examples:\n"
      "  halocline backtest 'SELECT trader, trade_rate FROM nodes WHERE kind = $1 AND trade_rate > 50' --param 1=trader --from -1h\n"
      "  halocline backtest --on 'trader:*' --measure gross --breach 5000000 --from '2026-11-17 09:30 America/New_York'\n"
      "Each row that comes into the answer is an alert raised, each that leaves it one cleared.");
  auto flags = std::make_shared<Flags>();
  Option* sql = command->add_option("SQL", flags->sql, "a query that could be watched");
  command->add_option("--on", flags->on, "instead: a limit on KIND:NAME or KIND:*")->excludes(sql);
  command->add_option("--measure", flags->measure, "… on this measure")->excludes(sql);
  command->add_option("--breach", flags->breach, "… at this level (no hysteresis)")->excludes(sql);
  command->add_option("--from", flags->from, "a time (\"2026-11-17 10:42 America/New_York\", \"-30s\"), or \"SEQ n\"")->required();
  command->add_option("--to", flags->to, "the same, or now")->capture_default_str();
  command->add_option("--param", flags->parameters, "NAME=VALUE for $NAME or :NAME; may be repeated");
  add_server_options(*command, session);
  command->callback([flags, &session] {
    session.action = [flags, &session] {
      const bool limit = !flags->on.empty() && !flags->measure.empty() && !flags->breach.empty();
      if (flags->sql.empty() && !limit) return usage_error("give an SQL text, or --on, --measure and --breach");
      return run_again(session, *flags);
    };
  });
}

}  // namespace halocline::cli
