// diff: what changed between two instants, by node and by trade.
#include <map>

#include "base/decimal.h"
#include "cli/commands.h"
#include "cli/past.h"
#include "cli/table.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

struct Flags {
  std::string from, to = "now";
  std::size_t most = 1'000;
};

constexpr const char* kNodes = "SELECT id, kind, name, net, gross, day_pnl, total_pnl FROM nodes";
const std::string kTrade = "SELECT source, trade_id, version, status, book, trader, counterparty, instrument, side, quantity, price, fees";
const std::vector<std::string> kMeasures = {"net", "gross", "day_pnl", "total_pnl"};

struct Change {
  Json before, after;  // null where it was not there
};

Int128 number(const Json& row, const std::string& column) {
  return row.is_null() ? 0 : parse_decimal128(row[column].get<std::string>()).value_or(0);
}

// By id: a node keeps its own whatever it is called.
Result<std::vector<Change>> changed_nodes(Client& client, const Moment& from, const Moment& to) {
  Result<std::vector<Json>> before = rows_at(client, kNodes, from.seq), after = rows_at(client, kNodes, to.seq);
  if (!before.ok() || !after.ok()) return before.ok() ? after.status() : before.status();
  std::vector<Change> changes;
  for (std::size_t i = 0; i < after.value().size(); ++i) {
    Change change{i < before.value().size() ? before.value()[i] : Json(), after.value()[i]};
    const bool moved = std::any_of(kMeasures.begin(), kMeasures.end(), [&](const std::string& measure) {
      return number(change.before, measure) != number(change.after, measure);
    });
    if (moved) changes.push_back(std::move(change));
  }
  return changes;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string key_of(const Json& trade) { return trade["source"].get<std::string>() + '\n' + trade["trade_id"].get<std::string>(); }

// Those with a version of a later seq than `from`, as they were at both; one more than `most` when there are more.
Result<std::vector<Change>> changed_trades(Client& client, const Moment& from, const Moment& to, std::size_t most) {
  const std::string changed = kTrade + " FROM trades WHERE version_seq > " + std::to_string(from.seq) + " ORDER BY version_seq LIMIT " +
                              std::to_string(most + 1);
  Result<std::vector<Json>> after = rows_at(client, changed, to.seq);
  if (!after.ok()) return after.status();
  std::map<std::string, Json> before;
  constexpr std::size_t kTogether = 400;
  for (std::size_t i = 0; i < after.value().size(); i += kTogether) {
    std::string ids;
    for (std::size_t k = i; k < std::min(i + kTogether, after.value().size()); ++k) {
      ids += (ids.empty() ? "" : ", ") + quoted(after.value()[k]["trade_id"].get<std::string>());
    }
    Result<std::vector<Json>> rows = rows_at(client, kTrade + " FROM trades WHERE trade_id IN (" + ids + ")", from.seq);
    if (!rows.ok()) return rows.status();
    for (Json& row : rows.value()) before.emplace(key_of(row), std::move(row));
  }
  std::vector<Change> changes;
  for (Json& row : after.value()) {
    const auto was = before.find(key_of(row));
    Json then = was == before.end() ? Json() : was->second;
    changes.push_back({std::move(then), std::move(row)});
  }
  return changes;
}

std::string signed_text(Int128 change) { return (change > 0 ? "+" : "") + rounded(to_decimal(change), 2); }

void print_nodes(const std::vector<Change>& nodes) {
  std::vector<Table::Column> titles{{"node"}};
  for (const std::string& measure : kMeasures) titles.push_back({measure, Table::kRight}), titles.push_back({"change", Table::kRight});
  Table table(std::move(titles));
  for (const Change& node : nodes) {
    std::vector<Cell> cells{node.after["kind"].get<std::string>() + ":" + node.after["name"].get<std::string>()};
    for (const std::string& measure : kMeasures) {
      const Int128 change = number(node.after, measure) - number(node.before, measure);
      cells.emplace_back(rounded(node.after[measure].get<std::string>(), 2));
      cells.emplace_back(change == 0 ? "" : signed_text(change), change < 0 ? Style::kRed : Style::kGreen);
    }
    table.add(std::move(cells));
  }
  table.print(stdout);
}

// What became of it, in a word.
std::string kind_of(const Change& trade) {
  if (trade.before.is_null()) return trade.after["status"] == "CANCELLED" ? "CANCELLED" : "NEW";
  return trade.after["status"] == "CANCELLED" ? "CANCELLED" : "AMENDED";
}

std::string text_of(const Json& value) { return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump(); }

void print_trades(const std::vector<Change>& trades) {
  Table table({{"trade"}, {"what"}, {"version", Table::kRight}, {"book"}, {"trader"}, {"instrument"}, {"side"}, {"quantity", Table::kRight},
               {"price", Table::kRight}});
  for (const Change& trade : trades) {
    std::vector<Cell> cells{trade.after["source"].get<std::string>() + "/" + trade.after["trade_id"].get<std::string>(), kind_of(trade)};
    for (const char* column : {"version", "book", "trader", "instrument", "side", "quantity", "price"}) {
      const std::string now = text_of(trade.after[column]);
      const std::string was = trade.before.is_null() ? now : text_of(trade.before[column]);
      cells.emplace_back(was == now ? now : was + " -> " + now);
    }
    table.add(std::move(cells));
  }
  table.print(stdout);
}

int show(const Session& session, const Flags& flags) {
  Client client = session.connect();
  const Result<Moment> from = moment_of(client, flags.from), to = moment_of(client, flags.to);
  if (!from.ok() || !to.ok()) return report(from.ok() ? to.status() : from.status());
  if (from.value().seq > to.value().seq) return usage_error("--from is after --to");
  const Result<std::vector<Change>> nodes = changed_nodes(client, from.value(), to.value());
  if (!nodes.ok()) return report(nodes.status());
  Result<std::vector<Change>> trades = changed_trades(client, from.value(), to.value(), flags.most);
  if (!trades.ok()) return report(trades.status());
  const bool more = trades.value().size() > flags.most;
  if (more) trades.value().pop_back();
  if (session.json) {
    const auto moment = [](const Moment& at) { return Json{{"seq", at.seq}, {"time", time_text(at.time)}}; };
    Json whole = {{"from", moment(from.value())}, {"to", moment(to.value())}, {"nodes", Json::array()}, {"trades", Json::array()},
                  {"more_trades", more}};
    for (const Change& node : nodes.value()) whole["nodes"].push_back({{"before", node.before}, {"after", node.after}});
    for (const Change& trade : trades.value()) {
      whole["trades"].push_back({{"what", kind_of(trade)}, {"before", trade.before}, {"after", trade.after}});
    }
    return print_json(whole), kDone;
  }
  if (nodes.value().empty()) std::puts("No node has other measures.");
  else print_nodes(nodes.value());
  std::puts("");
  if (trades.value().empty()) std::puts("No trade has another version.");
  else print_trades(trades.value());
  if (more) std::printf("The first %s trades; --trades N shows more.\n", count_text(flags.most).c_str());
  std::printf("from seq %s (%s) to seq %s (%s)\n", count_text(from.value().seq).c_str(), time_text(from.value().time).c_str(),
              count_text(to.value().seq).c_str(), time_text(to.value().time).c_str());
  return kDone;
}

}  // namespace

void add_diff(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("diff", "what changed between two instants, by node and by trade");
  command->footer("Examples:\n  halocline diff --from -1h\n"
                  "  halocline diff --from '2026-11-17 09:30 America/New_York' --to '2026-11-17 16:00 America/New_York'\n"
                  "  halocline diff --from 'SEQ 1200' --to 'SEQ 1300' --json");
  auto flags = std::make_shared<Flags>();
  command->add_option("--from", flags->from, "a time (\"2026-11-17 10:42 America/New_York\", \"-30s\"), or \"SEQ n\"")->required();
  command->add_option("--to", flags->to, "the same, or now")->capture_default_str();
  command->add_option("--trades", flags->most, "at most so many trades, up to 100000; the earliest changed first")
      ->capture_default_str()
      ->between(1, 100'000);
  add_server_options(*command, session);
  command->callback([flags, &session] { session.action = [flags, &session] { return show(session, *flags); }; });
}

}  // namespace halocline::cli
