// query: one answer to an SQL text.
#include <cstdio>
#include <memory>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/query_values.h"
#include "cli/table.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

struct Flags {
  std::string sql, as_of, effective_at;
  std::vector<std::string> parameters;
  bool csv = false;
};

// RFC 4180; NULL is an empty field, an empty text one in quotes.
std::string csv_field(const v1::QueryValue& value) {
  if (value.value_case() == v1::QueryValue::VALUE_NOT_SET) return "";
  const std::string text = query_text(value);
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

// As much as a query may have and a little more, so that the server says what is wrong with it.
std::string read_text(std::FILE* file) {
  std::string text(limits::kMaxQueryBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

class Printer {
 public:
  Printer(const Session& session, const Flags& flags) : json_(session.json), csv_(flags.csv) {}

  void take(const v1::QueryPage& page) {
    if (page.columns_size() > 0) begin(page);
    for (const v1::QueryRow& row : page.rows()) add(row);
  }

  void finish() {
    if (json_) return print_json(whole_);
    if (csv_) return;
    table_->print(stdout);
    std::printf("%s row%s, exact at seq %s (%s)\n", count_text(rows_).c_str(), rows_ == 1 ? "" : "s", count_text(seq_).c_str(),
                time_text(time_).c_str());
  }

 private:
  void begin(const v1::QueryPage& page) {
    columns_.assign(page.columns().begin(), page.columns().end());
    seq_ = page.seq();
    time_ = page.time_ns();
    if (json_) {
      whole_ = {{"seq", page.seq()}, {"time", time_text(page.time_ns())}, {"columns", Json::array()}, {"rows", Json::array()}};
      for (const v1::QueryColumn& column : columns_) {
        whole_["columns"].push_back({{"name", column.name()}, {"type", lower_type(column.type())}});
      }
    } else if (csv_) {
      std::string line;
      for (const v1::QueryColumn& column : columns_) {
        v1::QueryValue title;
        title.set_text_value(column.name());
        line += (line.empty() ? "" : ",") + csv_field(title);
      }
      std::puts(line.c_str());
    } else {
      std::vector<Table::Column> titles;
      for (const v1::QueryColumn& column : columns_) titles.push_back({column.name(),
          is_number(column.type()) ? Table::kRight : Table::kLeft});
      table_ = std::make_unique<Table>(std::move(titles));
    }
  }

  void add(const v1::QueryRow& row) {
    ++rows_;
    if (json_) {
      Json object = Json::object();
      for (int i = 0; i < row.values_size(); ++i) object[columns_[static_cast<std::size_t>(i)].name()] = query_json(row.values(i));
      whole_["rows"].push_back(std::move(object));
    } else if (csv_) {
      std::string line;
      for (int i = 0; i < row.values_size(); ++i) line += (i == 0 ? "" : ",") + csv_field(row.values(i));
      std::puts(line.c_str());
    } else {
      std::vector<Cell> cells;
      for (const v1::QueryValue& value : row.values()) {
        const bool null = value.value_case() == v1::QueryValue::VALUE_NOT_SET;
        cells.emplace_back(query_text(value), null ? Style::kDim : Style::kPlain);
      }
      table_->add(std::move(cells));
    }
  }

  static std::string lower_type(v1::QueryType type) {
    std::string name = v1::QueryType_Name(type).substr(std::string("QUERY_").size());
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return name;
  }

  const bool json_, csv_;
  std::vector<v1::QueryColumn> columns_;
  std::unique_ptr<Table> table_;
  Json whole_;
  std::uint64_t rows_ = 0, seq_ = 0;
  std::int64_t time_ = 0;
};

int ask(const Session& session, const Flags& flags) {
  v1::QueryRequest request;
  request.set_sql(flags.sql);
  if (flags.sql == "-") request.set_sql(read_text(stdin));
  if (const Status status = parse_parameters(flags.parameters, *request.mutable_parameters()); !status.ok()) return report(status);
  if (!flags.as_of.empty()) set_as_of(flags.as_of, *request.mutable_as_of());
  if (!flags.effective_at.empty()) request.mutable_as_of()->set_effective_time(flags.effective_at);
  Printer printer(session, flags);
  const Status status = session.connect().query(request, [&](const v1::QueryPage& page) { printer.take(page); });
  if (!status.ok()) return report(status);
  printer.finish();
  return kDone;
}

}  // namespace

void add_query(Verb& app, Session& session) {
  Verb* command = app.add_subcommand("query", "asks the books in SQL, once");
  command->footer(
      "Examples:\n"
      "  halocline query 'SELECT trader, SUM(notional) AS total FROM trades WHERE live GROUP BY trader ORDER BY total DESC LIMIT 10'\n"
      "  halocline query 'SELECT * FROM positions WHERE node_kind = $1' --param 1=firm --csv\n"
      "  halocline query - < report.sql          the text from standard input\n"
      "  halocline query --as-of '2026-11-17 10:42 America/New_York' 'SELECT * FROM positions'   as the books were then\n"
      "  halocline query --effective-at '2026-11-17 16:00 America/New_York' 'SELECT * FROM positions'   with what came late\n"
      "  halocline query 'EXPLAIN SELECT …'      how it would be answered\n"
      "The language, its sources and columns: docs/queries.md");
  auto flags = std::make_shared<Flags>();
  command->add_option("SQL", flags->sql, "the text; - reads it from standard input")->required();
  command->add_option("--param", flags->parameters, "NAME=VALUE for $NAME or :NAME; may be repeated");
  add_as_of_option(*command, flags->as_of);
  add_effective_at_option(*command, flags->effective_at);
  command->add_flag("--csv", flags->csv, "comma-separated values with a header; NULL is empty");
  add_server_options(*command, session);
  command->callback([flags, &session] {
    session.action = [flags, &session] {
      if (flags->csv && session.json) return usage_error("--csv and --json: choose one");
      return ask(session, *flags);
    };
  });
}

}  // namespace halocline::cli
