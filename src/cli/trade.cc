#include <map>

#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/trade_load.h"

namespace halocline::cli {
namespace {

struct TradeFlags {
  std::map<std::string, std::string> fields;
  std::string csv, jsonl;
  std::string source, trade_id, as_of, effective_at;  // of `show`
};

std::string flag_name(std::string field) {
  std::replace(field.begin(), field.end(), '_', '-');
  return field == "trade-id" ? "--id,--trade-id" : field == "trade-time" ? "--time,--trade-time" : "--" + field;
}

const char* flag_help(const std::string& field) {
  static const std::map<std::string, const char*> help = {
      {"source", "the system it comes from"}, {"trade_id", "its id there"}, {"version", "1 (default), 2, 3 …: the newest wins"},
      {"action", "NEW (default), AMEND or CANCEL"}, {"book", "the book"}, {"trader", "the trader"},
      {"counterparty", "the counterparty"}, {"instrument", "the instrument's symbol"}, {"side", "BUY or SELL"},
      {"quantity", "above 0"}, {"price", "in the instrument's currency"}, {"fees", "in the instrument's currency"},
      {"trade_time", "business time, UTC, or now"}};
  return help.at(field);
}

int submit_one(const Session& session, const TradeFlags& flags) {
  v1::Trade trade;
  trade.set_version(1);
  trade.set_action(v1::NEW);
  for (const auto& [name, text] : flags.fields) {
    if (const Status status = set_field(trade, name, text); !status.ok()) return usage_error(status.message());
  }
  if (trade.source().empty() || trade.trade_id().empty()) {
    return usage_error("a trade needs --source and --id, or give many with --csv FILE or --jsonl FILE");
  }
  const Result<v1::Ack> ack = session.connect().submit_trade(trade);
  if (!ack.ok()) return report(ack.status());
  return show_ack(session, ack.value(), "trade " + trade.source() + "/" + trade.trade_id());
}

int show(const Session& session, const TradeFlags& flags) {
  v1::GetTradeRequest request;
  request.set_source(flags.source);
  request.set_trade_id(flags.trade_id);
  if (!flags.as_of.empty()) set_as_of(flags.as_of, *request.mutable_as_of());
  if (!flags.effective_at.empty()) request.mutable_as_of()->set_effective_time(flags.effective_at);
  const Result<v1::TradeState> answer = session.connect().get_trade(request);
  if (!answer.ok() && answer.status().code() == Code::kNotFound) {
    return report(Status(Code::kNotFound, "no trade " + flags.source + "/" + flags.trade_id));
  }
  if (!answer.ok()) return report(answer.status());
  const v1::TradeState& state = answer.value();
  if (session.json) return print_json(to_json(state)), kDone;
  const v1::Trade& trade = state.trade();
  const bool tombstone = !state.live() && trade.book().empty();
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"trade", trade.source() + "/" + trade.trade_id()}, {"version", std::to_string(trade.version())},
      {"status", state.live() ? "live" : tombstone ? "cancelled before it was seen" : "cancelled"}};
  if (!tombstone) {
    pairs.insert(pairs.end(), {{"book", trade.book()}, {"trader", trade.trader()}, {"counterparty", trade.counterparty()},
                               {"instrument", trade.instrument()}, {"side", v1::Side_Name(trade.side())},
                               {"quantity", with_separators(e8_text(trade.quantity_e8()))},
                               {"price", with_separators(e8_text(trade.price_e8()))},
                               {"fees", with_separators(e8_text(trade.fees_e8()))}});
    if (trade.trade_time_ns() != 0) pairs.emplace_back("trade time", time_text(trade.trade_time_ns()));
  }
  pairs.insert(pairs.end(), {{"first seq", count_text(state.seq())}, {"version seq", count_text(state.version_seq())},
                             {"as of seq", count_text(state.at_seq())}});
  print_pairs(pairs, stdout);
  return kDone;
}

}  // namespace

void add_trade(Verb& app, Session& session) {
  Verb* trade = app.add_subcommand("trade", "send one trade from flags, or many from a file");
  auto flags = std::make_shared<TradeFlags>();
  trade->footer(
      "Examples:\n"
      "  halocline trade --source oms --id T1 --book rates-1 --trader anna --counterparty acme \\\n"
      "                  --instrument AAPL --side buy --quantity 100 --price 187.25\n"
      "  halocline trade --csv trades.csv          the header names the fields: source,trade_id,version,…\n"
      "  producer | halocline trade --jsonl -      one object a line with the same names\n"
      "  halocline trade show oms T1");
  for (const std::string& field : kTradeFields) {
    trade->add_option(flag_name(field), flags->fields[field], flag_help(field));
  }
  auto* csv = trade->add_option("--csv", flags->csv, "many, from a CSV file (- for standard input)");
  auto* jsonl = trade->add_option("--jsonl", flags->jsonl, "many, from a file of JSON lines (- for standard input)");
  csv->excludes(jsonl);
  add_server_options(*trade, session);
  trade->callback([trade, flags, csv, jsonl, &session] {
    if (trade->chosen() != nullptr) return;
    session.action = [flags, csv, jsonl, &session] {
      if (csv->count() > 0) return load_trades(session, flags->csv, TradeFormat::kCsv);
      if (jsonl->count() > 0) return load_trades(session, flags->jsonl, TradeFormat::kJsonLines);
      return submit_one(session, *flags);
    };
  });

  Verb* show_command = trade->add_subcommand("show", "the current version of a trade");
  show_command->footer("Example: halocline trade show oms T1 --json");
  show_command->add_option("SOURCE", flags->source, "the system it came from")->required();
  show_command->add_option("ID", flags->trade_id, "its id there")->required();
  add_as_of_option(*show_command, flags->as_of);
  add_effective_at_option(*show_command, flags->effective_at);
  add_server_options(*show_command, session);
  show_command->callback([flags, &session] { session.action = [flags, &session] { return show(session, *flags); }; });
}

}  // namespace halocline::cli
