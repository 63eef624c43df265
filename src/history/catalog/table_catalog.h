// Which tables there are, and what the current metadata of each is. Iceberg REST spec, Catalog API: the operations are its, and
// so is what they mean. Our own history commits through it in the process; everybody else over HTTP (rest_catalog.h).
//
//   Result<LoadedTable> table = catalog.load_table({{"halocline"}, "trades"});
//   TableCommit commit{{{"halocline"}, "trades"}, {AssertRefSnapshotId{"main", id}}, {AddSnapshot{…}, SetSnapshotRef{"main", …}}};
//   Result<LoadedTable> committed = catalog.commit_table(commit);
//
// WriterCatalog is as much of it as the history needs.
//
// What a failure means is said once: kInvalidArgument, what was sent is wrong; kNotFound and kAlreadyExists, the thing the method
// is about; kFailedPrecondition, see each method; kUnavailable, nobody knows whether it happened: load and look. Anything else:
// it did not happen.
//
// Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "history/iceberg/metadata_update.h"
#include "history/iceberg/table_metadata.h"

namespace halocline::iceberg {

// Levels from the outermost: {"accounting", "tax"}.
using Namespace = std::vector<std::string>;

struct TableName {
  Namespace space;
  std::string name;

  friend bool operator==(const TableName&, const TableName&) = default;
};

inline constexpr std::size_t kMaxNamespaceLevels = 16;
inline constexpr std::size_t kMaxNameBytes = 255;               // of a level or a table, UTF-8
inline constexpr std::size_t kMaxMetadataBytes = 256u << 20;    // of a metadata file
inline constexpr std::size_t kMaxTransactionTables = 1'024;

// "accounting.tax.paid", for messages.
std::string text_of(const Namespace& space);
std::string text_of(const TableName& table);

struct LoadedTable {
  std::string metadata_location;  // empty: staged, not created yet
  std::shared_ptr<const TableMetadata> metadata;
};

// A page of a listing, in the order of names. All there is, when `size` is 0.
struct PageRequest {
  std::string after;      // the `next` of the page before; empty: from the beginning
  std::size_t size = 0;
};
template <class T>
struct Page {
  std::vector<T> items;
  std::string next;  // empty: this is the last
};

struct NewTable {
  TableName table;
  TableDraft draft;     // an empty location is chosen by the catalog; another one must lie in the warehouse
  bool staged = false;  // only say what it would be; a commit with AssertCreate makes it
};

struct TableCommit {
  TableName table;
  std::vector<Requirement> requirements;
  std::vector<MetadataUpdate> updates;
};

struct NamespaceChange {
  std::vector<std::string> removed, updated, missing;  // keys
};

// What a writer of tables needs of a catalog, be it ours or another one's (remote_catalog.h).
class WriterCatalog {
 public:
  virtual ~WriterCatalog() = default;

  // Those directly below `parent`; the outermost ones when it is empty. kNotFound: no such parent.
  virtual Result<Page<Namespace>> list_namespaces(const Namespace& parent, const PageRequest& page) = 0;
  // kNotFound: the namespace around it does not exist.
  virtual Status create_namespace(const Namespace& space, const Properties& properties) = 0;
  // kNotFound: no such namespace.
  virtual Result<Page<TableName>> list_tables(const Namespace& space, const PageRequest& page) = 0;
  // kNotFound: no such namespace.
  virtual Result<LoadedTable> create_table(const NewTable& table) = 0;
  // kOutOfRange: its metadata file is gone. kDataLoss: the file is damaged.
  virtual Result<LoadedTable> load_table(const TableName& table) = 0;
  // With AssertCreate among the requirements the updates make the table. kFailedPrecondition: a requirement does not hold, or the
  // updates came too late; load, look, and perhaps try again.
  virtual Result<LoadedTable> commit_table(const TableCommit& commit) = 0;
  // All of them or none; the tables must differ. Codes as for commit_table.
  virtual Status commit_transaction(const std::vector<TableCommit>& commits) = 0;
};

// All of one.
class TableCatalog : public WriterCatalog {
 public:
  virtual Result<Properties> load_namespace(const Namespace& space) = 0;
  virtual Result<NamespaceChange> update_namespace(const Namespace& space, const std::vector<std::string>& removals,
                                                   const Properties& updates) = 0;
  // kFailedPrecondition: there are tables or namespaces in it.
  virtual Status drop_namespace(const Namespace& space) = 0;

  // A table of which there is a metadata file. kNotFound: no such namespace. kOutOfRange: no such file. `overwrite` lets a table
  // of that name point at the file from now on.
  virtual Result<LoadedTable> register_table(const TableName& table, const std::string& metadata_location, bool overwrite) = 0;
  // kFailedPrecondition: the new name's namespace does not exist.
  virtual Status rename_table(const TableName& from, const TableName& to) = 0;
  // `purge` removes its files too. kInvalidArgument then, when they cannot be told from those of another table.
  virtual Status drop_table(const TableName& table, bool purge) = 0;

  // Files of tables that a process died over while it made or purged them. For whoever owns the warehouse, at its start. A failure is
  // the warehouse's: what is left then goes the next time, or before another table of that name is made.
  virtual Status remove_unfinished() = 0;
};

}  // namespace halocline::iceberg
