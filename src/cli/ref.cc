#include <map>

#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/json.h"
#include "cli/reference_file.h"
#include "cli/table.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

constexpr std::size_t kMaxItems = 1'024;  // in one request

struct Flags {
  std::string file, kind, from, to, as_of;
  std::vector<std::string> pairs;
};

int load(const Session& session, const Flags& flags) {
  const bool csv = flags.file.ends_with(".csv") || !flags.kind.empty();
  if (csv && flags.kind.empty()) return usage_error("say what the rows of " + flags.file + " are: --kind instrument, book, …");
  const Result<std::vector<ReferenceRow>> read = csv ? read_reference_csv(flags.file, flags.kind) : read_reference_toml(flags.file);
  if (!read.ok()) return report(read.status());
  const std::vector<ReferenceRow>& rows = read.value();

  Client client = session.connect();
  std::map<std::string, std::uint64_t> outcomes;
  Json refused = Json::array();
  for (std::size_t at = 0; at < rows.size(); at += kMaxItems) {
    v1::UpsertRequest request;
    const std::size_t end = std::min(rows.size(), at + kMaxItems);
    for (std::size_t i = at; i < end; ++i) *request.add_items() = rows[i].item;
    const Result<v1::UpsertResponse> response = client.upsert(request);
    if (!response.ok()) return report(response.status());
    for (int i = 0; i < response.value().acks_size(); ++i) {
      const v1::Ack& ack = response.value().acks(i);
      ++outcomes[v1::Outcome_Name(ack.outcome())];
      if (!is_refusal(ack.outcome())) continue;
      const ReferenceRow& row = rows[at + static_cast<std::size_t>(i)];
      const std::string item = item_text(row.item), outcome = v1::Outcome_Name(ack.outcome());
      refused.push_back(Json{{"line", row.line}, {"item", item}, {"outcome", outcome}, {"detail", ack.detail()}});
      if (!session.json) {
        std::fprintf(stderr, "%s:%llu: %s: %s: %s\n", flags.file.c_str(), static_cast<unsigned long long>(row.line), item.c_str(),
                     outcome.c_str(), ack.detail().c_str());
      }
    }
  }
  if (session.json) {
    print_json(Json{{"items", rows.size()}, {"outcomes", outcomes}, {"refused", refused}});
  } else {
    Table table({{"outcome"}, {"items", Table::kRight}});
    for (const auto& [outcome, count] : outcomes) table.add({outcome, count_text(count)});
    table.print(stdout);
  }
  return refused.empty() ? kDone : kRefused;
}

int upsert_one(const Session& session, const v1::ReferenceItem& item) {
  v1::UpsertRequest request;
  *request.add_items() = item;
  const Result<v1::UpsertResponse> response = session.connect().upsert(request);
  if (!response.ok()) return report(response.status());
  return show_ack(session, response.value().acks(0), item_text(item));
}

int set(const Session& session, const Flags& flags) {
  Result<v1::ReferenceItem> item = new_item(flags.kind);
  if (!item.ok()) return usage_error(item.status().message());
  for (const std::string& pair : flags.pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) return usage_error("\"" + pair + "\" is not FIELD=VALUE");
    if (const Status set_one = set_field(item.value(), pair.substr(0, equals), pair.substr(equals + 1)); !set_one.ok()) {
      return usage_error(set_one.message());
    }
  }
  return upsert_one(session, item.value());
}

int rename(const Session& session, const Flags& flags) {
  v1::ReferenceItem item;
  v1::NodeKind kind;
  std::string rest;
  if (!parse_node(flags.kind, kind, rest) || !rest.empty()) {
    return usage_error("\"" + flags.kind +
                       "\" is no kind that can be renamed: desk, book, trader, counterparty, instrument, underlying, sector");
  }
  item.mutable_rename()->set_kind(kind);
  item.mutable_rename()->set_from(flags.from);
  item.mutable_rename()->set_to(flags.to);
  return upsert_one(session, item);
}

void print_kind(const std::string& kind, const std::vector<v1::ReferenceItem>& items) {
  if (items.empty()) return;
  std::printf("\n%s (%s)\n", styled(kind, Style::kBold, stdout).c_str(), count_text(items.size()).c_str());
  if (kind == "instrument") {
    Table table({{"symbol"}, {"kind"}, {"currency"}, {"multiplier", Table::kRight}, {"underlying"}, {"sector"}, {"expiry"},
                 {"mark", Table::kRight}, {"mark time"}});
    for (const v1::ReferenceItem& item : items) {
      const v1::InstrumentItem& i = item.instrument();
      table.add({i.symbol(), to_json(i)["kind"].get<std::string>(), i.currency(), with_separators(e8_text(i.multiplier_e8())),
                 i.underlying() == i.symbol() ? "" : i.underlying(), i.sector(), i.expiry() == 0 ? "" : std::to_string(i.expiry()),
                 {i.has_mark() ? with_separators(e8_text(i.mark_e8())) : "", i.mark_stale() ? Style::kYellow : Style::kPlain},
                 !i.has_mark() ? "" : time_text(i.mark_time_ns()) + (i.mark_stale() ? " stale" : "")});
    }
    return table.print(stdout);
  }
  if (kind == "currency") {
    Table table({{"code"}, {"rate", Table::kRight}});
    for (const v1::ReferenceItem& item : items) table.add({item.currency().code(), with_separators(e8_text(item.currency().rate_e8()))});
    return table.print(stdout);
  }
  const bool has_desk = kind == "book" || kind == "trader";
  Table table(has_desk ? std::vector<Table::Column>{{"name"}, {"desk"}} : std::vector<Table::Column>{{"name"}});
  for (const v1::ReferenceItem& item : items) {
    if (kind == "book") table.add({item.book().name(), item.book().desk()});
    else if (kind == "trader") table.add({item.trader().name(), item.trader().desk()});
    else table.add({kind == "desk" ? item.desk().name() : item.counterparty().name()});
  }
  table.print(stdout);
}

