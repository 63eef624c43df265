// "Did you mean …?": which of the known names is likely meant by a mistyped one. Pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace halocline {

// How many letters to add, drop, change or swap with the next one (the "optimal string alignment"). Costs a.size() * b.size().
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_above(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    two_above.swap(above);
    above.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
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
