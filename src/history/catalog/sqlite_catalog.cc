#include "history/catalog/sqlite_catalog.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/log.h"
#include "history/catalog/database.h"
#include "history/catalog/table_names.h"
#include "history/iceberg/json.h"
#include "history/iceberg/table_metadata_json.h"
#include "journal/crash_point.h"

namespace halocline::iceberg {
namespace {

constexpr std::int64_t kVersion = 1;             // of the database: docs/formats/catalog.md
constexpr std::size_t kMaxCachedTables = 256;    // whose metadata is kept in memory
constexpr std::int64_t kMostRows = 1ll << 40;    // a page without a size
constexpr char kMetadataPath[] = "write.metadata.path";

constexpr char kSchema[] =
    "CREATE TABLE namespaces (name TEXT PRIMARY KEY, parent TEXT NOT NULL, properties TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX namespaces_by_parent ON namespaces (parent, name);"
    "CREATE TABLE tables (namespace TEXT NOT NULL, name TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL,"
    " metadata_location TEXT NOT NULL, PRIMARY KEY (namespace, name)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";
// Came later, with nothing in it that an older program misses: the version stays.
constexpr char kUnfinished[] =
    "CREATE TABLE IF NOT EXISTS unfinished (location TEXT PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;";

Status no_namespace(const Namespace& space) { return Status(Code::kNotFound, "Namespace does not exist: " + text_of(space)); }
Status no_table(const TableName& table) { return Status(Code::kNotFound, "Table does not exist: " + text_of(table)); }
Status table_exists(const TableName& table) { return Status(Code::kAlreadyExists, "Table already exists: " + text_of(table)); }

// The number a metadata file's name begins with ("00012-….metadata.json"), -1 when it has none.
std::int64_t version_in(std::string_view metadata_location) {
  const std::string_view file = metadata_location.substr(metadata_location.rfind('/') + 1);
  std::int64_t version = -1;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), version);
  return error == std::errc() && end != file.data() + file.size() && *end == '-' && version >= 0 ? version : -1;
}

bool has_assert_create(const TableCommit& commit) {
  return std::any_of(commit.requirements.begin(), commit.requirements.end(),
                     [](const Requirement& one) { return std::holds_alternative<AssertCreate>(one); });
}

class SqliteCatalog final : public TableCatalog {
 public:
  SqliteCatalog(std::unique_ptr<Database> database, Warehouse& warehouse, const Clock& clock)
      : warehouse_(warehouse), clock_(clock), database_(std::move(database)) {}

  Status crash_at(const char* text) { return crash_points_.arm(text); }

  Result<Page<Namespace>> list_namespaces(const Namespace& parent, const PageRequest& request) override {
    std::lock_guard lock(mutex_);
    if (!parent.empty()) {
      if (Status status = require_namespace(parent); !status.ok()) return status;
    }
    Statement list(*database_, "SELECT name FROM namespaces WHERE parent = ?1 AND name > ?2 ORDER BY name LIMIT ?3");
    list.bind(1, key_of(parent));
    return page_of<Namespace>(list, request, [](const std::string& name) { return space_of(name); });
  }

