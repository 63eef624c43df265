#include <map>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "command/command.h"

namespace halocline::cli {
namespace {

struct Flags {
  std::string node, sort, as_of, effective_at;
  std::size_t top = 0;
};

const std::vector<std::string> kSorts = {"name",     "net",           "gross",         "day_pnl",    "total_pnl",
                                         "drawdown", "concentration", "largest_trade", "trade_rate", "stale"};

Cell money(const std::string& value) { return {rounded(value, 0), value.starts_with('-') ? Style::kRed : Style::kPlain}; }

class NodeTable {
 public:
  NodeTable()
      : table_({{"node"}, {"net", Table::kRight}, {"gross", Table::kRight}, {"day P&L", Table::kRight}, {"total P&L", Table::kRight},
                {"drawdown", Table::kRight}, {"largest", Table::kRight}, {"conc.", Table::kRight}, {"rate", Table::kRight},
                {"stale", Table::kRight}}) {}
  void add(const std::string& label, const v1::Node& n) {
    table_.add({label, money(n.net()), money(n.gross()), money(n.day_pnl()), money(n.total_pnl()), money(n.drawdown()),
                money(n.largest_trade()), percent_text(n.concentration()), count_text(n.trade_rate()),
                n.stale() == "0" ? Cell("") : Cell(rounded(n.stale(), 0), Style::kYellow)});
  }
  void print() const { table_.print(stdout); }

 private:
  Table table_;
};

Int128 measure(const v1::Node& n, const std::string& sort) {
  const auto value = [](const std::string& text) { return parse_decimal128(text).value_or(0); };
  const auto magnitude = [&](const std::string& text) { return value(text) < 0 ? -value(text) : value(text); };
  if (sort == "net") return magnitude(n.net());
  if (sort == "gross") return value(n.gross());
  if (sort == "day_pnl") return -value(n.day_pnl());  // losses first
  if (sort == "total_pnl") return -value(n.total_pnl());
  if (sort == "drawdown") return value(n.drawdown());
  if (sort == "concentration") return value(n.concentration());
  if (sort == "largest_trade") return value(n.largest_trade());
  if (sort == "trade_rate") return n.trade_rate();
  return value(n.stale());
}

// firm ─ desks ─ books and traders; the dimensions that are no tree are asked for by kind.
void print_tree(const std::vector<v1::Node>& nodes) {
  NodeTable table;
  std::map<std::string, std::vector<const v1::Node*>> children;  // of a desk
  std::vector<const v1::Node*> desks;
  const v1::Node* firm = nullptr;
  std::map<v1::NodeKind, std::size_t> others;
  for (const v1::Node& node : nodes) {
    switch (node.kind()) {
      case v1::FIRM: firm = &node; break;
      case v1::DESK: desks.push_back(&node); break;
      case v1::BOOK:
      case v1::TRADER: children[node.parent()].push_back(&node); break;
      default: ++others[node.kind()];
    }
  }
  if (firm == nullptr) {
    std::puts("No nodes yet: `halocline ref load FILE.toml` brings firm, desks and books.");
    return;
  }
  table.add(firm->name(), *firm);
  const bool homeless = children.contains("");
  const auto add_children = [&](const std::vector<const v1::Node*>& list, const std::string& stem) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string branch = i + 1 < list.size() ? "├ " : "└ ";
      table.add(stem + branch + (list[i]->kind() == v1::BOOK ? "book " : "trader ") + list[i]->name(), *list[i]);
    }
  };
  for (std::size_t i = 0; i < desks.size(); ++i) {
    const bool last = i + 1 == desks.size() && !homeless;
    table.add((last ? "└ desk " : "├ desk ") + desks[i]->name(), *desks[i]);
    add_children(children[desks[i]->name()], last ? "  " : "│ ");
  }
  if (homeless) add_children(children[""], "");
  table.print();
  std::string more;
  for (const auto& [kind, count] : others) {
    more += (more.empty() ? "" : ", ") + count_text(count) + " of kind " + std::string(kind_name(static_cast<NodeKind>(kind)));
  }
  if (!more.empty()) std::printf("Also %s: halocline nodes KIND\n", more.c_str());
}

int show(const Session& session, const Flags& flags) {
  v1::ListNodesRequest request;
  v1::NodeKind kind = v1::NODE_KIND_UNSPECIFIED;
  std::string name;
  if (!flags.node.empty() && !parse_node(flags.node, kind, name)) {
    return usage_error("\"" + flags.node + "\" is not KIND or KIND:NAME; kinds are " + kNodeKinds);
  }
  request.set_kind(kind);
  request.set_name(name);
  if (!flags.as_of.empty()) set_as_of(flags.as_of, *request.mutable_as_of());
  if (!flags.effective_at.empty()) request.mutable_as_of()->set_effective_time(flags.effective_at);
  v1::NodesPage all;
  const Status status = session.connect().list_nodes(request, [&](const v1::NodesPage& page) { all.MergeFrom(page); });
  if (!status.ok()) return report(status);
  std::vector<v1::Node> nodes(all.nodes().begin(), all.nodes().end());
  if (!name.empty() && nodes.empty()) return report(Status(Code::kNotFound, "no node " + flags.node));
  if (flags.sort == "name") {
    std::stable_sort(nodes.begin(), nodes.end(), [](const v1::Node& a, const v1::Node& b) { return a.name() < b.name(); });
  } else if (!flags.sort.empty()) {
    std::stable_sort(nodes.begin(), nodes.end(),
                     [&](const v1::Node& a, const v1::Node& b) { return measure(a, flags.sort) > measure(b, flags.sort); });
  }
  if (flags.top != 0 && nodes.size() > flags.top) nodes.resize(flags.top);
  if (session.json) {
    all.clear_nodes();
    for (const v1::Node& node : nodes) *all.add_nodes() = node;
    return print_json(to_json(all)), kDone;
  }
  if (flags.node.empty() && flags.sort.empty() && flags.top == 0) {
    print_tree(nodes);
  } else {
    NodeTable table;
    for (const v1::Node& node : nodes) table.add(to_json(node)["kind"].get<std::string>() + ":" + node.name(), node);
    table.print();
  }
  std::printf("as of seq %s, %s\n", count_text(all.seq()).c_str(), time_text(all.time_ns()).c_str());
  return kDone;
}

}  // namespace

void add_nodes(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("nodes", "the hierarchy with its measures, in the firm's currency");
  command->footer("Examples:\n  halocline nodes                         firm, desks, books and traders as a tree\n"
                  "  halocline nodes trader --sort gross --top 10\n  halocline nodes instrument:AAPL --json");
  auto flags = std::make_shared<Flags>();
  command->add_option("NODE", flags->node, "KIND or KIND:NAME (default: the tree)");
  command->add_option("--sort", flags->sort, "by name, net, gross, day_pnl (losses first), total_pnl, drawdown, concentration, "
                      "largest_trade, trade_rate or stale")
      ->one_of(kSorts);
  command->add_option("--top", flags->top, "only the first so many");
  add_as_of_option(*command, flags->as_of);
  add_effective_at_option(*command, flags->effective_at);
  add_server_options(*command, session);
  command->callback([flags, &session] { session.action = [flags, &session] { return show(session, *flags); }; });
}

}  // namespace halocline::cli
