#include "base/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "base/error.h"

namespace ospatrol::base {

namespace {

[[noreturn]] void Fail(const std::filesystem::path& file, sqlite3* handle) {
  throw Error(fmt::format("{}: {}", file.native(), sqlite3_errmsg(handle)));
}

}  // namespace

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
  if (sqlite3_prepare_v3(database.handle_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK) {
    Fail(database.file_, database.handle_);
  }
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), database_(other.database_) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int position, int64_t value) {
  if (sqlite3_bind_int64(statement_, position, value) != SQLITE_OK) {
    Fail(database_->file_, database_->handle_);
  }
  return *this;
}

// SQLite reads a null pointer as NULL: the empty text needs an address.
Statement& Statement::Bind(int position, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  if (sqlite3_bind_text64(statement_, position, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) !=
      SQLITE_OK) {
    Fail(database_->file_, database_->handle_);
  }
  return *this;
}

Statement& Statement::BindBlob(int position, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  if (sqlite3_bind_blob64(statement_, position, data, bytes.size(), SQLITE_TRANSIENT) !=
      SQLITE_OK) {
    Fail(database_->file_, database_->handle_);
  }
  return *this;
}

Statement& Statement::BindNull(int position) {
  if (sqlite3_bind_null(statement_, position) != SQLITE_OK) {
    Fail(database_->file_, database_->handle_);
  }
  return *this;
}

bool Statement::Step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) {
    const std::string text = sqlite3_errmsg(database_->handle_);
    sqlite3_reset(statement_);
    throw Error(fmt::format("{}: {}", database_->file_.native(), text));
  }
  sqlite3_reset(statement_);
  return false;
}

void Statement::Run() {
  while (Step()) {
  }
}

void Statement::Reset() { sqlite3_reset(statement_); }

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) const {
  // The order matters: the size is that of the representation asked for last.
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(const std::filesystem::path& file) : file_(file) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  std::error_code missing;
  const uintmax_t size = std::filesystem::file_size(file, missing);
  try {
    if (sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
      Fail(file_, handle_);
    }
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, 5000);
    // A new file holds nothing yet that a power cut could take: no waiting for the disk.
    if (missing || size == 0) Execute("PRAGMA synchronous=OFF");
    // temp_store: no files outside the state directory, which is all a chrooted daemon may write.
    Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;");
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

// Without a write-ahead log nobody is writing: `immutable` then spares the files that a reader of
// such a database would make beside it.
Database::Database(const std::filesystem::path& file, ReadOnlyTag) : file_(file) {
  std::string uri = "file:";
  for (const char c : file.native()) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  std::error_code ignored;
  const bool in_use = std::filesystem::exists(file.native() + "-wal", ignored);
  uri += in_use ? "?mode=ro" : "?mode=ro&immutable=1";
  const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  try {
    if (sqlite3_open_v2(uri.c_str(), &handle_, flags, nullptr) != SQLITE_OK) Fail(file_, handle_);
    sqlite3_busy_timeout(handle_, 5000);
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

// close_v2 waits for statements that outlive the connection instead of leaking it.
Database::~Database() { sqlite3_close_v2(handle_); }

void Database::Execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    Fail(file_, handle_);
  }
}

DurableCommits::DurableCommits(Database& database) : database_(&database) {
  database.Execute("PRAGMA synchronous=FULL");
}

DurableCommits::~DurableCommits() {
  try {
    database_->Execute("PRAGMA synchronous=NORMAL");
  } catch (const Error&) {
    // More is synced than needed, nothing else.
  }
}

Transaction::Transaction(Database& database) : database_(&database) {
  database.Execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_->Execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself after some errors (disk full, I/O); then there is nothing
    // left to undo.
  }
}

void Transaction::Commit() {
  database_->Execute("COMMIT");
  open_ = false;
}

}  // namespace ospatrol::base
