// The continuous queries over trades alone. What a changed trade does to their answers follows from how it read before the command and how
// it reads now, so no row of a plain answer is kept: only groups, and the first of an order.
//
// What queries have in common is there once: a condition is looked at once for all that have it, its groups are counted once, what is
// selected is packed once. A trade finds the conditions it may meet in an index (predicate_index.h); those that have none an index can use
// are looked at with every trade.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "base/prefetch.h"
#include "base/status.h"
#include "command/query.h"
#include "engine/queries/grouping.h"
#include "engine/queries/live_events.h"
#include "engine/queries/plan.h"
#include "engine/queries/predicate_index.h"
#include "engine/queries/projection.h"
#include "engine/queries/ranking.h"
#include "engine/queries/result_set.h"
#include "engine/queries/trade_finder.h"
#include "engine/state/changes.h"

namespace halocline::queries {

// One that a command brought, at its seq and time.
struct NewTrade {
  std::uint32_t trade;
  Seq seq;
  Nanos time;
};

class TradeQueries {
 public:
  using Id = std::uint64_t;

  // Whether the query is one of these: over trades alone, and time does not change its answer.
  static bool takes(const Plan& plan);
  // Whether it is a plain one of these: what it needs of the trades there are is its answer alone.
  static bool lists(const Plan& plan) { return takes(plan) && !plan.grouped && !plan.limit; }

  explicit TradeQueries(const State& state) : state_(state), index_(table_of(Source::kTrades)), finder_(state) {}

  struct Newcomer {
    Id id;
    std::shared_ptr<const Plan> plan;
  };
  // Reads the trades once for all of them. kResourceExhausted for one whose answer is beyond a bound, which must then be removed.
  std::vector<Status> add(std::span<const Newcomer> newcomers);
  // A plain one, whose answer is not asked for yet.
  void add_unread(const Newcomer& newcomer);
  // What the other, which has the same books, keeps for its query is that of the newcomer from here on.
  void adopt(const Newcomer& newcomer, TradeQueries& from, Id theirs);
  // Gives what nobody needs any more, if that may be much.
  std::shared_ptr<void> remove(Id id);
  // How many groups there are of those it asks for, when they are kept already.
  std::optional<std::size_t> known_groups(const Plan& plan) const;
  // The rows that rows() would look at.
  std::size_t cost_of_rows(Id id) const;
  // In the answer's order. Of a plain query this reads the trades, unless it was just added, or the last one asked for, and none changed
  // since.
  std::vector<KeptRow> rows(Id id);
  bool empty() const { return queries_.empty(); }

  // After a command: what it did to the answers, in no order, of some queries more than once. One that failed must be removed.
  void settle(Changes& changes, ToldEvents& told);
  // Of new trades, which read as they came, keeps those that may concern a query; each of these is then to be settled, in their order.
  // Costs little a trade: they are looked at together (PredicateIndex::screen).
  void keep_likely(std::vector<NewTrade>& gathered);
  // Some of those, kMostTogether at most, are settled together, up to one whose query failed, which must be removed before the next; how
  // many are. Events come in the order of seqs and then of queries.
  static constexpr std::size_t kMostTogether = PredicateIndex::kMostTogether;
  std::size_t settle(std::span<const NewTrade> some, ToldEvents& told);

 private:
  struct Listing {
    Id id = 0;
    Projection* projection = nullptr;
  };
  struct Ranked {
    Id id;
    Projection* projection;
    Ranking ranking;
    bool changed = false;
  };
  struct Grouped {
    Grouping grouping;
    bool changed = false;
  };
  // A condition, with all that is asked about the trades that meet it.
  // What a trade needs of it lies in its two lines.
  struct alignas(kLine) Selection {
    std::uint64_t looked_at = 0;  // the subject
    Listing listing{};            // most have one at most, which costs no look elsewhere
    bool index_decides = false;   // what the index finds meets it
    std::vector<Listing> listings;
    absl::InlinedVector<std::unique_ptr<Ranked>, 1> rankings;
    absl::InlinedVector<std::unique_ptr<Grouped>, 1> groupings;
    std::shared_ptr<const Plan> plan;  // of one that asks it
    std::unique_ptr<const IndexedCondition> indexed;  // nullptr: by nothing

    void add(const Listing& one) { listing.projection == nullptr ? void(listing = one) : listings.push_back(one); }
    void remove_listing(Id id) {
      if (listing.projection == nullptr || listing.id != id) {
        std::erase_if(listings, [&](const Listing& one) { return one.id == id; });
        return;
      }
      listing = listings.empty() ? Listing{} : listings.back();
      if (!listings.empty()) listings.pop_back();
    }
    template <class Visit>
    [[gnu::always_inline]] void each_listing(Visit visit) const {
      if (listing.projection != nullptr) visit(listing);
      for (const Listing& one : listings) visit(one);
    }
    // It keeps something of its trades; else it only lists them.
    bool keeps() const { return !rankings.empty() || !groupings.empty(); }
    bool unused() const { return listing.projection == nullptr && !keeps(); }
    bool holds(const Reader& reader, const Inputs& inputs) const { return !plan->filters[0] || plan->filters[0]->holds(reader, inputs); }
  };
  static_assert(sizeof(Selection) == 2 * kLine);
  struct Query {
    std::shared_ptr<const Plan> plan;
    std::uint32_t selection;
    Projection* projection;
  };
  // A query that needs the trades there are: a plain one for its answer, the others for what they keep of them.
  struct Reading {
    const Selection* selection;
    Projection* projection;
    Ranking* ranking = nullptr;
    Grouping* grouping = nullptr;
    std::vector<KeptRow> rows = {};
    std::size_t bytes = 0;
    Status status = {};
  };

