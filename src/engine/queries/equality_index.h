// The queries that have equalities on the same columns, by the values these must have. A row of nobody's costs one look.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/queries/indexed_condition.h"
#include "engine/queries/range_index.h"
#include "engine/queries/schema.h"

namespace halocline::queries {

// A column whose rows name something by id: the hashes of its texts, so that most rows need not be read to their texts, and which of them
// are asked for.
class WantedNames {
 public:
  void want(std::uint64_t hash);
  void want_no_more(std::uint64_t hash);
  std::size_t size() const { return wanted_.size(); }

  // Keeps the places of rows whose name may be asked for.
  void keep_wanted(const Column& column, const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& places);
  // Of the row's name, which has the id.
  std::uint64_t hash_of(const Column& column, const Reader& reader, std::uint32_t row, std::uint32_t id);

 private:
  enum class Wanted : std::uint8_t { kUnknown, kNo, kYes };

  void forget(std::uint64_t version);
  Wanted find_out(const Column& column, const Reader& reader, std::uint32_t row, std::uint32_t id);

  std::vector<std::uint64_t> hashes_;                      // by id; 0: not known
  std::vector<Wanted> wanted_by_id_;                       // follows from the others
  std::unordered_map<std::uint64_t, std::size_t> wanted_;  // by hash: how often
  std::uint64_t version_ = 0;                              // of the names
  std::vector<std::uint32_t> ids_;                         // of the rows looked at
};

class EqualityIndex {
 public:
  using Query = std::uint64_t;
  static constexpr std::uint32_t kNowhere = ~0u;
  static constexpr std::size_t kMostTogether = 32;  // rows

  // `remembers`: at which list rows of the same names are. It pays where such rows come again and again.
  EqualityIndex(const Table& table, std::vector<std::uint32_t> columns, bool remembers);

  const std::vector<std::uint32_t>& columns() const { return columns_; }
  // The key is one of the condition's points.
  void add(const std::string& key, Query query, const IndexedCondition& condition);
  void remove(const std::string& key, Query query, const IndexedCondition& condition);
  bool empty() const { return size_ == 0; }

  // Keeps the places of the rows that may be at a key, which are all that are and few others where equalities are of names.
  void screen(const Reader& reader, std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& places);
  // At which list of queries each of the rows, kMostTogether at most, is, or kNowhere. Holds until a query comes or goes. What append()
  // will read of them is brought nearer.
  void find_lists(const Reader& reader, std::span<const std::uint32_t> rows, std::uint32_t* lists);
  // Appends those of a row's list whose condition it meets. `room`: as RangeIndex::find() has it.
  void append(std::uint32_t list, const Reader& reader, std::uint32_t row, std::vector<Query>& found, Int128* room) const;
  // Whether a node stays at its list while no name changes.
  bool is_of_texts() const;

 private:
  static constexpr Query kNobody = ~Query{0};
  static constexpr std::size_t kMostNamed = 4;  // columns that have ids
  using Ids = std::array<std::uint32_t, kMostNamed>;

  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t list = kNowhere;
  };
  // Most have one query, which costs no look elsewhere.
  struct Head {
    Query first = kNobody;
    bool has_more = false;
  };
  struct List {
    std::string key;
    std::vector<Query> others = {};
    RangeIndex ranges = {};
  };
  // What is known of rows by their names' ids: the list they are at, or that they are at none.
  struct Known {
    Ids ids;
    std::uint32_t list;
  };
  static constexpr std::uint32_t kFree = kNowhere - 1;

  // Calls with the names of each column that has some and the hash of the key's; they ask for one more or fewer.
  template <class Change>
  void each_named(const std::string& key, Change change);
  std::uint64_t hash_of_key(const std::string& key) const;
  // Where the key is, or would be.
  Slot& slot_of(std::uint64_t hash, const std::string& key);
  bool has(std::uint64_t hash) const;
  void grow();
  void drop_empty_lists();
  // Has brought nearer what these lists hold beside their heads.
  void fetch_more(std::span<const std::uint32_t> lists);
  // By the texts of the names, which most rows need not be read to, and the other values.
  std::uint32_t search(const Reader& reader, std::uint32_t row);
  // Whether the ids of rows say all, and those known are of the names that the reader reads.
  bool goes_by_ids(const Reader& reader);
  std::size_t place_of(const Ids& ids) const;
  Known& known(const Ids& ids);
  std::uint32_t list_of(const Ids& ids, const Reader& reader, std::uint32_t row);
  void grow_known();
  void forget_known();

  const Table& table_;
  const std::vector<std::uint32_t> columns_;
  const bool remembers_;
  std::vector<WantedNames> names_;              // of each column
  std::vector<std::uint32_t> by_names_wanted_;  // the columns that have names, in ascending order of how many are asked for
  std::vector<Slot> slots_;                     // a power of two, at most half of them taken
  std::vector<Head> heads_;
  std::vector<List> lists_;  // beside their heads
  std::size_t size_ = 0;

  std::vector<Known> known_;  // a hash table as slots_; empty before the first row
  std::size_t known_size_ = 0;
  std::uint64_t names_version_ = 0;  // of what is known
  std::vector<Ids> ids_;             // of the rows looked at
  std::vector<std::uint32_t> places_, column_ids_;
  std::vector<const List*> with_more_;
  std::string scratch_;
};

}  // namespace halocline::queries
