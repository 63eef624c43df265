#include "cli/commands.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

struct Flags {
  std::string node = "firm", instrument, as_of, effective_at;
};

Cell money(const std::string& value) { return {rounded(value, 2), value.starts_with('-') ? Style::kRed : Style::kPlain}; }

int show(const Session& session, const Flags& flags) {
  v1::ListPositionsRequest request;
  if (flags.node != "all") {
    v1::NodeKind kind;
    std::string name;
    if (!parse_node(flags.node, kind, name)) {
      return usage_error("\"" + flags.node + "\" is not all, KIND or KIND:NAME; kinds are firm, desk, book, trader, counterparty");
    }
    if (kind > v1::COUNTERPARTY) return usage_error("positions are kept for firm, desk, book, trader and counterparty; see --instrument");
    request.set_kind(kind);
    request.set_node(name);
  }
  request.set_instrument(flags.instrument);
  if (!flags.as_of.empty()) set_as_of(flags.as_of, *request.mutable_as_of());
  if (!flags.effective_at.empty()) request.mutable_as_of()->set_effective_time(flags.effective_at);
  v1::PositionsPage all;
  const Status status = session.connect().list_positions(request, [&](const v1::PositionsPage& page) { all.MergeFrom(page); });
  if (!status.ok()) return report(status);
  if (session.json) return print_json(to_json(all)), kDone;
  if (all.positions_size() == 0) {
    std::printf("No positions as of seq %s.\n", count_text(all.seq()).c_str());
    return kDone;
  }
  Table table({{"node"}, {"instrument"}, {"quantity", Table::kRight}, {"average price", Table::kRight}, {"mark", Table::kRight}, {"ccy"},
               {"market value", Table::kRight}, {"realised", Table::kRight}, {"unrealised", Table::kRight}, {"total P&L", Table::kRight},
               {"trades", Table::kRight}});
  for (const v1::Position& p : all.positions()) {
    table.add({to_json(p)["kind"].get<std::string>() + ":" + p.node(), p.instrument(), with_separators(p.quantity()),
               rounded(p.average_price(), 4), {with_separators(e8_text(p.mark_e8())), p.mark_stale() ? Style::kYellow : Style::kPlain},
               p.currency(), money(p.market_value()), money(p.realised()), money(p.unrealised()), money(p.total_pnl()),
               count_text(p.trades())});
  }
  table.print(stdout);
  std::printf("%s position%s as of seq %s, %s\n", count_text(static_cast<std::uint64_t>(all.positions_size())).c_str(),
              all.positions_size() == 1 ? "" : "s", count_text(all.seq()).c_str(), time_text(all.time_ns()).c_str());
  return kDone;
}

}  // namespace

void add_positions(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("positions", "positions with average price and P&L");
  command->footer("Examples:\n  halocline positions                     the firm's\n  halocline positions trader:anna\n"
                  "  halocline positions book --instrument AAPL --json\n  halocline positions --as-of '2026-11-17 10:42 America/New_York'");
  auto flags = std::make_shared<Flags>();
  command->add_option("NODE", flags->node, "all, KIND or KIND:NAME")->capture_default_str();
  command->add_option("--instrument", flags->instrument, "only of this instrument");
  add_as_of_option(*command, flags->as_of);
  add_effective_at_option(*command, flags->effective_at);
  add_server_options(*command, session);
  command->callback([flags, &session] { session.action = [flags, &session] { return show(session, *flags); }; });
}

}  // namespace halocline::cli
