#include "analysisd/rootcheck_store.h"

#include "base/error.h"
#include "base/files.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kDirectory = "queue/rootcheck";

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS message(location TEXT, text TEXT, first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL, PRIMARY KEY(location, text)) WITHOUT ROWID;";

std::filesystem::path DatabaseFile(const Home& home) {
  const std::filesystem::path directory = home / kDirectory;
  base::MakeDirectories(directory, 0770);
  return directory / "rootcheck.db";
}

}  // namespace

struct RootcheckStore::Statements {
  explicit Statements(base::Database& database)
      : find(database, "SELECT 1 FROM message WHERE location = ?1 AND text = ?2"),
        store(database,
              "INSERT INTO message VALUES(?1, ?2, ?3, ?3)"
              " ON CONFLICT(location, text) DO UPDATE SET last = ?3") {}

  base::Statement find, store;
};

RootcheckStore::RootcheckStore(const Home& home) : database_(DatabaseFile(home)) {
  database_.Execute(kSchema);
  statements_ = std::make_unique<Statements>(database_);
}

RootcheckStore::~RootcheckStore() = default;

bool RootcheckStore::IsStored(std::string_view location, std::string_view text) {
  try {
    base::Statement& query = statements_->find;
    query.Bind(1, location).Bind(2, text);
    const bool found = query.Step();
    query.Reset();
    return found;
  } catch (const Error& error) {
    thread_local log::Limited<msg::kStoreUnreadable> message;
    message.Write(error.what());
    return true;
  }
}

bool RootcheckStore::Remember(std::string_view location, std::string_view text, int64_t time) {
  const auto [place, is_change] = changed_.insert_or_assign(Key(location, text), time);
  return is_change && !IsStored(location, text);
}

void RootcheckStore::Commit() {
  if (changed_.empty()) return;
  base::Transaction transaction(database_);
  for (const auto& [key, time] : changed_) {
    statements_->store.Bind(1, key.first).Bind(2, key.second).Bind(3, time).Run();
  }
  transaction.Commit();
  changed_.clear();
}

}  // namespace ospatrol::analysisd
