// SQLite for our state files: WAL, busy time-out, prepared statements, transactions. Errors throw
// ospatrol::Error with the file and SQLite's text; use them at start-up, and catch them where a
// running daemon must go on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace ospatrol::base {

class Database;

// A prepared statement. Bind by position (1-based), Step until false, columns from 0. Not
// thread-safe.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int position, int64_t value);
  Statement& Bind(int position, std::string_view text);  // copied
  Statement& BindBlob(int position, std::string_view bytes);
  Statement& BindNull(int position);

  // True while there is a row. After false (or Reset) the statement can be bound and run again.
  bool Step();
  // Runs to the end and resets: for INSERT, UPDATE, DELETE.
  void Run();
  void Reset();

  int64_t Integer(int column) const;
  std::string Text(int column) const;  // also for blobs
  bool IsNull(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
  Database* database_;
};

// One connection; one owner at a time (thread-compatible).
class Database {
 public:
  // Opens or creates: journal_mode=WAL, synchronous=NORMAL, busy_timeout=5000, umask as set. Throws
  // Error.
  explicit Database(const std::filesystem::path& file);
  // Opens an existing database to read it; nothing beside it is made or changed. Throws Error.
  static Database ReadOnly(const std::filesystem::path& file) { return Database(file, kReadOnly); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  void Execute(const std::string& sql);
  const std::filesystem::path& file() const { return file_; }

 private:
  enum ReadOnlyTag { kReadOnly };
  Database(const std::filesystem::path& file, ReadOnlyTag);

  friend class Statement;
  sqlite3* handle_ = nullptr;
  std::filesystem::path file_;
};

// While it lives, commits survive a crash of the whole system, too; otherwise the last few may be
// lost. Each costs a sync of the disk. REQUIRES: no transaction is open at its begin and end.
class DurableCommits {
 public:
  explicit DurableCommits(Database& database);
  DurableCommits(const DurableCommits&) = delete;
  DurableCommits& operator=(const DurableCommits&) = delete;
  ~DurableCommits();

 private:
  Database* database_;
};

// BEGIN IMMEDIATE ... COMMIT; rolls back when Commit() was not reached.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void Commit();

 private:
  Database* database_;
  bool open_ = true;
};

}  // namespace ospatrol::base
