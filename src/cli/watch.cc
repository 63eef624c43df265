// watch: a continuous query on the terminal.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <optional>

#include "cli/commands.h"
#include "cli/query_values.h"
#include "cli/table.h"
#include "cli/text.h"
#include "client/query_watcher.h"

namespace halocline::cli {
namespace {

struct Flags {
  std::string sql, name;
  std::vector<std::string> parameters;
  std::optional<std::uint64_t> after;
  std::uint64_t count = 0;
  std::uint32_t every = 0;
  bool conflate = false;
};

volatile std::sig_atomic_t interrupted = 0;

// What a watch shows. On the watcher's thread.
class Screen {
 public:
  Screen(const Session& session, const Flags& flags)
      : json_(session.json), in_place_(!session.json && !flags.after && isatty(STDOUT_FILENO) != 0), most_(flags.count) {}

  void take(const v1::SubscribeMessage& message) {
    if (full()) return;
    if (message.has_rows()) {
      rows(message);
    } else if (message.has_changes()) {
      changes(message);
    }
    if (message.has_rows() ? !message.rows().more() : message.has_changes() && !message.changes().more()) {
      if (in_place_) draw(message);
    }
    std::fflush(stdout);
  }
  // As many changes as were asked for have been shown.
  bool full() const { return most_ != 0 && shown_ >= most_; }

 private:
  void rows(const v1::SubscribeMessage& message) {
    if (message.rows().columns_size() > 0) {
      columns_.assign(message.rows().columns().begin(), message.rows().columns().end());
      if (message.rows().goes_on()) return;
      kept_.clear();
      order_.clear();
    }
    for (const v1::KeyedRow& one : message.rows().rows()) {
      if (in_place_) keep(one.key(), one.order(), one.row());
      else print(message, "ROW", nullptr, &one.row(), nullptr);
    }
  }

  void changes(const v1::SubscribeMessage& message) {
    for (const v1::RowChange& change : message.changes().changes()) {
      ++shown_;
      if (in_place_) {
        change.kind() == v1::DELETE ? forget(change.key()) : keep(change.key(), change.order(), change.after());
        continue;
      }
      const std::string reason = change.kind() == v1::DELETE ? v1::DeleteReason_Name(change.reason()) : "";
      print(message, v1::ChangeKind_Name(change.kind()).c_str(), change.kind() == v1::INSERT ? nullptr : &change.before(),
            change.kind() == v1::DELETE ? nullptr : &change.after(), reason.empty() ? nullptr : &reason);
    }
  }

  // A line for a change: scripts read it, and scrolling back tells the story.
  void print(const v1::SubscribeMessage& message, const char* kind, const v1::QueryRow* before, const v1::QueryRow* after,
             const std::string* reason) const {
    if (json_) {
      Json line = {{"seq", message.seq()}, {"time", time_text(message.time_ns())}, {"kind", kind}};
      if (before != nullptr) line["before"] = object(*before);
      if (after != nullptr) line["after"] = object(*after);
      if (reason != nullptr) line["reason"] = *reason;
      return print_json(line);
    }
    std::printf("%s  seq %-8s %-7s %s%s%s%s\n", time_text(message.time_ns()).c_str(), count_text(message.seq()).c_str(), kind,
                before == nullptr ? "" : text(*before).c_str(), before != nullptr && after != nullptr ? "  ->  " : "",
                after == nullptr ? "" : text(*after).c_str(), reason == nullptr ? "" : ("  (" + *reason + ")").c_str());
  }

  Json object(const v1::QueryRow& row) const {
    Json out = Json::object();
    for (int i = 0; i < row.values_size(); ++i) out[columns_[static_cast<std::size_t>(i)].name()] = query_json(row.values(i));
    return out;
  }
  static std::string text(const v1::QueryRow& row) {
    std::string out;
    for (const v1::QueryValue& value : row.values()) out += (out.empty() ? "" : " | ") + query_text(value);
    return out;
  }

  void keep(const std::string& key, const std::string& order, const v1::QueryRow& row) {
    forget(key);
    order_[key] = order;
    kept_[{order, key}] = row;
  }
  void forget(const std::string& key) {
    const auto at = order_.find(key);
    if (at == order_.end()) return;
    kept_.erase({at->second, key});
    order_.erase(at);
  }

