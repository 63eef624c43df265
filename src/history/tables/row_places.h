// Where the row of each number is in a table of current rows: a dense number to a data file and a position in it, so that an upsert finds
// the row it replaces without a scan. 8 bytes a row. From version 3 also which rows of each file are deleted, since a file's deletion
// vector has all of them: 4 bytes a deleted row. Rebuilt from the table at the start, and when somebody else changed its files.
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/iceberg/table_metadata.h"
#include "history/parquet/position_deletes.h"
#include "history/warehouse.h"

namespace halocline {

class RowPlaces {
 public:
  // From the current snapshot: reads the column `key_field` of every data file, and which of their rows are deleted. kUnsupported: in
  // another way than by position. kDataLoss: two rows of one number, or a broken file.
  Status load(Warehouse& warehouse, const iceberg::TableMetadata& table, std::int32_t key_field);

  // Of the snapshot that was loaded, or that follows it by moved().
  std::optional<std::int64_t> snapshot() const { return snapshot_; }
  std::optional<iceberg::DeletedRow> find(std::uint64_t number) const;

  // Of a table from version 3: which rows of the data file are deleted, ascending. Its cost is that of looking through the files.
  std::vector<std::int64_t> deleted(const std::string& file) const;

  // Which of the numbers have their row in none of these files, by their place among them.
  std::vector<std::int64_t> elsewhere(const std::vector<std::uint64_t>& numbers, const std::set<std::string>& files) const;

  // Row i of the new data file is that of numbers[i].
  void put(const std::string& file, const std::vector<std::uint64_t>& numbers);
  // The same, but for those numbers whose row is in none of the files `from`: it stays where it is.
  void move(const std::string& file, const std::vector<std::uint64_t>& numbers, const std::set<std::string>& from);
  // No row is in these files any more.
  void drop(const std::set<std::string>& files);
  void forget(std::uint64_t number);
  // The changes made belong to this snapshot; none: it is not known, load again.
  void moved(std::optional<std::int64_t> snapshot) { snapshot_ = snapshot, loaded_ = snapshot.has_value(); }
  bool loaded_for(const iceberg::TableMetadata& table) const { 
    return loaded_ && snapshot_ == table.current_snapshot_id && keep_deleted_ == (table.format_version >= 3);
  }

 private:
  struct Place {
    std::uint32_t file = kNowhere;
    std::uint32_t row = 0;
  };
  static constexpr std::uint32_t kNowhere = ~0u;
  struct File {
    std::string location;  // empty: no row is there any more
    std::vector<std::uint32_t> deleted;
  };
  // Which of files_ are among these.
  std::vector<bool> marked(const std::set<std::string>& files) const;
  // The row at this place, if any, is deleted.
  void leave(const Place& place);

  std::vector<File> files_;
  std::vector<Place> places_;  // by number
  bool keep_deleted_ = false;  // from version 3
  std::optional<std::int64_t> snapshot_;
  bool loaded_ = false;
};

}  // namespace halocline