int list(const Session& session, const Flags& flags) {
  if (!flags.kind.empty()) {
    if (const Result<v1::ReferenceItem> known = new_item(flags.kind); !known.ok()) return usage_error(known.status().message());
  }
  v1::ReferencePage head;
  std::map<std::string, std::vector<v1::ReferenceItem>> by_kind;
  bool first = true;
  v1::ListReferenceRequest request;
  if (!flags.as_of.empty()) set_as_of(flags.as_of, *request.mutable_as_of());
  const Status status = session.connect().list_reference(request, [&](const v1::ReferencePage& page) {
    if (std::exchange(first, false)) {
      head.set_seq(page.seq());
      head.set_end_of_day(page.end_of_day());
      *head.mutable_firm() = page.firm();
    }
    for (const v1::ReferenceItem& item : page.items()) {
      by_kind[reference_kinds()[static_cast<std::size_t>(item.item_case()) - 1].first].push_back(item);
    }
  });
  if (!status.ok()) return report(status);
  if (session.json) {
    Json json;
    json["seq"] = head.seq();
    json["end_of_day"] = head.end_of_day();
    json["firm"] = to_json(head.firm());
    for (const auto& [kind, fields] : reference_kinds()) {
      if (kind == "firm" || (!flags.kind.empty() && flags.kind != kind)) continue;
      Json& items = json[kind] = Json::array();
      for (const v1::ReferenceItem& item : by_kind[kind]) items.push_back(to_json(item)[kind]);
    }
    return print_json(json), kDone;
  }
  if (head.firm().name().empty()) {
    std::puts("There is no reference data yet: `halocline ref load FILE.toml` brings it, a [firm] first.");
    return kDone;
  }
  std::printf("%s, in %s; as of seq %s%s\n", head.firm().name().c_str(), head.firm().currency().c_str(), count_text(head.seq()).c_str(),
              head.end_of_day() == 0 ? "" : ("; last end of day " + std::to_string(head.end_of_day())).c_str());
  for (const auto& [kind, fields] : reference_kinds()) {
    if (flags.kind.empty() || flags.kind == kind) print_kind(kind, by_kind[kind]);
  }
  return kDone;
}

}  // namespace

void add_ref(Verb& app, Session& session) {
  Verb* ref = app.add_subcommand("ref", "reference data: what trades may name");
  ref->require_subcommand();
  ref->footer("Example: halocline ref load floor.toml && halocline ref list --kind book");
  auto flags = std::make_shared<Flags>();
  const auto sub = [&](const char* name, const char* about, const char* example, auto action) {
    Verb* command = ref->add_subcommand(name, about);
    command->footer(example);
    add_server_options(*command, session);
    command->callback([flags, &session, action] { session.action = [flags, &session, action] { return action(session, *flags); }; });
    return command;
  };

  Verb* load_command = sub("load", "load a TOML file, or a CSV file of one kind",
      "Examples:\n  halocline ref load floor.toml         [firm], [[currency]], [[desk]], [[book]], [[trader]],\n"
      "                                        [[counterparty]], [[instrument]]\n"
      "  halocline ref load books.csv --kind book     header: name,desk", load);
  load_command->add_option("FILE", flags->file, "the file (- for TOML, or CSV with --kind, from standard input)")->required();
  load_command->add_option("--kind", flags->kind, "what the rows of a CSV file are");

  Verb* list_command = sub("list", "everything, or one kind", "Example: halocline ref list --kind instrument --json", list);
  list_command->add_option("--kind", flags->kind, "currency, desk, book, trader, counterparty or instrument");
  add_as_of_option(*list_command, flags->as_of);

  Verb* set_command = sub("set", "add or change one thing",
      "Examples:\n  halocline ref set book name=rates-1 desk=rates\n"
      "  halocline ref set instrument symbol=AAPL kind=equity currency=USD sector=tech stale_after=30s", set);
  set_command->add_option("KIND", flags->kind, "firm, currency, desk, book, trader, counterparty or instrument")->required();
  set_command->add_option("FIELD=VALUE", flags->pairs, "its fields")->required();

  Verb* rename_command = sub("rename", "give a thing another name; its positions and history stay",
      "Example: halocline ref rename instrument FB META", rename);
  rename_command->add_option("KIND", flags->kind, "desk, book, trader, counterparty, instrument, underlying or sector")->required();
  rename_command->add_option("FROM", flags->from, "the name it has")->required();
  rename_command->add_option("TO", flags->to, "the name it gets")->required();
}

}  // namespace halocline::cli
