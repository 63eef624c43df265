// "Did you mean …?": which of the known names is likely meant by a mistyped one. Pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace halocline {

// Levenshtein's distance: how many letters to add, drop or change. Costs a.size() * b.size().
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// The one of `known` that is likely meant by `typed`; empty when none is close.
template <class Names>
std::string closest(std::string_view typed, const Names& known) {
  std::string best;
  std::size_t least = typed.size() / 3 + 2;
  for (const auto& name : known) {
    const std::size_t distance = edit_distance(typed, name);
    if (distance < least) least = distance, best = name;
  }
  return best;
}

}  // namespace halocline
