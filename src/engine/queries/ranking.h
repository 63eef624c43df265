// The first rows of an order (ORDER BY … LIMIT) among the trades that pass a condition. The rows of the answer are kept; of the others only
// where they stand in the order, so that the next one is known when a row of the answer leaves. What a trade behind the limit costs is the
// logarithm of their number at most, and nearly nothing for most.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "command/query.h"
#include "engine/queries/plan.h"
#include "engine/queries/projection.h"
#include "engine/queries/result_set.h"

namespace halocline::queries {

class Ranking {
 public:
  Ranking(std::shared_ptr<const Plan> plan, Projection& projection) : plan_(std::move(plan)), projection_(&projection) {}

  // The trade was, or is, one of those ordered. `state` reads any trade as it is now.
  void change(std::uint32_t trade, const Subject& subject, bool was, bool is, const Reader& state);
  // What the answer became since the last call, in the order of keys.
  void drain(std::vector<RowEvent>& events);
  void forget_changes() { forget_all(changed_); }
  // Another that selects the same.
  void use(Projection& projection) { projection_ = &projection; }

  // The answer, in its order.
  std::vector<KeptRow> rows() const;
  // kResourceExhausted when it is beyond a bound.
  Status within_bounds() const;

 private:
  struct Inside {
    std::uint32_t trade;
    std::string row;  // packed
  };
  struct Outside {
    std::string order;
    std::uint32_t trade;
  };
  // How a row stood in the answer when the changes began, and how it stands now.
  struct Change {
    std::optional<std::string> before;
    std::optional<std::string> order;  // where it is inside
    RowReason reason = RowReason::kChanged;
  };
  using Place = std::map<std::string, Inside>::iterator;

  std::uint64_t limit() const { return *plan_->limit; }
  Change& note(std::uint32_t trade, const std::string* row);
  void take_in(const std::string& order, std::uint32_t trade, std::string row);
  void take_out(Place place, RowReason reason);
  void put_behind(std::string order, std::uint32_t trade);
  void enter(std::uint32_t trade, const Subject& subject);
  void fill_up(const Reader& state);
  bool stands(const Outside& one, const Reader& state) const;
  void sweep(const Reader& state);

  const std::shared_ptr<const Plan> plan_;
  Projection* projection_;
  std::map<std::string, Inside> inside_;  // by order
  // A heap, the first of the order on top. Trades that have left it, or stand elsewhere now, are dropped when they come up.
  std::deque<Outside> outside_;  // which grows without moving them all
  std::size_t waiting_ = 0;  // trades outside, without what is to be dropped
  std::unordered_map<std::uint32_t, Change> changed_;
  std::size_t bytes_ = 0;
};

}  // namespace halocline::queries
