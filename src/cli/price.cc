// price and fx: marks and rates, one from the command line or many from CSV.
#include <map>

#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/fields.h"
#include "cli/input.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"
#include "command/outcome.h"

namespace halocline::cli {
namespace {

constexpr int kMaxBatch = 4'096;

struct Flags {
  std::string name, value, time, csv;
};

struct Price {
  static constexpr const char* kWhat = "price";
  static v1::Price* add(v1::PriceBatch& batch) { return batch.add_prices(); }
  static const std::vector<std::string>& fields() { return kPriceFields; }
};
struct Rate {
  static constexpr const char* kWhat = "rate";
  static v1::FxRate* add(v1::PriceBatch& batch) { return batch.add_rates(); }
  static const std::vector<std::string>& fields() { return kRateFields; }
};

// Publishes what is in the batch; refused ones are listed with their line.
Status publish(const Session& session, Client& client, v1::PriceBatch& batch, std::vector<std::uint64_t>& lines,
               std::map<std::string, std::uint64_t>& outcomes, Json& refused) {
  if (lines.empty()) return ok_status();
  const Result<v1::PriceAcks> acks = client.publish_prices(batch);
  if (!acks.ok()) return acks.status();
  std::uint64_t accepted = lines.size();
  for (const auto& exception : acks.value().exceptions()) {
    --accepted;
    const std::string outcome = v1::Outcome_Name(exception.ack().outcome());
    ++outcomes[outcome];
    if (!is_refusal(exception.ack().outcome())) continue;
    const std::uint64_t line = lines[exception.index()];
    refused.push_back(Json{{"line", line}, {"outcome", outcome}, {"detail", exception.ack().detail()}});
    if (!session.json) {
      std::fprintf(stderr, "line %llu: %s: %s\n", static_cast<unsigned long long>(line), outcome.c_str(), exception.ack().detail().c_str());
    }
  }
  if (accepted > 0) outcomes["ACCEPTED"] += accepted;
  batch.Clear();
  lines.clear();
  return ok_status();
}

template <class Kind>
int load(const Session& session, const std::string& path) {
  Result<Input> input = open_input(path);
  if (!input.ok()) return report(input.status());
  CsvReader csv(input.value().get());
  std::vector<std::string> header, fields;
  const auto bad = [&](const std::string& what) { return usage_error(path + ": " + what); };
  const Result<bool> any = csv.next(header);
  if (!any.ok()) return bad(any.status().message());
  if (!any.value()) return bad("the file is empty: expected a header line");
  for (const std::string& name : header) {
    if (std::find(Kind::fields().begin(), Kind::fields().end(), name) == Kind::fields().end()) {
      return bad("header: " + unknown_field(name, Kind::fields()).message());
    }
  }

  Client client = session.connect();
  v1::PriceBatch batch;
  std::vector<std::uint64_t> lines;
  std::map<std::string, std::uint64_t> outcomes;
  Json refused = Json::array();
  while (true) {
    const Result<bool> more = csv.next(fields);
    if (!more.ok()) return bad(more.status().message());
    if (more.value()) {
      Status row;
      auto* item = Kind::add(batch);
      if (fields.size() != header.size()) {
        row = Status(Code::kInvalidArgument, std::to_string(fields.size()) + " fields, the header has " + std::to_string(header.size()));
      }
      for (std::size_t i = 0; i < fields.size() && row.ok(); ++i) row = set_field(*item, header[i], fields[i]);
      if (!row.ok()) {
        return bad("line " + std::to_string(csv.line()) + ": " + row.message());
      }
      lines.push_back(csv.line());
    }
    if (lines.size() == kMaxBatch || !more.value()) {
      if (const Status sent = publish(session, client, batch, lines, outcomes, refused); !sent.ok()) return report(sent);
    }
    if (!more.value()) break;
  }
  if (session.json) {
    print_json(Json{{"outcomes", outcomes}, {"refused", refused}});
  } else {
    Table table({{"outcome"}, {"rows", Table::kRight}});
    for (const auto& [outcome, count] : outcomes) table.add({outcome, count_text(count)});
    table.print(stdout);
  }
  return refused.empty() ? kDone : kRefused;
}

template <class Kind>
int publish_one(const Session& session, const Flags& flags) {
  if (flags.name.empty() || flags.value.empty()) {
    return usage_error("a " + std::string(Kind::kWhat) + " needs a name and a number, or give many with --csv FILE");
  }
  v1::PriceBatch batch;
  auto* item = Kind::add(batch);
  const std::string* texts[] = {&flags.name, &flags.value, &flags.time};
  for (std::size_t i = 0; i < 3; ++i) {
    if (const Status status = set_field(*item, Kind::fields()[i], *texts[i]); !status.ok()) return usage_error(status.message());
  }
  const Result<v1::PriceAcks> acks = session.connect().publish_prices(batch);
  if (!acks.ok()) return report(acks.status());
  v1::Ack ack;
  if (acks.value().exceptions_size() > 0) {
    ack = acks.value().exceptions(0).ack();
  } else {
    ack.set_outcome(v1::ACCEPTED);
    ack.set_seq(acks.value().first_seq());
  }
  return show_ack(session, ack, std::string(Kind::kWhat) + " of " + flags.name);
}

template <class Kind>
void add(Verb& app, Session& session, const char* command_name, const char* about, const char* name, const char* value,
         const char* example) {
  Verb* command = app.add_subcommand(command_name, about);
  auto flags = std::make_shared<Flags>();
  command->footer(example);
  command->add_option(name, flags->name, "whose");
  command->add_option(value, flags->value, "the number");
  command->add_option("--time", flags->time, "the source's time, UTC, or now: an older one than the last is STALE");
  command->add_option("--csv", flags->csv, "many, from a CSV file (- for standard input)");
  add_server_options(*command, session);
  command->callback([flags, &session] {
    session.action = [flags, &session] {
      return flags->csv.empty() ? publish_one<Kind>(session, *flags) : load<Kind>(session, flags->csv);
    };
  });
}

}  // namespace

void add_price(Verb& app, Session& session) {
  add<Price>(app, session, "price", "publish prices of instruments", "INSTRUMENT", "PRICE",
             "Examples:\n  halocline price AAPL 187.25\n  halocline price --csv prices.csv      header: instrument,price,time");
}

void add_fx(Verb& app, Session& session) {
  add<Rate>(app, session, "fx", "publish FX rates: firm currency for one unit", "CURRENCY", "RATE",
            "Examples:\n  halocline fx EUR 1.0825\n  halocline fx --csv rates.csv           header: currency,rate,time");
}

}  // namespace halocline::cli
