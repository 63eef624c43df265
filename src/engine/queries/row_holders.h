// Which queries hold which rows of a source: those must be looked at when the row changes, whatever it reads then.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace halocline::queries {

class RowHolders {
 public:
  using Query = std::uint64_t;

  void add(std::uint32_t row, Query query) {
    if (row >= held_.size()) held_.resize(2 * static_cast<std::size_t>(row) + 1);
    held_[row] = true;
    queries_[row].push_back(query);
  }
  // One that was added.
  void remove(std::uint32_t row, Query query) {
    const auto at = queries_.find(row);
    std::erase(at->second, query);
    if (!at->second.empty()) return;
    queries_.erase(at);
    held_[row] = false;
  }
  // By anybody. Reads a bit.
  bool holds(std::uint32_t row) const { return row < held_.size() && held_[row]; }
  void append(std::uint32_t row, std::vector<Query>& found) const {
    if (!holds(row)) return;
    const std::vector<Query>& of = queries_.at(row);
    found.insert(found.end(), of.begin(), of.end());
  }

 private:
  std::vector<bool> held_;
  std::unordered_map<std::uint32_t, std::vector<Query>> queries_;
};

}  // namespace halocline::queries
