#include "cli/table.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "cli/text.h"

namespace halocline::cli {
namespace {

bool colourful(std::FILE* file) {
  const char* term = std::getenv("TERM");
  return isatty(fileno(file)) && std::getenv("NO_COLOR") == nullptr && term != nullptr && std::string(term) != "dumb";
}

// Names come from outside: a control character must not reach the terminal.
std::string printable(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

}  // namespace

std::string styled(const std::string& text, Style style, std::FILE* file) {
  if (style == Style::kPlain || !colourful(file)) return text;
  const char* codes[] = {"", "1", "2", "31", "33", "32"};
  return std::string("\033[") + codes[static_cast<int>(style)] + "m" + text + "\033[0m";
}

void Table::add(std::vector<Cell> row) {
  CHECK(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

void Table::print(std::FILE* file) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  const auto line = [&](auto&& cell_of, auto&& style_of) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string space(widths[i] - width_of(cell), ' ');
      if (i > 0) text += "  ";
      if (columns_[i].align == kRight) text += space;
      text += styled(cell, style_of(i), file);
      if (columns_[i].align == kLeft) text += space;
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    std::fprintf(file, "%s\n", text.c_str());
  };
  line([&](std::size_t i) -> const std::string& { return columns_[i].title; }, [](std::size_t) { return Style::kBold; });
  for (const auto& row : rows_) {
    line([&](std::size_t i) -> const std::string& { return row[i].text; }, [&](std::size_t i) { return row[i].style; });
  }
}

void print_pairs(const std::vector<std::pair<std::string, std::string>>& pairs, std::FILE* file) {
  std::size_t width = 0;
  for (const auto& [name, value] : pairs) width = std::max(width, width_of(name));
  for (const auto& [name, value] : pairs) {
    std::fprintf(file, "%s%s  %s\n", styled(name, Style::kDim, file).c_str(), std::string(width - width_of(name), ' ').c_str(),
                 printable(value).c_str());
  }
}

}  // namespace halocline::cli
