// The latest events of all continuous queries, for those who come back with a bookmark. Bounded in bytes over all queries together; the
// oldest go first. They may share their memory with others that are added with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "command/query.h"

namespace halocline {

class RecentEvents {
 public:
  explicit RecentEvents(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // In the order of seqs.
  void add(std::uint64_t query, std::shared_ptr<const QueryEvents> events);
  // Everything added that is of a later seq is here.
  Seq complete_after() const { return complete_after_; }
  // Copies of the first `most` of those of the query after `seq`: who takes them may keep them for long.
  std::vector<std::shared_ptr<const QueryEvents>> after(std::uint64_t query, Seq seq, std::size_t most) const;

 private:
  struct Added {
    std::uint64_t query;
    std::size_t bytes;
  };

  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  Seq complete_after_ = 0;
  std::deque<Added> order_;
  std::unordered_map<std::uint64_t, std::deque<std::shared_ptr<const QueryEvents>>> of_;
};

}  // namespace halocline
