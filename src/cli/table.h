// A table for people: aligned, numbers to the right, colours only on a terminal (and not with NO_COLOR).
//
//   Table table({{"book"}, {"gross", Table::kRight}});
//   table.add({"rates-1", rounded(node.gross(), 0)});
//   table.print(stdout);
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace halocline::cli {

enum class Style { kPlain, kBold, kDim, kRed, kYellow, kGreen };

// The text in the style when `file` is a terminal that takes colours.
std::string styled(const std::string& text, Style style, std::FILE* file);

struct Cell {
  std::string text;
  Style style = Style::kPlain;
  Cell(std::string t, Style s = Style::kPlain) : text(std::move(t)), style(s) {}  // NOLINT: rows are written as lists
  Cell(const char* t) : text(t) {}                                              // NOLINT
};

class Table {
 public:
  enum Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> row);  // a cell a column
  std::size_t size() const { return rows_.size(); }
  void print(std::FILE* file) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Left-aligned names with values, for one thing with many properties.
void print_pairs(const std::vector<std::pair<std::string, std::string>>& pairs, std::FILE* file);

}  // namespace halocline::cli