  Status create_namespace(const Namespace& space, const Properties& properties) override {
    if (Status status = check_space(space); !status.ok()) return status;
    std::lock_guard lock(mutex_);
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database_);
    if (!transaction.ok()) return transaction.status();
    if (const Namespace parent = parent_of(space); !parent.empty()) {
      if (Status status = require_namespace(parent); !status.ok()) return status;
    }
    const Status there = require_namespace(space);
    if (there.ok()) return Status(Code::kAlreadyExists, "Namespace already exists: " + text_of(space));
    if (there.code() != Code::kNotFound) return there;
    Statement insert(*database_, "INSERT INTO namespaces (name, parent, properties) VALUES (?1, ?2, ?3)");
    insert.bind(1, key_of(space));
    insert.bind(2, key_of(parent_of(space)));
    insert.bind(3, json_text(properties));
    if (const Result<bool> done = insert.step(); !done.ok()) return done.status();
    return transaction.value()->commit();
  }

  Result<Properties> load_namespace(const Namespace& space) override {
    std::lock_guard lock(mutex_);
    return properties_of(space);
  }

  Result<NamespaceChange> update_namespace(const Namespace& space, const std::vector<std::string>& removals,
                                           const Properties& updates) override {
    std::lock_guard lock(mutex_);
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database_);
    if (!transaction.ok()) return transaction.status();
    Result<Properties> now = properties_of(space);
    if (!now.ok()) return now.status();
    NamespaceChange change;
    for (const std::string& key : removals) (now.value().erase(key) > 0 ? change.removed : change.missing).push_back(key);
    for (const auto& [key, value] : updates) {
      now.value().insert_or_assign(key, value);
      change.updated.push_back(key);
    }
    Statement update(*database_, "UPDATE namespaces SET properties = ?2 WHERE name = ?1");
    update.bind(1, key_of(space));
    update.bind(2, json_text(now.value()));
    if (const Result<bool> done = update.step(); !done.ok()) return done.status();
    if (Status status = transaction.value()->commit(); !status.ok()) return status;
    return change;
  }

  Status drop_namespace(const Namespace& space) override {
    std::lock_guard lock(mutex_);
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database_);
    if (!transaction.ok()) return transaction.status();
    if (Status status = require_namespace(space); !status.ok()) return status;
    Statement within(*database_,
                     "SELECT 1 FROM tables WHERE namespace = ?1 UNION ALL SELECT 1 FROM namespaces WHERE parent = ?1 LIMIT 1");
    within.bind(1, key_of(space));
    const Result<bool> full = within.step();
    if (!full.ok()) return full.status();
    if (full.value()) return Status(Code::kFailedPrecondition, "Namespace is not empty: " + text_of(space));
    Statement remove(*database_, "DELETE FROM namespaces WHERE name = ?1");
    remove.bind(1, key_of(space));
    if (const Result<bool> done = remove.step(); !done.ok()) return done.status();
    return transaction.value()->commit();
  }

  Result<Page<TableName>> list_tables(const Namespace& space, const PageRequest& request) override {
    std::lock_guard lock(mutex_);
    if (Status status = require_namespace(space); !status.ok()) return status;
    Statement list(*database_, "SELECT name FROM tables WHERE namespace = ?1 AND name > ?2 ORDER BY name LIMIT ?3");
    list.bind(1, key_of(space));
    return page_of<TableName>(list, request, [&](const std::string& name) { return TableName{space, name}; });
  }

  Result<LoadedTable> create_table(const NewTable& table) override {
    if (Status status = check_table(table.table); !status.ok()) return status;
    const Hold hold(*this, {key_of(table.table)});
    const std::string uuid = random_uuid();
    TableDraft draft = table.draft;
    const bool chosen_here = draft.location.empty();
    {
      std::lock_guard lock(mutex_);
      if (Status status = require_free(table.table); !status.ok()) return status;
      if (chosen_here) {
        Result<std::string> chosen = choose_location(table.table, uuid);
        if (!chosen.ok()) return chosen.status();
        draft.location = chosen.take();
      }
    }
    while (draft.location.size() > 1 && draft.location.back() == '/') draft.location.pop_back();
    Result<std::string> place = warehouse_.canonical(draft.location);
    if (!place.ok()) return place.status();
    Result<TableMetadata> metadata = new_table_metadata(draft, uuid, now_ms());
    if (!metadata.ok()) return metadata.status();
    Pending pending{table.table, {}, {}, std::make_shared<const TableMetadata>(metadata.take()), place.take(), true};
    if (chosen_here) pending.unfinished = pending.place;  // nobody else knows of it yet
    if (table.staged) return LoadedTable{"", pending.metadata};
    std::vector<Pending> all;
    all.push_back(std::move(pending));
    return first_of(make_current(all));
  }

  Result<LoadedTable> register_table(const TableName& table, const std::string& metadata_location, bool overwrite) override {
    if (Status status = check_table(table); !status.ok()) return status;
    const Hold hold(*this, {key_of(table)});
    {
      std::lock_guard lock(mutex_);
      if (Status status = require_namespace(table.space); !status.ok()) return status;
    }
    Result<std::shared_ptr<const TableMetadata>> metadata = read_metadata(metadata_location);
    if (metadata.status().code() == Code::kNotFound) return gone(metadata_location);
    if (!metadata.ok()) return metadata.status();
    const Result<std::string> place = warehouse_.canonical(metadata.value()->location);
    if (!place.ok()) return place.status();
    std::unique_lock lock(mutex_);
    await_purges({place.value()}, lock);
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database_);
    if (!transaction.ok()) return transaction.status();
    const Status free = require_free(table);
    if (free.code() == Code::kAlreadyExists && overwrite) {
      Statement remove(*database_, "DELETE FROM tables WHERE namespace = ?1 AND name = ?2");
      remove.bind(1, key_of(table.space));
      remove.bind(2, table.name);
      if (const Result<bool> done = remove.step(); !done.ok()) return done.status();
    } else if (!free.ok()) {
      return free;
    }
    if (Status status = insert(table, *metadata.value(), place.value(), metadata_location); !status.ok()) return status;
    if (Status status = transaction.value()->commit(); !status.ok()) return status;
    return LoadedTable{metadata_location, metadata.take()};
  }

  // What is in memory must not hide that nobody else could read the table.
  Result<LoadedTable> load_table(const TableName& table) override {
    return load(table, [this](const std::string& location) { return warehouse_.exists(location); });
  }

  Result<LoadedTable> commit_table(const TableCommit& commit) override { return first_of(commit_all({commit})); }

  Status commit_transaction(const std::vector<TableCommit>& commits) override {
    if (commits.size() > kMaxTransactionTables) {
      return Status(Code::kInvalidArgument, "a transaction over more than " + std::to_string(kMaxTransactionTables) + " tables");
    }
    return commit_all(commits).status();
  }

  Status rename_table(const TableName& from, const TableName& to) override {
    if (Status status = check_table(to); !status.ok()) return status;
    const Hold hold(*this, {key_of(from), key_of(to)});
    std::lock_guard lock(mutex_);
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database_);
    if (!transaction.ok()) return transaction.status();
    const Result<Row> row = find(from);
    if (!row.ok()) return row.status();
    const Status free = require_free(to);
    if (free.code() == Code::kNotFound) return Status(Code::kFailedPrecondition, free.message());
    if (!free.ok()) return free;
    Statement update(*database_, "UPDATE tables SET namespace = ?3, name = ?4 WHERE namespace = ?1 AND name = ?2");
    update.bind(1, key_of(from.space));
    update.bind(2, from.name);
    update.bind(3, key_of(to.space));
    update.bind(4, to.name);
    if (const Result<bool> done = update.step(); !done.ok()) return done.status();
    return transaction.value()->commit();
  }

  Status drop_table(const TableName& table, bool purge) override {
    const Hold hold(*this, {key_of(table)});
    std::unique_lock lock(mutex_);
    const Result<Row> row = find(table);
    if (!row.ok()) return row.status();
    const std::string& location = row.value().location;
    if (purge) {
      if (Status status = require_own_folder(table, location); !status.ok()) return status;
    }
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database_);
    if (!transaction.ok()) return transaction.status();
    Statement remove(*database_, "DELETE FROM tables WHERE namespace = ?1 AND name = ?2");
    remove.bind(1, key_of(table.space));
    remove.bind(2, table.name);
    if (const Result<bool> done = remove.step(); !done.ok()) return done.status();
    if (purge) {
      if (Status status = begin(location, table); !status.ok()) return status;
    }
    if (Status status = transaction.value()->commit(); !status.ok()) return status;
    cache_.erase(row.value().metadata_location);
    if (!purge) return ok_status();
    // The table is gone, whatever becomes of its files.
    if (const Status removed = remove_unfinished(location, lock); !removed.ok()) {
      log_line(LogLevel::kWarn, "catalog.purge", {{"table", text_of(table)}, {"why", removed.message()}});
    }
    return ok_status();
  }

  Status remove_unfinished() override { return remove_unfinished_of(nullptr); }

 private:
  // Tables that are to be changed, each by one at a time. Files are read and written with nothing else held, so a warehouse that stalls
  // keeps only those waiting who change the same tables.
  class Hold {
   public:
    Hold(SqliteCatalog& catalog, std::set<std::string> tables) : catalog_(catalog), tables_(std::move(tables)) {
      std::unique_lock lock(catalog_.mutex_);
      catalog_.changed_.wait(lock, [this] {
        return std::none_of(tables_.begin(), tables_.end(), [this](const std::string& one) { return catalog_.held_.contains(one); });
      });
      catalog_.held_.insert(tables_.begin(), tables_.end());
    }
    ~Hold() {
      std::lock_guard lock(catalog_.mutex_);
      for (const std::string& one : tables_) catalog_.held_.erase(one);
      catalog_.changed_.notify_all();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    SqliteCatalog& catalog_;
    const std::set<std::string> tables_;
  };

  struct Row {
    std::string location, metadata_location;
  };
  // What is to become current. Without `changed_from` the table is new.
  struct Pending {
    TableName table;
    std::string changed_from;  // the metadata file that must still be current
    std::shared_ptr<const TableMetadata> base;
    std::shared_ptr<const TableMetadata> metadata;
    std::string place = {};      // canonical location
    bool moves = false;          // … which it did not have before
    std::string file = {};       // the new metadata file, once it has a place
    bool unchanged = false;      // nothing to do: `changed_from` stays current
    std::string unfinished = {};  // of a new table: where a death on the way to it leaves something, canonical. Empty: `file`

    bool is_new() const { return changed_from.empty(); }
  };

  std::int64_t now_ms() const { return clock_.wall() / 1'000'000; }

  Result<std::vector<LoadedTable>> commit_all(const std::vector<TableCommit>& commits) {
    std::set<std::string> names;
    for (const TableCommit& commit : commits) {
      if (!names.insert(key_of(commit.table)).second) {
        return Status(Code::kInvalidArgument, "table " + text_of(commit.table) + " stands twice in the transaction");
      }
    }
    const Hold hold(*this, std::move(names));
    std::vector<Pending> pending;
    for (const TableCommit& commit : commits) {
      Result<Pending> next = prepare(commit);
      if (!next.ok()) return next.status();
      pending.push_back(next.take());
    }
    return make_current(pending);
  }

  static Result<LoadedTable> first_of(Result<std::vector<LoadedTable>> tables) {
    if (!tables.ok()) return tables.status();
    return std::move(tables.value().front());
  }

  template <class T, class Make>
  Result<Page<T>> page_of(Statement& list, const PageRequest& request, const Make& make) {
    list.bind(2, request.after);
    list.bind(3, request.size == 0 ? kMostRows : static_cast<std::int64_t>(request.size) + 1);
    Page<T> page;
    std::string last;
    while (true) {
      const Result<bool> row = list.step();
      if (!row.ok()) return row.status();
      if (!row.value()) return page;
      if (request.size != 0 && page.items.size() == request.size) {
        page.next = last;
        return page;
      }
      last = list.text(0);
      page.items.push_back(make(last));
    }
  }

  Result<Properties> properties_of(const Namespace& space) {
    Statement find(*database_, "SELECT properties FROM namespaces WHERE name = ?1");
    find.bind(1, key_of(space));
    const Result<bool> row = find.step();
    if (!row.ok()) return row.status();
    if (!row.value()) return no_namespace(space);
    const Result<Json> json = parse_json(find.text(0), "properties of namespace " + text_of(space));
    if (!json.ok() || !json.value().is_object()) return Status(Code::kDataLoss, "the properties of " + text_of(space) + " do not parse");
    Properties properties;
    for (const auto& [key, value] : json.value().items()) properties.emplace(key, value.get<std::string>());
    return properties;
  }

  Status require_namespace(const Namespace& space) {
    if (space.empty()) return no_namespace(space);
    Statement find(*database_, "SELECT 1 FROM namespaces WHERE name = ?1");
    find.bind(1, key_of(space));
    const Result<bool> row = find.step();
    if (!row.ok()) return row.status();
    return row.value() ? ok_status() : no_namespace(space);
  }

  // The namespace is there and has no such table. kNotFound, kAlreadyExists.
  Status require_free(const TableName& table) {
    if (Status status = require_namespace(table.space); !status.ok()) return status;
    const Result<Row> row = find(table);
    if (row.ok()) return table_exists(table);
    return row.status().code() == Code::kNotFound ? ok_status() : row.status();
  }

  Result<Row> find(const TableName& table) {
    Statement find(*database_, "SELECT location, metadata_location FROM tables WHERE namespace = ?1 AND name = ?2");
    find.bind(1, key_of(table.space));
    find.bind(2, table.name);
    const Result<bool> row = find.step();
    if (!row.ok()) return row.status();
    if (!row.value()) return no_table(table);
    return Row{find.text(0), find.text(1)};
  }

  Result<std::shared_ptr<const TableMetadata>> read_metadata(const std::string& location) {
    {
      std::lock_guard lock(mutex_);
      const auto cached = cache_.find(location);
      if (cached != cache_.end()) return cached->second;
    }
    const Result<std::string> text = warehouse_.read(location, kMaxMetadataBytes);
    if (!text.ok()) return text.status();
    Result<TableMetadata> metadata = parse_table_metadata(text.value());
    if (!metadata.ok()) return Status(metadata.status().code(), location + ": " + metadata.status().message());
    auto shared = std::make_shared<const TableMetadata>(metadata.take());
    std::lock_guard lock(mutex_);
    remember(location, shared);
    return shared;
  }

  void remember(const std::string& location, const std::shared_ptr<const TableMetadata>& metadata) {
    if (cache_.size() >= kMaxCachedTables) cache_.clear();
    cache_.insert_or_assign(location, metadata);
  }

  // The current metadata, whose file `there` has to find.
  template <class There>
  Result<LoadedTable> load(const TableName& table, const There& there) {
    for (std::string before;;) {
      Result<Row> row = [&] {
        std::lock_guard lock(mutex_);
        return find(table);
      }();
      if (!row.ok()) return row.status();
      const std::string& location = row.value().metadata_location;
      Result<std::shared_ptr<const TableMetadata>> metadata = read_metadata(location);
      const Result<bool> found = metadata.ok() ? there(location) : Result<bool>(metadata.status().code() != Code::kNotFound);
      if (!found.ok()) return found.status();
      if (metadata.ok() && found.value()) return LoadedTable{location, metadata.take()};
      if (found.value()) {  // it is there, and should check
        const Code code = metadata.status().code();
        return Status(code == Code::kInvalidArgument ? Code::kDataLoss : code,
                      "table " + text_of(table) + ": " + metadata.status().message());
      }
      if (location == before) return gone(location);
      before = location;  // commits that came meanwhile may have removed it
    }
  }
  Result<LoadedTable> load(const TableName& table) {
    return load(table, [](const std::string&) { return Result<bool>(true); });
  }

  static Status gone(const std::string& metadata_location) {
    return Status(Code::kOutOfRange, "Failed to open input stream for file: " + metadata_location);
  }

  // Below the namespace's own location, when it has one; never where another table was, so that files of a table that was
  // dropped are never taken for those of its successor.
  Result<std::string> choose_location(const TableName& table, const std::string& uuid) {
    const Result<Properties> properties = properties_of(table.space);
    if (!properties.ok()) return properties.status();
    const auto own = properties.value().find("location");
    std::string location = own == properties.value().end() ? warehouse_.root() : own->second;
    if (own == properties.value().end()) {
      for (const std::string& level : table.space) location += "/" + folder_name(level);
    }
    while (location.size() > 1 && location.back() == '/') location.pop_back();
    location += "/" + folder_name(table.name) + "-";
    for (const char c : uuid) {
      if (c != '-') location += c;
    }
    return location;
  }

  // Where the metadata that follows the file `previous` goes.
  static std::string metadata_file(const TableMetadata& metadata, const std::string& previous) {
    char number[32];
    std::snprintf(number, sizeof number, "%05lld", static_cast<long long>(previous.empty() ? 0 : version_in(previous) + 1));
    std::string folder = metadata.property(kMetadataPath, metadata.location + "/metadata");
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    return folder + "/" + number + "-" + random_uuid() + ".metadata.json";
  }

  Result<Pending> prepare(const TableCommit& commit) {
    Result<LoadedTable> now = load(commit.table);
    const bool missing = now.status().code() == Code::kNotFound;
    if (!now.ok() && !missing) return now.status();
    Pending next{commit.table, "", {}, {}};
    if (missing) {
      if (!has_assert_create(commit)) return now.status();
      if (Status status = check_table(commit.table); !status.ok()) return status;
      std::lock_guard lock(mutex_);
      if (Status status = require_namespace(commit.table.space); !status.ok()) return status;
    } else {
      next.changed_from = now.value().metadata_location;
      next.base = now.value().metadata;
    }
    for (const Requirement& requirement : commit.requirements) {
      if (Status status = check_requirement(requirement, next.base.get()); !status.ok()) return status;
    }
    Result<TableMetadata> metadata = apply_updates(next.base.get(), commit.updates, {now_ms(), next.changed_from});
    if (!metadata.ok()) return metadata.status();
    const auto& log = metadata.value().metadata_log;  // ends with the base's file, unless nothing changed
    next.unchanged = next.base != nullptr && (log.empty() || log.back().metadata_file != next.changed_from);
    Result<std::string> place = warehouse_.canonical(metadata.value().location);
    if (!place.ok()) return place.status();
    next.place = place.take();
    next.moves = next.base == nullptr || next.base->location != metadata.value().location;
    next.metadata = std::make_shared<const TableMetadata>(metadata.take());
    return next;
  }

  Status insert(const TableName& table, const TableMetadata& metadata, const std::string& place, const std::string& metadata_location) {
    Statement insert(*database_,
                     "INSERT INTO tables (namespace, name, uuid, location, metadata_location) VALUES (?1, ?2, ?3, ?4, ?5)");
    insert.bind(1, key_of(table.space));
    insert.bind(2, table.name);
    insert.bind(3, metadata.table_uuid);
    insert.bind(4, place);
    insert.bind(5, metadata_location);
    const Result<bool> done = insert.step();
    return done.ok() ? ok_status() : done.status();
  }

  // Moves the pointer of one table, within a transaction.
  Status point(const Pending& next) {
    if (next.is_new()) {  // the namespace may have gone meanwhile
      if (Status status = require_namespace(next.table.space); !status.ok()) return status;
      if (Status status = finish(next.unfinished); !status.ok()) return status;
      return insert(next.table, *next.metadata, next.place, next.file);
    }
    Statement update(*database_,
                     "UPDATE tables SET metadata_location = ?4, location = ?5 WHERE namespace = ?1 AND name = ?2 AND "
                     "metadata_location = ?3");
    update.bind(1, key_of(next.table.space));
    update.bind(2, next.table.name);
    update.bind(3, next.changed_from);
    update.bind(4, next.file);
    update.bind(5, next.place);
    if (const Result<bool> done = update.step(); !done.ok()) return done.status();
    if (database_->changes() == 1) return ok_status();
    return Status(Code::kFailedPrecondition, "Requirement failed: table " + text_of(next.table) + " was changed concurrently");
  }

  // -- what a death leaves where no table's search for lost files comes: the place is in the database before anything is there

  // Within a transaction or as one of its own.
  Status begin(const std::string& location, const TableName& table) {
    Statement insert(*database_, "INSERT OR REPLACE INTO unfinished (location, namespace, name) VALUES (?1, ?2, ?3)");
    insert.bind(1, location);
    insert.bind(2, key_of(table.space));
    insert.bind(3, table.name);
    return insert.step().status();
  }
  Status finish(const std::string& location) {
    Statement remove(*database_, "DELETE FROM unfinished WHERE location = ?1");
    remove.bind(1, location);
    return remove.step().status();
  }

  // Whether a table is there by now, or comes: then files there are its own, or its search for lost ones finds them.
  Result<bool> in_use(const std::string& location) {
    if (std::any_of(coming_.begin(), coming_.end(), [&](const std::string& place) { return overlap(location, place); })) return true;
    Statement tables(*database_, "SELECT location, metadata_location FROM tables");
    while (true) {
      const Result<bool> row = tables.step();
      if (!row.ok() || !row.value()) return row;
      if (overlap(location, tables.text(0)) || location == tables.text(1)) return true;
    }
  }

  // What is at one of those places goes, and then the row. The lock is not held while the warehouse is asked; no table comes to be there
  // meanwhile.
  Status remove_unfinished(const std::string& location, std::unique_lock<std::mutex>& lock) {
    const Result<bool> used = in_use(location);
    if (!used.ok()) return used.status();
    if (used.value()) return finish(location);
    purging_.insert(location);
    lock.unlock();
    const Status removed = warehouse_.remove_all(location);
    lock.lock();
    purging_.erase(purging_.find(location));
    changed_.notify_all();
    return removed.ok() ? finish(location) : removed;
  }

  // Of one table, or all there are.
  Status remove_unfinished_of(const TableName* table) {
    std::unique_lock lock(mutex_);
    std::vector<std::string> locations;
    {
      Statement list(*database_, "SELECT location FROM unfinished WHERE ?1 = '' OR (namespace = ?1 AND name = ?2)");
      list.bind(1, table == nullptr ? "" : key_of(table->space));
      list.bind(2, table == nullptr ? "" : table->name);
      while (true) {
        const Result<bool> row = list.step();
        if (!row.ok()) return row.status();
        if (!row.value()) break;
        locations.push_back(list.text(0));
      }
    }
    for (const std::string& location : locations) {
      if (Status status = remove_unfinished(location, lock); !status.ok()) return status;
    }
    return ok_status();
  }

  // Before the first file of the new ones among them. What an earlier attempt left goes first, so there is one of each table at most.
  Status begin_new(std::vector<Pending>& all) {
    for (Pending& next : all) {
      if (!next.is_new()) continue;
      if (Status status = remove_unfinished_of(&next.table); !status.ok()) return status;
      if (next.unfinished.empty()) {
        Result<std::string> file = warehouse_.canonical(next.file);
        if (!file.ok()) return file.status();
        next.unfinished = file.take();
      }
      std::lock_guard lock(mutex_);
      if (Status status = begin(next.unfinished, next.table); !status.ok()) return status;
    }
    return ok_status();
  }

  Status write_files(const std::vector<Pending>& all, std::size_t& written) {
    for (const Pending& next : all) {
      if (!next.unchanged) {
        if (Status status = warehouse_.write(next.file, table_metadata_text(*next.metadata)); !status.ok()) return status;
      }
      ++written;
    }
    return ok_status();
  }

  // Of a commit that did not happen: the first `written` files, and what was begun of new tables.
  void take_back(const std::vector<Pending>& all, std::size_t written) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Pending& next = all[i];
      if (i < written && !next.unchanged) static_cast<void>(warehouse_.remove(next.file));
      if (!next.is_new()) continue;
      std::unique_lock lock(mutex_);
      static_cast<void>(remove_unfinished(next.unfinished, lock));  // what cannot be removed now stays in the database
    }
  }

  Status move_pointers(const std::vector<Pending>& all) {
    std::lock_guard lock(mutex_);
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database_);
    if (!transaction.ok()) return transaction.status();
    for (const Pending& next : all) {
      if (next.unchanged) continue;
      if (Status status = point(next); !status.ok()) return status;
    }
    crash_points_.pass(CrashPoint::kInPointers);
    Status status = transaction.value()->commit();
    crash_points_.pass(CrashPoint::kAfterPointers);
    return status;
  }

  // Waits until no folder is being removed that a table is to be in.
  void await_purges(const std::set<std::string>& places, std::unique_lock<std::mutex>& lock) {
    changed_.wait(lock, [&] {
      return std::none_of(purging_.begin(), purging_.end(), [&](const std::string& gone) {
        return std::any_of(places.begin(), places.end(), [&](const std::string& place) { return overlap(gone, place); });
      });
    });
  }

  // First the files, then all pointers at once. A crash in between leaves files nothing points at, never a pointer to nothing.
  Result<std::vector<LoadedTable>> make_current(std::vector<Pending>& all) {
    for (Pending& next : all) {
      if (!next.unchanged) next.file = metadata_file(*next.metadata, next.changed_from);
    }
    if (Status status = begin_new(all); !status.ok()) return status;
    std::set<std::string> places;  // that the database does not know yet
    for (const Pending& next : all) {
      if (next.moves) places.insert(next.place);
    }
    {
      std::unique_lock lock(mutex_);
      await_purges(places, lock);
      coming_.insert(places.begin(), places.end());
    }
    std::size_t written = 0;
    Status status = write_files(all, written);
    crash_points_.pass(CrashPoint::kBeforePointers);
    if (status.ok()) status = move_pointers(all);
    {
      std::lock_guard lock(mutex_);
      for (const std::string& place : places) coming_.erase(coming_.find(place));
      for (const Pending& next : all) {
        if (!status.ok() || next.unchanged) continue;
        remember(next.file, next.metadata);
        cache_.erase(next.changed_from);
      }
    }
    if (!status.ok()) {
      if (status.code() != Code::kUnavailable) take_back(all, written);  // the database may point at them
      return status;
    }
    std::vector<LoadedTable> tables;
    for (const Pending& next : all) {
      if (!next.unchanged) remove_old_metadata(next);
      tables.push_back({next.unchanged ? next.changed_from : next.file, next.metadata});
    }
    return tables;
  }

  // What fell out of the metadata log, when the table wishes so.
  void remove_old_metadata(const Pending& next) {
    if (next.base == nullptr || next.metadata->property(kRemoveOldMetadata, "false") != "true") return;
    const auto& kept = next.metadata->metadata_log;
    for (const MetadataLogEntry& old : next.base->metadata_log) {
      const bool still = std::any_of(kept.begin(), kept.end(), [&](const auto& entry) { return entry.metadata_file == old.metadata_file; });
      if (still) continue;
      if (const Status removed = warehouse_.remove(old.metadata_file); !removed.ok()) {
        log_line(LogLevel::kWarn, "catalog.old_metadata", {{"file", old.metadata_file}, {"why", removed.message()}});
      }
    }
  }

  // Removing the table's folder must remove nothing of another table, nor of one that is being made.
  Status require_own_folder(const TableName& table, const std::string& location) {
    for (const std::string& place : coming_) {
      if (!overlap(location, place)) continue;
      return Status(Code::kInvalidArgument, "Cannot purge " + text_of(table) + ": a table is being made in the same folder");
    }
    Statement others(*database_, "SELECT namespace, name, location FROM tables WHERE NOT (namespace = ?1 AND name = ?2)");
    others.bind(1, key_of(table.space));
    others.bind(2, table.name);
    while (true) {
      const Result<bool> row = others.step();
      if (!row.ok()) return row.status();
      if (!row.value()) return ok_status();
      if (overlap(location, others.text(2))) {
        return Status(Code::kInvalidArgument, "Cannot purge " + text_of(table) + ": table " +
                                                  text_of(TableName{space_of(others.text(0)), others.text(1)}) +
                                                  " has files in the same folder; drop it without purge");
      }
    }
  }

  Warehouse& warehouse_;
  const Clock& clock_;
  CrashPoints crash_points_;
  std::mutex mutex_;  // of what follows; never while the warehouse is asked
  std::condition_variable changed_;
  const std::unique_ptr<Database> database_;
  std::map<std::string, std::shared_ptr<const TableMetadata>> cache_;  // by metadata file; files never change
  std::set<std::string> held_;           // tables that are being changed, by key_of
  std::multiset<std::string> coming_;    // canonical locations that commits under way bring
  std::multiset<std::string> purging_;   // … whose files are being removed
};

}  // namespace

