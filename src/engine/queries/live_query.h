// A prepared query whose answer is kept up to date row by row: what a change costs is proportional to the rows it touches, not to those
// there are. After each command the answer equals what run() (run.h) gives, and the events between two commands are exactly the difference.
//
// Each row of a source that passes the conditions is remembered with what it contributed, so that it can be taken back when it
// changes: a row of the answer, or the values it put into the aggregates of its group.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/queries/plan.h"
#include "engine/queries/result_set.h"

namespace halocline::queries {

class LiveQuery {
 public:
  explicit LiveQuery(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)), result_(plan_->limit) {}

  const Plan& plan() const { return *plan_; }

  // The answer from nothing, without events. kResourceExhausted when it is beyond a bound.
  Status build(const Reader& reader);
  // A row of the source was added, changed or taken away.
  void row_changed(std::size_t side, std::uint32_t row, const Reader& reader, RowReason reason = RowReason::kChanged);
  // Any row may read differently. `held` is told which rows of a single source contribute now and did not before, or the other way round.
  template <class Held>
  void refresh(const Reader& reader, Held&& held) {
    for (std::size_t side = plan_->tables.size(); side-- > 0;) {
      const auto size = static_cast<std::uint32_t>(plan_->tables[side]->size(reader.state));
      for (std::uint32_t row = 0; row < size; ++row) {
        const bool before = holds(row);
        row_changed(side, row, reader);
        if (plan_->tables.size() == 1 && holds(row) != before) held(row, !before);
      }
    }
  }
  // Rows whose time has come; `held` as above.
  template <class Held>
  void pass_time(const Reader& reader, Held&& held) {
    while (!due_.empty() && due_.begin()->first <= reader.now) {
      const std::uint32_t row = due_.begin()->second;
      due_.erase(due_.begin());
      due_of_.erase(row);
      const bool before = holds(row);
      row_changed(0, row, reader, RowReason::kTime);
      if (holds(row) != before) held(row, !before);
    }
  }
  Nanos deadline() const { return due_.empty() ? INT64_MAX : due_.begin()->first; }
  // Whether the row contributes: it must be looked at when it changes, whatever it reads now.
  bool holds(std::uint32_t row) const { return tuples_.contains(tuple_of(row, kNoId)); }

  std::size_t size() const { return tuples_.size(); }  // rows, or pairs of them, that contribute
  std::size_t answer_size() const { return plan_->limit ? std::min<std::size_t>(result_.size(), *plan_->limit) : result_.size(); }

  template <class Visit>
  void each_row(Visit&& visit) const {
    for (const auto& [tuple, contribution] : tuples_) visit(static_cast<std::uint32_t>(tuple >> 32));
  }

  // What changed since the last call, in the memory. kResourceExhausted: beyond a bound; the query is of no use any more.
  Result<std::span<const RowEvent>> drain(const Reader& reader, EventMemory& memory);
  std::vector<KeptRow> rows() const { return result_.rows(); }

 private:
  using Tuple = std::uint64_t;  // the rows of both sources, kNoId for none
  struct Contribution {
    std::string group;
    std::string values;  // of the aggregates, each with whether it counts
  };
  struct Group {
    std::vector<Accumulator> accumulators;
    std::uint64_t tuples = 0;
  };

  static Tuple tuple_of(std::uint32_t left, std::uint32_t right) { return static_cast<Tuple>(left) << 32 | right; }
  bool passes(std::size_t side, std::uint32_t row, const Reader& reader) const;
  void joined_row_changed(std::size_t side, std::uint32_t row, const Reader& reader, RowReason reason);
  // The two rows' place in the answer anew; `is_tuple` says whether they belong together.
  void tuple_changed(std::uint32_t left, std::uint32_t right, bool is_tuple, const Reader& reader, RowReason reason);
  void add(Tuple tuple, const Inputs& inputs, const Reader& reader);
  void take_back(Tuple tuple, RowReason reason);
  void count(const Contribution& contribution, bool back);
  void settle_groups(const Reader& reader);
  Status within_bounds() const;
  void await(std::uint32_t row, const Reader& reader);

  const std::shared_ptr<const Plan> plan_;
  ResultSet result_;

  // A plain query's contributions are the rows of `result_`; this says which there are. A grouped one's are kept.
  std::unordered_map<Tuple, Contribution> tuples_;
  std::unordered_map<std::string, Group> groups_;
  std::unordered_map<std::string, RowReason> touched_groups_;

  // A join's rows that pass the conditions on their side, by the values they meet at.
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_key_[2];
  std::unordered_map<std::uint32_t, std::string> key_of_[2];
  std::unordered_set<std::uint32_t> left_rows_;  // of a left join: those without a key too

  // When rows must be looked at because time passed.
  std::set<std::pair<Nanos, std::uint32_t>> due_;
  std::unordered_map<std::uint32_t, Nanos> due_of_;

  std::size_t bytes_ = 0;
};

}  // namespace halocline::queries
