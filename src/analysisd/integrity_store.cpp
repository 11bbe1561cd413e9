#include "analysisd/integrity_store.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kDirectory = "queue/syscheck";
constexpr std::string_view kMarkerText = "#!X";

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS file(location TEXT, name TEXT, counter TEXT NOT NULL,"
    "  sum TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY(location, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS history(id INTEGER PRIMARY KEY, location TEXT, name TEXT,"
    "  counter TEXT NOT NULL, sum TEXT NOT NULL, time INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS history_of ON history(location, name, id);";

std::filesystem::path Directory(const Home& home) {
  const std::filesystem::path directory = home / kDirectory;
  base::MakeDirectories(directory, 0770);
  return directory;
}

// A location is one path component; only agents known by a network ("10.0.0.0/24") have a slash in
// it.
std::string AsComponent(std::string_view location) {
  std::string component(location.substr(0, 240));
  for (char& c : component) {
    if (c == '/') c = '_';
  }
  return component;
}

}  // namespace

struct IntegrityStore::Statements {
  explicit Statements(base::Database& database)
      : last(database, "SELECT counter, sum FROM file WHERE location = ?1 AND name = ?2"),
        keep_old(database,
                 "INSERT INTO history(location, name, counter, sum, time)"
                 " SELECT location, name, counter, sum, time FROM file"
                 " WHERE location = ?1 AND name = ?2"),
        prune(database,
              "DELETE FROM history WHERE location = ?1 AND name = ?2 AND id <="
              " (SELECT id FROM history WHERE location = ?1 AND name = ?2"
              "  ORDER BY id DESC LIMIT 1 OFFSET 10)"),
        store(database, "INSERT OR REPLACE INTO file VALUES(?1, ?2, ?3, ?4, ?5)") {}

  base::Statement last, keep_old, prune, store;
};

IntegrityStore::IntegrityStore(const Home& home)
    : directory_(Directory(home)), database_(directory_ / "fim.db") {
  database_.Execute(kSchema);
  statements_ = std::make_unique<Statements>(database_);
}

IntegrityStore::~IntegrityStore() = default;

EngineState::KnownFile IntegrityStore::Last(std::string_view location,
                                            std::string_view name) const {
  const Key key(location, name);
  if (const auto found = newest_.find(key); found != newest_.end()) {
    return {.record = changes_[found->second].record};
  }
  try {
    base::Statement& query = statements_->last;
    query.Bind(1, location).Bind(2, name);
    if (!query.Step()) return {};
    EngineState::FileRecord record{query.Text(0), query.Text(1)};
    query.Reset();
    return {.record = std::move(record)};
  } catch (const Error& error) {
    thread_local log::Limited<msg::kStoreUnreadable> message;
    message.Write(error.what());
    return {.readable = false};
  }
}

void IntegrityStore::Store(std::string_view location, std::string_view name,
                           const EngineState::FileRecord& record, int64_t time) {
  Key key(location, name);
  newest_.insert_or_assign(key, changes_.size());
  changes_.push_back({std::move(key), record, time});
}

std::filesystem::path IntegrityStore::MarkerOf(std::string_view location) const {
  return directory_ / fmt::format(".{}.cpt", AsComponent(location));
}

bool IntegrityStore::BaselineComplete(std::string_view location) const {
  if (complete_.contains(location)) return true;
  std::error_code ignored;
  if (!std::filesystem::exists(MarkerOf(location), ignored)) return false;
  complete_.emplace(location);
  return true;
}

void IntegrityStore::SetBaselineComplete(std::string_view location) {
  if (BaselineComplete(location)) return;
  complete_.emplace(location);
  new_complete_.emplace_back(location);
}

void IntegrityStore::Commit() {
  if (!changes_.empty()) {
    base::Transaction transaction(database_);
    for (const Change& change : changes_) {
      const auto& [location, name] = change.key;
      statements_->keep_old.Bind(1, location).Bind(2, name).Run();
      statements_->prune.Bind(1, location).Bind(2, name).Run();
      statements_->store.Bind(1, location)
          .Bind(2, name)
          .Bind(3, change.record.counter)
          .Bind(4, change.record.sum)
          .Bind(5, change.time)
          .Run();
    }
    transaction.Commit();
    changes_.clear();
    newest_.clear();
  }
  while (!new_complete_.empty()) {
    base::WriteFileAtomically(MarkerOf(new_complete_.back()), kMarkerText, 0640);
    new_complete_.pop_back();
  }
}

}  // namespace ospatrol::analysisd
