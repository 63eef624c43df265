// SQLite, as the catalog uses it: one connection, statements with bound values, failures as Status.
//
//   Database& db = …;
//   Statement find(db, "SELECT location FROM tables WHERE name = ?1");
//   find.bind(1, name);
//   Result<bool> row = find.step();     // true: there is a row
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace halocline::iceberg {

class Database {
 public:
  // Opened, locked for this process, with a write-ahead log and every transaction on the medium when it is over.
  // kFailedPrecondition: another process has it.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Statements without values or rows.
  Status run(const char* sql);
  // Rows the last statement changed.
  int changes() const;
  sqlite3* handle() { return handle_; }
  Status failure(const std::string& doing, int code) const;

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
};

class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // From 1. The text is copied.
  void bind(int place, std::string_view text);
  void bind(int place, std::int64_t number);
  // Whether there is a row.
  Result<bool> step();
  // Of the row, from 0.
  std::string text(int column) const;
  std::int64_t number(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

// A transaction: rolled back unless committed.
class Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> begin(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // kUnavailable: nobody knows whether it is on the disk. Any other failure: it is not, and was rolled back.
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(database) {}
  Database& database_;
  bool open_ = true;
};

}  // namespace halocline::iceberg
