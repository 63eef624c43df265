// The groups of the trades that pass a condition, kept once for all queries that group them alike and work out the same of each: what each
// of these selects, and its HAVING, is looked at when a group has changed.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "base/prefetch.h"
#include "engine/queries/live_events.h"
#include "engine/queries/named_table.h"
#include "engine/queries/packed_names.h"
#include "engine/queries/plan.h"
#include "engine/queries/projection.h"
#include "engine/queries/result_set.h"

namespace halocline::queries {

class Grouping {
 public:
  using Id = std::uint64_t;

  // `plan` is of any query that is grouped so, whatever its condition; `names` of each of its keys: nullptr when it is no name.
  Grouping(std::shared_ptr<const Plan> plan, std::span<PackedNames* const> names);

  // A query of these groups; those that are there are in its answer at once, without events.
  void add(Id id, std::shared_ptr<const Plan> plan, Projection& projection, const Reader& reader);
  // The groups of the other are these from here on: they are alike.
  void take_groups(Grouping& from);
  // A query of the other's, whose groups are, or were, as these.
  void take_user(Id id, std::shared_ptr<const Plan> plan, Projection& projection, Grouping& from, Id theirs);
  std::size_t size() const { return groups_.size(); }
  bool has(Id id) const;
  // One it has. Gives what nobody needs any more, if that may be much.
  std::shared_ptr<void> remove(Id id);
  bool unused() const { return users_.empty(); }
  const std::string& identity() const { return plan_->groups_identity; }
  template <class Visit>
  void each_query(Visit visit) const {
    for (const User& user : users_) visit(user.id);
  }

  // A trade's values into its group, or back out of it; `reader` reads the trade as it counted.
  void count(const Reader& reader, const Inputs& inputs, bool back);
  // What the changes since the last call did to each query's answer. `subjects` numbers the groups.
  void settle(const Reader& reader, Seq seq, std::uint64_t& subjects, ToldEvents& told);
  void forget_changes();
  // Has the memory brought nearer that counting this trade, and settle(), will read; and, when that has come, the group itself.
  std::uint64_t fetch(const Reader& reader, const Inputs& inputs);
  void fetch_group(std::uint64_t fetched) const { groups_.prefetch_value(fetched); }

  std::vector<KeptRow> rows(Id id, const Reader& reader) const;
  Status within_bounds() const;

 private:
  struct Group {
    std::uint64_t trades = 0;
    absl::InlinedVector<Accumulator, 1> accumulators;
    std::size_t change = 0;  // its place in changed_, from 1; 0 when it has not changed
  };
  using Named = NamedTable<Group>::Named;
  struct Changed {
    Named* group;
    bool was;  // there before
    std::size_t values;  // where those before the changes begin
  };
  // What most changes of a group need of a query lies in a line of memory, without its plan.
  struct alignas(kLine) User {
    User(Id of, std::shared_ptr<const Plan> asked, Projection& selects, std::unique_ptr<ResultSet> kept);
    bool passes(const Reader& reader, const Inputs& inputs) const {
      return having ? having->holds(inputs) : !plan->having || plan->having->holds(reader, inputs);
    }

    Id id;
    std::optional<SlotComparison> having;  // when it is no more than that
    Projection* projection;
    std::unique_ptr<ResultSet> first;      // with a LIMIT
    std::shared_ptr<const Plan> plan;
  };
  static_assert(sizeof(User) == kLine);

  bool always_there() const { return plan_->keys.empty(); }  // no rows are one group, when nothing tells groups apart
  bool is_there(const Group& group) const { return group.trades != 0 || always_there(); }
  std::size_t bytes_of(const Named& group) const;
  // What the row's group is called; holds until the next call.
  HashedName key_of(const Reader& reader, const Inputs& inputs);
  void note(Named& group);
  template <class Values>
  void append_values(const Group& group, Values& values, std::list<std::string>& texts) const;
  // Each group that is there, with what queries read of it.
  template <class Visit>
  void each_group(Visit visit) const;
  void tell(User& user, const Subject& subject, const Reader& reader, Seq seq, ToldEvents& told);

  const std::shared_ptr<const Plan> plan_;
  const absl::InlinedVector<PackedNames*, 1> names_;
  NamedTable<Group> groups_;
  std::vector<User> users_;
  absl::InlinedVector<Changed, 1> changed_;
  absl::InlinedVector<Value, 1> values_;
  std::list<std::string> texts_;
  ByteBuffer key_;
  std::size_t bytes_ = 0;
};

}  // namespace halocline::queries