  void draw(const v1::SubscribeMessage& message) const {
    std::vector<Table::Column> titles;
    for (const v1::QueryColumn& column : columns_) {
      titles.push_back({column.name(), is_number(column.type()) ? Table::kRight : Table::kLeft});
    }
    Table table(std::move(titles));
    winsize window{};
    const std::size_t most = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 5 ? window.ws_row - 4u : 20u;
    for (const auto& [place, row] : kept_) {
      if (table.size() == most) break;
      std::vector<Cell> cells;
      for (const v1::QueryValue& value : row.values()) cells.emplace_back(query_text(value));
      table.add(std::move(cells));
    }
    std::fputs("\033[H\033[2J", stdout);
    table.print(stdout);
    std::printf("%s row%s%s, complete to seq %s (%s). Ctrl-C ends.\n", count_text(kept_.size()).c_str(), kept_.size() == 1 ? "" : "s",
                kept_.size() > most ? ", the first shown" : "", count_text(message.seq()).c_str(), time_text(message.time_ns()).c_str());
  }

  const bool json_, in_place_;
  const std::uint64_t most_;
  std::uint64_t shown_ = 0;
  std::vector<v1::QueryColumn> columns_;
  std::map<std::pair<std::string, std::string>, v1::QueryRow> kept_;  // by order and key
  std::map<std::string, std::string> order_;
};

int watch(const Session& session, const Flags& flags) {
  v1::SubscribeRequest request;
  request.set_sql(flags.sql);
  request.set_name(flags.name);
  if (flags.after) request.set_after_seq(*flags.after);
  request.set_when_slow(flags.conflate ? v1::CONFLATE : v1::CUT);
  request.set_at_most_every_ms(flags.every);
  if (const Status status = parse_parameters(flags.parameters, *request.mutable_parameters()); !status.ok()) return report(status);
  std::mutex mutex;
  Screen screen(session, flags);
  QueryWatcher::Options options;
  options.give_up_after = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_s * 1'000));
  bool broken = false;  // the watcher's thread
  options.on_break = [&](const Status& why) {
    if (std::exchange(broken, true)) return;  // once an outage, not at each attempt
    std::fprintf(stderr, "halocline: %s; it goes on where it was when the server is back\n", why.message().c_str());
  };
  if (const auto reachable = session.connect().status(); !reachable.ok()) return report(reachable.status());
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  QueryWatcher watcher(session.server, request, options, [&](const v1::SubscribeMessage& message) {
    broken = false;
    const std::lock_guard lock(mutex);
    screen.take(message);
  });
  Status ended;
  bool full = false;
  while (ended.ok() && interrupted == 0 && !full) {
    ended = watcher.wait(std::chrono::milliseconds(20));
    const std::lock_guard lock(mutex);
    full = screen.full();
  }
  static_cast<void>(watcher.stop());
  return ended.ok() ? kDone : report(ended);
}

}  // namespace

void add_watch(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("watch", "follows the answer to an SQL text as the books change");
  command->footer(
      "Examples:\n"
      "  halocline watch 'SELECT trader, SUM(notional) AS total FROM trades WHERE live GROUP BY trader ORDER BY total DESC LIMIT 10'\n"
      "  halocline watch \"SELECT * FROM alerts WHERE NOT cleared\" --json     one change a line\n"
      "  halocline watch --name big_trades                                    a query that CREATE made\n"
      "  halocline watch --name big_trades --after 10433 --json               every change after that seq, whenever it was\n"
      "On a terminal a table that changes in place; lines when piped. The language: docs/queries.md");
  auto flags = std::make_shared<Flags>();
  Option* sql = command->add_option("SQL", flags->sql, "the text");
  Option* name = command->add_option("--name", flags->name, "instead of a text: a query that CREATE CONTINUOUS QUERY or ALERT made");
  sql->excludes(name);
  command->add_option("--after", flags->after, "instead of the answer: what each seq after this one did to it, then what comes");
  command->add_option("--param", flags->parameters, "NAME=VALUE for $NAME or :NAME; may be repeated");
  command->add_option("--count", flags->count, "end after so many changes");
  command->add_option("--every", flags->every, "at least so many ms between changes; what happens meanwhile is brought together");
  command->add_flag("--conflate", flags->conflate, "when this side is too slow: skip what came and went, instead of being cut");
  add_server_options(*command, session);
  command->callback([flags, &session] {
    session.action = [flags, &session] {
      if (flags->sql.empty() && flags->name.empty()) return usage_error("give an SQL text, or --name");
      return watch(session, *flags);
    };
  });
}

}  // namespace halocline::cli
