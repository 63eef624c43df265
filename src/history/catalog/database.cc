#include "history/catalog/database.h"

#include <sqlite3.h>

#include <utility>

namespace halocline::iceberg {
namespace {

Code code_of(int sqlite) {
  switch (sqlite & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::kFailedPrecondition;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::kDataLoss;
    case SQLITE_FULL: return Code::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: return Code::kIo;
    default: return Code::kInternal;
  }
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (handle == nullptr) return Status(Code::kResourceExhausted, "cannot open " + path + ": out of memory");
  std::unique_ptr<Database> database(new Database(handle));
  if (opened != SQLITE_OK) return database->failure("cannot open " + path, opened);
  sqlite3_extended_result_codes(handle, 1);
  // The exclusive mode first: then the log's index is in this process's memory, and the lock is never given up. FULL: the log is
  // synced at every commit.
  for (const char* pragma : {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                             "BEGIN IMMEDIATE", "COMMIT"}) {
    Status status = database->run(pragma);
    if (status.code() == Code::kFailedPrecondition) return Status(Code::kFailedPrecondition, path + " is in use by another process");
    if (!status.ok()) return Status(status.code(), "cannot open " + path + ": " + status.message());
  }
  return database;
}

Database::~Database() { sqlite3_close(handle_); }

Status Database::run(const char* sql) {
  const int done = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return done == SQLITE_OK ? ok_status() : failure(sql, done);
}

int Database::changes() const { return sqlite3_changes(handle_); }

Status Database::failure(const std::string& doing, int code) const {
  return Status(code_of(code), doing + ": " + sqlite3_errmsg(handle_));
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int done = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
  CHECK(done == SQLITE_OK || code_of(done) != Code::kInternal, "%s", sqlite3_errmsg(database.handle()));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind(int place, std::string_view text) {
  sqlite3_bind_text64(statement_, place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::bind(int place, std::int64_t number) { sqlite3_bind_int64(statement_, place, number); }

Result<bool> Statement::step() {
  if (statement_ == nullptr) return database_.failure("catalog database", sqlite3_errcode(database_.handle()));
  const int done = sqlite3_step(statement_);
  if (done == SQLITE_ROW) return true;
  if (done == SQLITE_DONE) return false;
  return database_.failure("catalog database", done);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_, column); }

Result<std::unique_ptr<Transaction>> Transaction::begin(Database& database) {
  if (Status status = database.run("BEGIN IMMEDIATE"); !status.ok()) return status;
  return std::unique_ptr<Transaction>(new Transaction(database));
}

Transaction::~Transaction() {
  if (open_) static_cast<void>(database_.run("ROLLBACK"));
}

Status Transaction::commit() {
  Status status = database_.run("COMMIT");
  if (status.ok()) {
    open_ = false;
    return status;
  }
  // A full disk refuses before the log's commit record is written; after an I/O error the record may be there.
  if (status.code() == Code::kResourceExhausted) return status;
  return Status(Code::kUnavailable, "the outcome of the commit is not known: " + status.message());
}

}  // namespace halocline::iceberg
