// Files of a table made anew: the same rows in other files. Made beside the commits (maintenance/compaction.h), committed between them
// (table_set.h). Values.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "history/iceberg/data_file.h"
#include "history/iceberg/table_change.h"

namespace halocline {

struct Rewrite {
  struct File {
    iceberg::DataFile file;              // in the warehouse
    std::vector<std::uint64_t> numbers;  // the first column of its rows, of a table of current rows
  };
  std::string table;
  std::set<std::string> removed_data;     // locations of the live data files that go
  std::set<std::string> removed_deletes;  // … and of the delete files, but for deletion vectors, which go with their data file
  std::set<std::string> deletes;          // all delete files that were live when it was made
  std::vector<File> data;                 // what comes instead
  std::vector<iceberg::DataFile> kept_deletes;  // … and the deletes of data files that stay
  std::set<std::string> manifests;        // locations of those that the commit makes anew (iceberg/manifest_packing.h)
};

// What it does to the table's files.
iceberg::TableChange change_of(const Rewrite& rewrite);

}  // namespace halocline
