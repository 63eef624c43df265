#include "cli/reference_file.h"

#include "base/toml_assert.h"

#include <toml++/toml.h>  // heavy: only here

#include "cli/csv.h"
#include "cli/fields.h"
#include "cli/input.h"

namespace halocline::cli {
namespace {

constexpr std::size_t kMaxFile = 64 << 20;

Status wrong(const std::string& path, std::uint64_t line, const std::string& what) {
  return Status(Code::kInvalidArgument, path + ":" + std::to_string(line) + ": " + what);
}

// The value's text as it stands in the file, so that 0.1 is exactly that and not the nearest double.
Result<std::string> text_of(const toml::node& node, const std::vector<std::string_view>& lines) {
  if (const auto* text = node.as_string()) return text->get();
  if (!node.is_integer() && !node.is_floating_point() && !node.is_date()) {
    return Status(Code::kInvalidArgument, "expected a text or a number");
  }
  const toml::source_region& place = node.source();
  const std::string_view line = place.begin.line <= lines.size() ? lines[place.begin.line - 1] : std::string_view();
  std::string text;
  for (std::size_t i = place.begin.column - 1; i < line.size(); ++i) {
    const char c = line[i];
    if ((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E') {
      text += c;
    } else if (c != '_') {
      break;
    }
  }
  return text;
}

Status read_table(const std::string& path, const std::string& kind, const toml::table& table,
                  const std::vector<std::string_view>& lines, std::vector<ReferenceRow>& rows) {
  Result<v1::ReferenceItem> item = new_item(kind);
  if (!item.ok()) return wrong(path, table.source().begin.line, item.status().message());
  for (const auto& [key, node] : table) {
    const std::uint64_t line = node.source().begin.line;
    const Result<std::string> text = text_of(node, lines);
    if (!text.ok()) return wrong(path, line, std::string(key.str()) + ": " + text.status().message());
    if (const Status set = set_field(item.value(), key.str(), text.value()); !set.ok()) return wrong(path, line, set.message());
  }
  rows.push_back({table.source().begin.line, item.take()});
  return ok_status();
}

}  // namespace

Result<std::vector<ReferenceRow>> read_reference_toml(const std::string& path) {
  Result<Input> input = open_input(path);
  if (!input.ok()) return input.status();
  std::string text;
  char piece[65536];
  while (const std::size_t got = std::fread(piece, 1, sizeof piece, input.value().get())) {
    text.append(piece, got);
    if (text.size() > kMaxFile) return Status(Code::kInvalidArgument, path + " is larger than 64 MiB");
  }
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    return wrong(path, error.source().begin.line, std::string(error.description()));
  } catch (const TomlAssertion& error) {
    return wrong(path, 1, error.what());
  }

  for (const auto& [key, node] : root) {
    if (Result<v1::ReferenceItem> known = new_item(std::string(key.str())); !known.ok()) {
      return wrong(path, node.source().begin.line, known.status().message());
    }
  }
  std::vector<ReferenceRow> rows;
  for (const auto& [kind, fields] : reference_kinds()) {
    const toml::node* node = root.get(kind);
    if (node == nullptr) continue;
    if (const auto* table = node->as_table()) {
      if (Status status = read_table(path, kind, *table, lines, rows); !status.ok()) return status;
      continue;
    }
    const auto* list = node->as_array();
    if (list == nullptr) return wrong(path, node->source().begin.line, kind + " is no table: write [[" + kind + "]] above its fields");
    for (const toml::node& element : *list) {
      const auto* table = element.as_table();
      if (table == nullptr) return wrong(path, element.source().begin.line, kind + " is no table: write [[" + kind + "]] above its fields");
      if (Status status = read_table(path, kind, *table, lines, rows); !status.ok()) return status;
    }
  }
  return rows;
}

Result<std::vector<ReferenceRow>> read_reference_csv(const std::string& path, const std::string& kind) {
  const Result<v1::ReferenceItem> empty = new_item(kind);
  if (!empty.ok()) return empty.status();
  Result<Input> input = open_input(path);
  if (!input.ok()) return input.status();
  CsvReader csv(input.value().get());
  std::vector<std::string> header, fields;
  const Result<bool> any = csv.next(header);
  if (!any.ok()) return Status(any.status().code(), path + ": " + any.status().message());
  if (!any.value()) return Status(Code::kInvalidArgument, path + " is empty: expected a header line");
  const auto& known = reference_kinds()[static_cast<std::size_t>(empty.value().item_case()) - 1].second;
  for (const std::string& name : header) {
    if (std::find(known.begin(), known.end(), name) == known.end()) return wrong(path, csv.line(), unknown_field(name, known).message());
  }
  std::vector<ReferenceRow> rows;
  while (true) {
    const Result<bool> more = csv.next(fields);
    if (!more.ok()) return Status(more.status().code(), path + ": " + more.status().message());
    if (!more.value()) return rows;
    if (fields.size() != header.size()) {
      return wrong(path, csv.line(), std::to_string(fields.size()) + " fields, the header has " + std::to_string(header.size()));
    }
    ReferenceRow row{csv.line(), empty.value()};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (Status set = set_field(row.item, header[i], fields[i]); !set.ok()) return wrong(path, csv.line(), set.message());
    }
    rows.push_back(std::move(row));
  }
}

}  // namespace halocline::cli