  // What some selections ask about a trade.
  struct Asked {
    bool kept = false;           // some have rankings or groupings
    bool one_listing = true;     // beside these they have no more than that, and the index decides
  };

  static constexpr std::uint32_t kChunk = 256;  // selections that lie together
  Selection& selection(std::uint64_t number) { return (*selections_[number / kChunk])[number % kChunk]; }
  const Selection& selection(std::uint64_t number) const { return (*selections_[number / kChunk])[number % kChunk]; }
  std::uint32_t selection_of(const std::shared_ptr<const Plan>& plan);
  Projection& projection_of(const std::shared_ptr<const Plan>& plan);
  // Groups as this plan asks for, under a plan that is the same for all that ask so: very many then lie together.
  std::unique_ptr<Grouped> grouped_alike(const std::shared_ptr<const Plan>& plan);
  static Grouped* grouped(const Selection& of, const std::string& identity);
  static Ranked* ranked(const Selection& of, Id id);
  void read(std::vector<Reading>& readings);
  void read_all(std::vector<Reading>& readings, const std::vector<std::size_t>& which);
  // A trade as it is, for the reading to take when it meets its condition; `subject_` is the trade.
  void offer(Reading& reading, std::uint32_t trade, bool found_by_index);
  void keep_answer(Id id, const Plan& plan, std::vector<KeptRow> rows);
  std::shared_ptr<void> drop(std::uint32_t selection, Id id);
  // Before new trades are settled: finds whom they concern, and has what that will read brought nearer.
  Asked find(std::span<const NewTrade> some, const Reader& reader);
  // Has these selections brought nearer, all of them at the same time.
  Asked fetch(std::span<const std::uint64_t> found);
  // After that, where they keep something: has brought nearer what the trade will need of their rankings and groupings; and then the groups
  // themselves.
  void fetch_kept(std::span<const std::uint64_t> found, const Reader& reader, std::uint32_t trade);
  void fetch_groups();
  // Makes the trade the subject, as it was before the command and is after it; nullptr where it was, or is, no row.
  void look_at(std::uint32_t trade, const Reader* before, const Reader* now);
  // The same and all that follows from it.
  void trade_changed(std::uint32_t trade, const Reader* before, const Reader* now, ToldEvents& told);
  // Tells what the subject does to the selections which it may concern.
  void show(std::span<const std::uint64_t> found, std::uint32_t trade, ToldEvents& told);
  // The same of new trades that were found together, when nothing is kept of them, and they ask for one_listing each.
  void list(std::span<const NewTrade> some, Reader& new_trade, ToldEvents& told);
  // The selections that the one at that place of them may concern, in the order of events, mostly: that in which queries came.
  std::span<const std::uint64_t> found_in_order(std::size_t place);
  void change_kept(const Selection& of, std::uint32_t trade, bool was, bool is);
  void look_at_all(const Changes& changes, ToldEvents& told);
  bool keeps_changed() const { return !changed_rankings_.empty() || !changed_groupings_.empty(); }
  void settle_kept(ToldEvents& told);

  const State& state_;
  PredicateIndex index_;                  // of selections
  std::vector<std::uint32_t> unindexed_;  // selections that every trade concerns
  std::vector<std::unique_ptr<std::array<Selection, kChunk>>> selections_;
  std::vector<std::uint32_t> free_selections_;
  TradeFinder finder_;
  std::unordered_map<std::string, std::uint32_t> by_condition_;
  std::unordered_map<std::string, std::unique_ptr<Projection>> projections_;  // by outputs_identity
  struct Alike {
    std::shared_ptr<const Plan> plan;
    std::vector<PackedNames*> names;  // of its keys
    std::size_t users = 0;
  };
  std::unordered_map<std::string, Alike> grouped_alike_;  // by groups_identity
  std::unordered_map<const Column*, PackedNames> packed_names_;
  std::unordered_map<Id, Query> queries_;
  std::unordered_map<Id, std::vector<KeptRow>> answers_;  // of plain queries that were just added, until they are asked for
  Id last_answer_ = 0;                                    // the one of them that was asked for last

  Subject subject_;
  KeyOfRows key_;  // the subject's
  std::uint64_t subjects_ = 0;
  const Reader* state_reader_ = nullptr;  // while a command is settled
  Seq seq_ = 0;                           // its own
  std::vector<std::uint64_t> found_;
  PredicateIndex::Found found_together_;
  std::vector<std::uint32_t> screened_, likely_;
  std::vector<std::pair<const Grouping*, std::uint64_t>> fetched_;  // whose groups come next
  std::vector<Ranked*> changed_rankings_;
  std::vector<Grouped*> changed_groupings_;
};

}  // namespace halocline::queries