Result<std::unique_ptr<TableCatalog>> open_sqlite_catalog(const std::string& path, Warehouse& warehouse, const Clock& clock,
                                                          const char* crash_at) {
  Result<std::unique_ptr<Database>> database = Database::open(path);
  if (!database.ok()) return database.status();
  std::int64_t version = 0;
  std::string damage = "ok";
  {
    Statement ask(*database.value(), "PRAGMA user_version");
    if (const Result<bool> row = ask.step(); !row.ok()) return row.status();
    version = ask.number(0);
    Statement check(*database.value(), "PRAGMA quick_check(1)");
    if (const Result<bool> row = check.step(); !row.ok()) return row.status();
    damage = check.text(0);
  }
  if (damage != "ok") return Status(Code::kDataLoss, path + " is damaged: " + damage);
  if (version > kVersion) {
    return Status(Code::kUnsupported, path + " is of version " + std::to_string(version) + "; this program knows up to " +
                                          std::to_string(kVersion) + ": use the newer program");
  }
  if (version == 0) {
    Result<std::unique_ptr<Transaction>> transaction = Transaction::begin(*database.value());
    if (!transaction.ok()) return transaction.status();
    if (Status status = database.value()->run(kSchema); !status.ok()) return status;
    if (Status status = transaction.value()->commit(); !status.ok()) return status;
  }
  if (Status status = database.value()->run(kUnfinished); !status.ok()) return status;
  auto catalog = std::make_unique<SqliteCatalog>(database.take(), warehouse, clock);
  if (Status status = catalog->crash_at(crash_at); !status.ok()) return status;
  return std::unique_ptr<TableCatalog>(std::move(catalog));
}

}  // namespace halocline::iceberg
