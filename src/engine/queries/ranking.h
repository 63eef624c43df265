// The first rows of an order (ORDER BY … LIMIT) among the trades that pass a condition. The rows of the answer are kept; of the others only
// where they stand in the order, so that the next one is known when a row of the answer leaves. What a trade behind the limit costs is the
// logarithm of their number at most, and nearly nothing for most.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/btree_set.h>
#include <absl/container/inlined_vector.h>
#include <absl/types/compare.h>

#include "command/query.h"
#include "engine/queries/plan.h"
#include "engine/queries/projection.h"

namespace halocline::queries {

class Ranking {
 public:
  Ranking(std::shared_ptr<const Plan> plan, Projection& projection)
      : limit_(*plan->limit), projection_(&projection), plan_(std::move(plan)) {}

  // The trade was, or is, one of those ordered. `state` reads any trade as it is now.
  void change(std::uint32_t trade, const Subject& subject, bool was, bool is, const Reader& state);
  // What the answer became since the last call, in the order of keys, in the memory; nullptr when it is the same. `round` as projection.h
  // has it.
  const QueryEvents* drain(std::uint64_t round, Seq seq, Nanos time, EventMemory& memory);
  void forget_changes() { changed_.clear(); }
  // Has the memory brought nearer that change() will read, when the answer is short.
  void fetch() const;
  // Another that selects the same.
  void use(Projection& projection) { projection_ = &projection; }

  // The answer, in its order.
  std::vector<KeptRow> rows() const;
  // kResourceExhausted when it is beyond a bound.
  Status within_bounds() const;

 private:
  // The first bytes of the order, as a number, decide most comparisons without a look at the rest.
  static std::uint64_t first_bytes(std::string_view order);
  struct Inside {
    explicit Inside(std::shared_ptr<const Standing> of) : first(first_bytes(of->order)), row(std::move(of)) {}
    std::string_view order() const { return row->order; }

    std::uint64_t first;
    std::shared_ptr<const Standing> row;
  };
  struct Wanted {
    explicit Wanted(std::string_view of) : first(first_bytes(of)), text(of) {}
    std::string_view order() const { return text; }

    std::uint64_t first;
    std::string_view text;
  };
  struct Earlier {
    using is_transparent = void;
    template <class A, class B>
    absl::weak_ordering operator()(const A& a, const B& b) const {
      const int order = a.first != b.first ? (a.first < b.first ? -1 : 1) : a.order().compare(b.order());
      return order < 0 ? absl::weak_ordering::less : order > 0 ? absl::weak_ordering::greater : absl::weak_ordering::equivalent;
    }
  };
  using Answer = absl::btree_set<Inside, Earlier>;
  struct Outside {
    std::string order;
    std::uint32_t trade;
  };

  void take_in(std::shared_ptr<const Standing> row);
  void take_out(Answer::iterator place, RowReason reason);
  void put_behind(std::string_view order, std::uint32_t trade);
  void put_in_order();
  // Whether it comes after the last one inside, which is full.
  bool is_behind(const Wanted& one) const;
  void enter(std::uint32_t trade, const Subject& subject);
  void fill_up(const Reader& state);
  bool stands(const Outside& one, const Reader& state) const;
  void sweep(const Reader& state);

  const std::uint64_t limit_;
  Projection* projection_;
  Answer inside_;
  // One after the other: a row may have several, until they are brought together.
  absl::InlinedVector<StandingChange, 2> changed_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0;  // the first bytes of the last one inside, while that is full
  // Those put behind lately, in no order: each its trade, the size of its order, and that. Few of those who have few ever need one.
  std::vector<char> lately_;
  // A heap, the first of the order on top. Trades that have left it, or stand elsewhere now, are dropped when they come up.
  std::unique_ptr<std::deque<Outside>> outside_;  // which grows without moving them all; nullptr until there is one
  std::size_t waiting_ = 0;  // trades outside, without what is to be dropped
  const std::shared_ptr<const Plan> plan_;
};

}  // namespace halocline::queries
