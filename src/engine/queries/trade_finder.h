// The trades by what queries ask of them, so that each of very many queries that are registered one after the other need not read them all
// for its first answer. Made when the same columns are asked for again, kept up while it is used, and forgotten after.
//
// Costs: about 24 bytes a trade for each set of columns asked for by equality, 16 for each asked for by range; not made beyond a bound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/queries/indexed_condition.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

class TradeFinder {
 public:
  explicit TradeFinder(const State& state) : state_(state) {}

  // Between two rounds of questions.
  void begin_round() { ++round_; }
  // In ascending order all trades that meet the condition, and some that may not. Nothing: it is not known, read them all.
  std::optional<std::vector<std::uint32_t>> find(const IndexedCondition& condition);

  // After a command: a trade is new or changed; any may read differently.
  void note(std::uint32_t trade, const Reader& reader);
  void forget() { sets_.clear(); }
  bool empty() const { return sets_.empty(); }  // then nothing need be noted

 private:
  // By the values of some columns: chains in a hash table.
  struct Points {
    struct Entry {
      std::uint64_t hash;
      std::uint32_t trade;
      std::uint32_t next;
    };
    std::vector<Entry> entries;
    std::vector<std::uint32_t> heads;  // a power of two

    void add(std::uint64_t hash, std::uint32_t trade);
    void chain(std::uint32_t entry);
    void find(std::uint64_t hash, std::vector<std::uint32_t>& found) const;
  };
  // By the value of one, as far as it fits in 64 bits: in order up to `sorted`.
  struct Range {
    std::vector<std::pair<std::int64_t, std::uint32_t>> entries;
    std::size_t sorted = 0;

    // False when there are more than `most`.
    bool find(std::int64_t low, std::int64_t high, std::size_t most, std::vector<std::uint32_t>& found);
  };
  struct Set {
    IndexedCondition::Kind kind;
    std::vector<std::uint32_t> columns;
    std::uint64_t asked_in;   // the round of the first question
    std::uint32_t known = 0;  // trades before this one are in it
    Points points = {};
    Range range = {};

    std::size_t size() const { return points.entries.size() + range.entries.size(); }
  };

  // The set for these columns, up to date; nullptr when it is not to be used.
  Set* set_of(IndexedCondition::Kind kind, const std::vector<std::uint32_t>& columns);
  std::size_t trades_known() const;  // of all sets
  void add(Set& set, const Reader& reader, std::uint32_t trade);

  const State& state_;
  std::vector<Set> sets_;
  std::uint64_t round_ = 0;
  std::uint64_t unused_ = 0;  // trades noted since the last question
  std::string scratch_;
};

}  // namespace halocline::queries
